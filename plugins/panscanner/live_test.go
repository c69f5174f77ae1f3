package panscanner

import "testing"

func TestLiveConfig(t *testing.T) {
	for given, want := range map[string]string{
		`{"api_key":"k"}`:   `{"api_key":"k","max_retries":0}`,
		`{"max_retries":5}`: `{"max_retries":0}`,
		// What is wrong stays, to be reported.
		`{"max_retries":99}`:  `{"max_retries":99}`,
		`{"max_retries":"5"}`: `{"max_retries":"5"}`,
		`[]`:                  `[]`,
		``:                    ``,
	} {
		if got := string(LiveConfig([]byte(given))); got != want {
			t.Errorf("%s becomes %s", given, got)
		}
	}
}
