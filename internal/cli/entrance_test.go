package cli

import (
	"testing"

	"github.com/mcp-relay/relay/internal/config"
)

func TestEntranceURL(t *testing.T) {
	certified := config.TLS{Cert: "/c", Key: "/k"}
	for _, test := range []struct {
		http config.HTTP
		want string
	}{
		{config.HTTP{Listen: "127.0.0.1:8000"}, "http://127.0.0.1:8000/mcp"},
		{config.HTTP{Listen: "localhost:80"}, "http://localhost:80/mcp"},
		{config.HTTP{Listen: "[::1]:8000", TLS: certified}, "https://[::1]:8000/mcp"},
		{config.HTTP{Listen: ":8443", TLS: certified}, "https://127.0.0.1:8443/mcp"},
		{config.HTTP{Listen: "[::]:8443", TLS: certified, AllowedHosts: []string{"a.example", "b"}}, "https://a.example:8443/mcp"},
		{config.HTTP{Listen: "0.0.0.0:8443", TLS: certified, AllowedHosts: []string{"a.example:443"}}, "https://a.example:443/mcp"},
		{config.HTTP{Listen: "0.0.0.0:8000", Insecure: true, AllowedHosts: []string{"a.example"}}, "https://a.example/mcp"},
		{config.HTTP{Listen: "192.0.2.1:8443", TLS: certified, AllowedHosts: []string{"a.example"}}, "https://192.0.2.1:8443/mcp"},
	} {
		test.http.Path = "/mcp"
		if got := (&entrance{test.http}).url(); got != test.want {
			t.Errorf("%+v: %s, want %s", test.http, got, test.want)
		}
	}
}
