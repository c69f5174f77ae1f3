package doctor

import "testing"

func TestIsRelay(t *testing.T) {
	own := []string{"relay"}
	for _, c := range []struct {
		words []string
		want  bool
	}{
		{[]string{"/usr/bin/relay", "run"}, true},
		{[]string{"relay"}, true},
		{[]string{"relay", "__warden"}, false},
		{[]string{"/usr/bin/relayd", "run"}, false},
		{[]string{""}, false},
	} {
		if isRelay(c.words, own) != c.want {
			t.Errorf("%q", c.words)
		}
	}
	if r := Relays(own); len(r) != 1 {
		t.Errorf("%+v", r)
	}
}
