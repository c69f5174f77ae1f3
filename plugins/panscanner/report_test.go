package panscanner

import (
	"net/url"
	"strings"
	"testing"
)

func TestParseReportURL(t *testing.T) {
	for raw, ok := range map[string]bool{
		"https://console.example/r/{report_id}":                                    true,
		"https://console.example/?s={scan_id}&x={session_id}":                      true,
		"http://127.0.0.1:9801/v1/scan/reports?report_ids={report_id}":             false,
		"http://console.example/{report_id}":                                       false,
		"https://console.example/ü/{report_id}":                                    false,
		"https://console.example/a b/{report_id}":                                  false,
		"https://console.example/":                                                 false,
		"https://console.example/{report}":                                         false,
		"https://console.example/{report_id}/{user}":                               false,
		"https://u:p@console.example/{report_id}":                                  false,
		"javascript:alert({report_id})":                                            false,
		"https:///{report_id}":                                                     false,
		"/r/{report_id}":                                                           false,
		"https://{report_id}.console.example/{transaction_id}{session_id}":         false,
		"https://console.example/{report_id}{scan_id}{transaction_id}{session_id}": true,
	} {
		if message := parseReportURL(raw); (message == "") != ok {
			t.Errorf("%s: %q", raw, message)
		}
	}
}

// TestLink checks that nothing of an answer can change where a link leads.
func TestLink(t *testing.T) {
	c := &config{reportURL: "https://console.example/r?id={report_id}&scan={scan_id}&s={session_id}"}
	hostile := answer{reportID: `R1&x=1#f"><script>`, sessionID: "../../?a=b"}
	u, err := url.Parse(c.link(hostile))
	if err != nil || u.Host != "console.example" || u.Fragment != "" || len(u.Query()) != 3 || u.Query().Get("id") != hostile.reportID {
		t.Errorf("link %q, %v", c.link(hostile), err)
	}
	if got := c.link(answer{scanID: "7"}); got != "https://console.example/r?id=R7&scan=7&s=" {
		t.Errorf("link %q", got)
	}
	if got := c.link(answer{sessionID: "s"}); got != "" {
		t.Errorf("a link to nothing: %q", got)
	}
	if got := c.link(answer{reportID: strings.Repeat("%", 400)}); got != "" {
		t.Errorf("a link of %d bytes", len(got))
	}
}
