package downstream

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestEndpoint(t *testing.T) {
	for _, tt := range []struct{ base, said, want string }{
		{"https://h/sse?key=secret", "/messages?sessionId=1", "https://h/messages?sessionId=1"},
		{"https://h/a/sse", "messages", "https://h/a/messages"},
		{"https://h/a/sse", "?session=1", "https://h/a/sse?session=1"},
		{"https://h:443/sse", "https://H/m#f", "https://H/m"},
		{"http://h/sse", "http://h:80/m", "http://h:80/m"},
		{"http://[::1]:8080/sse", "http://[::1]:8080/m", "http://[::1]:8080/m"},
		{"https://h/sse", "//evil/m", ""},
		{"https://h/sse", "https://evil/m", ""},
		{"https://h/sse", "https://h.evil/m", ""},
		{"https://h/sse", "https://h:444/m", ""},
		{"https://h/sse", "http://h:443/m", ""},
		{"https://h/sse", "https://user:pw@h/m", ""},
		{"https://h/sse", "https:m", ""},
		{"https://h/sse", "javascript:alert(1)", ""},
		{"https://h/sse", "file:///etc/passwd", ""},
		{"https://h/sse", "/a\x00b", ""},
		{"https://h/sse", "/a\nb", ""},
		{"https://h/sse", "/\u202e", ""},
		{"https://h/sse", "%zz", ""},
		{"https://h/sse", "", ""},
		{"https://h/sse", strings.Repeat("a", 5000), ""},
	} {
		base, err := checkURL(tt.base, true)
		if err != nil && !errors.Is(err, errPlain) {
			t.Fatal(err)
		}
		if errors.Is(err, errPlain) {
			base, _ = url.Parse(tt.base)
		}
		got, err := endpointAt(base, tt.said)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q at %s: got %q, %v, want %q", tt.said, tt.base, got, err, tt.want)
		}
	}
}

// FuzzEndpoint: wherever a server sends messages, it is a place of its own.
func FuzzEndpoint(f *testing.F) {
	for _, seed := range []string{"/m", "m?x=1", "//evil", "https://h:443/x", "https:x", "\\\\evil\\", "http://h@evil/", "/%2f..//evil", "https://h\\@evil/", "#"} {
		f.Add(seed)
	}
	base, err := url.Parse("https://h/a/sse?key=secret")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, said string) {
		at, err := endpointAt(base, said)
		if err != nil {
			if !errors.Is(err, errEndpoint) || at != "" {
				t.Fatalf("%q: %q, %v", said, at, err)
			}
			return
		}
		req, err := http.NewRequest(http.MethodPost, at, http.NoBody)
		if err != nil {
			t.Fatalf("%q leads to %q, which is no address: %v", said, at, err)
		}
		host, port := req.URL.Hostname(), req.URL.Port()
		if req.URL.Scheme != "https" || !strings.EqualFold(host, "h") || (port != "" && port != "443") || req.URL.User != nil {
			t.Fatalf("%q leads to %s", said, at)
		}
	})
}
