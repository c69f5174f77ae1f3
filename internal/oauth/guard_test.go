package oauth

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestReachOf(t *testing.T) {
	for text, want := range map[string]reach{
		"93.184.216.34": public, "2606:4700::1": public, "64:ff9b::5db8:d822": public, "::ffff:93.184.216.34": public,
		"127.0.0.1": loopback, "127.255.0.9": loopback, "::1": loopback, "::ffff:127.0.0.1": loopback, "64:ff9b::7f00:1": loopback,
		"10.0.0.1": private, "172.31.255.255": private, "192.168.0.1": private, "100.64.0.1": private, "fd12::1": private, "64:ff9b::a00:1": private,
		"0.0.0.0": nowhere, "0.1.2.3": nowhere, "169.254.169.254": nowhere, "224.0.0.251": nowhere, "255.255.255.255": nowhere, "240.0.0.1": nowhere,
		"::": nowhere, "fe80::1": nowhere, "fe80::1%eth0": nowhere, "ff02::1": nowhere, "2002:7f00:1::": nowhere, "2001:0:1::": nowhere,
		"::7f00:1": nowhere, "fec0::1": nowhere, "192.0.0.8": nowhere, "198.18.0.1": nowhere, "203.0.113.1": nowhere, "64:ff9b::a9fe:a9fe": nowhere,
	} {
		if got := reachOf(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is %d, want %d", text, got, want)
		}
	}
	if reachOf(netip.Addr{}) != nowhere {
		t.Error("no address at all is somewhere")
	}
}

// How far requests go depends on where the configured server is.
func TestPermit(t *testing.T) {
	for _, tt := range []struct {
		server, address string
		want            bool
	}{
		{"mcp.example.com", "https://auth.example.com", true},
		{"mcp.example.com", "https://127.0.0.1", false},
		{"mcp.example.com", "https://10.0.0.1", false},
		{"localhost", "http://127.0.0.1:8080", true},
		{"127.0.0.1", "http://localhost:8080", true},
		{"127.0.0.1", "https://auth.example.com", true},
		{"127.0.0.1", "http://auth.example.com", false},
		{"127.0.0.1", "https://10.0.0.1", false},
		{"10.0.0.1", "https://10.0.0.2", true},
		{"10.0.0.1", "http://10.0.0.2", false},
		{"10.0.0.1", "https://127.0.0.1", false},
		{"10.0.0.1", "https://169.254.169.254", false},
	} {
		if _, err := newGuard(tt.server).parse(tt.address); (err == nil) != tt.want {
			t.Errorf("a server at %s, %s: %v", tt.server, tt.address, err)
		}
	}
}

// The real dialer asks the guard about the address that a name led to.
func TestDialIsGuarded(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	u, _ := url.Parse(s.URL)
	names := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server in tests")
	}}
	for _, server := range []string{"mcp.example.com", "10.0.0.1"} {
		g := newGuard(server)
		g.dialer.Resolver = names
		for _, host := range []string{"localhost", "127.0.0.1"} { // names of /etc/hosts need no name server
			if _, err := g.dial(t.Context(), "tcp", net.JoinHostPort(host, u.Port())); !errors.Is(err, errAddress) {
				t.Errorf("%s: %v", host, err)
			}
		}
		g.proxy(u.Host)
		conn, err := g.dial(t.Context(), "tcp", u.Host)
		if err != nil {
			t.Fatalf("a proxy that the user chose: %v", err)
		}
		conn.Close()
	}
	conn, err := newGuard("127.0.0.1").dial(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestProxyAddress(t *testing.T) {
	for raw, want := range map[string]string{
		"http://proxy": "proxy:80", "https://proxy": "proxy:443", "http://proxy:3128": "proxy:3128", "socks5://proxy": "proxy:1080",
	} {
		u, _ := url.Parse(raw)
		if got := proxyAddress(u); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"https://auth.example.com/authorize?x=1", "http://127.0.0.1:1/", "https://[::1]/", "https://a@b", "a:$(calc)", "https://0x7f.1", "https://a:99999",
	} {
		f.Add(s)
	}
	g := newGuard("mcp.example.com")
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := g.parse(raw)
		if err != nil {
			return
		}
		again, err := url.Parse(u.String())
		if err != nil || origin(again) != origin(u) {
			t.Fatalf("%q is read in two ways: %v", raw, err)
		}
		if u.Scheme != "https" || u.User != nil || u.Hostname() == "" {
			t.Fatalf("%q was accepted", raw)
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil && reachOf(ip) != public {
			t.Fatalf("%q was accepted", raw)
		}
		if strings.ContainsAny(u.String(), "\"'`\\ $();|<>#\r\n\x00") || strings.HasPrefix(u.String(), "-") {
			t.Fatalf("%q is not harmless", u)
		}
	})
}
