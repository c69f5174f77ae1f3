package oauth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The hosts of a world. All are real servers on this machine; the names and
// addresses are made up.
const (
	mcpHost   = "mcp.example.com"
	authHost  = "auth.example.com"
	evilHost  = "evil.example.com"
	mcpURL    = "https://" + mcpHost + "/mcp"
	issuerURL = "https://" + authHost
)

// Canaries are secrets of a world. They stand in no error and no log.
const (
	canaryAccess  = "canary-access-token"
	canaryRefresh = "canary-refresh-token"
	canaryCode    = "canary-authorization-code"
	canarySecret  = "canary-client-secret"
)

// world is an MCP server and an authorization server with a network between
// them that knows where every connection went.
type world struct {
	t    *testing.T
	pool *x509.CertPool
	logs *locked

	mu       sync.Mutex
	names    map[string]string // host to address
	real     map[string]string // address:port to the listener behind it
	dialled  []string          // addresses that passed the guard
	requests []string          // host, method and path of everything that arrived
	opened   []string          // pages given to the browser
	issued   int
	spent    map[string]bool // refresh tokens that were used
	forms    []url.Values    // of the token endpoint
	pkce     string
	scope    string

	// What the servers say; tests change it.
	challenge string
	resource  map[string]any
	metadata  map[string]any
	paths     map[string]http.HandlerFunc // host and path to another behaviour
	redirect  func(q url.Values)          // changes what the browser brings back
	grant     func(form url.Values, g map[string]any)
	accept    func(token string) (status int, challenge string)
}

type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, pool: x509.NewCertPool(), logs: &locked{}, names: map[string]string{}, real: map[string]string{}, spent: map[string]bool{},
		challenge: `Bearer resource_metadata="https://` + mcpHost + `/.well-known/oauth-protected-resource/mcp"`,
		resource:  map[string]any{"resource": mcpURL, "authorization_servers": []string{issuerURL}},
		metadata: map[string]any{
			"issuer": issuerURL, "authorization_endpoint": issuerURL + "/authorize", "token_endpoint": issuerURL + "/token",
			"registration_endpoint": issuerURL + "/register", "revocation_endpoint": issuerURL + "/revoke",
			"code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{"none"},
			"authorization_response_iss_parameter_supported": true,
		},
		paths:    map[string]http.HandlerFunc{},
		redirect: func(url.Values) {},
		grant:    func(url.Values, map[string]any) {},
	}
	w.accept = func(token string) (int, string) {
		if strings.HasPrefix(token, canaryAccess) {
			return http.StatusOK, ""
		}
		return http.StatusUnauthorized, w.challenge
	}
	w.host(mcpHost, "93.184.216.34", w.mcp)
	w.host(authHost, "93.184.216.35", w.auth)
	t.Cleanup(func() { w.noCanary("log", w.logs.String()) })
	return w
}

// host starts a server for a name.
func (w *world) host(name, address string, serve http.HandlerFunc) {
	w.t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.requests = append(w.requests, fmt.Sprintf("%s %s %s", name, r.Method, r.URL.Path))
		other := w.paths[name+r.URL.Path]
		w.mu.Unlock()
		if other != nil {
			other(rw, r)
			return
		}
		serve(rw, r)
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	w.t.Cleanup(s.Close)
	w.pool.AddCert(s.Certificate())
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names[name] = address
	w.real[address+":443"] = s.Listener.Addr().String()
}

// trap is a plain server at an address, which nobody may reach.
func (w *world) trap(address string) {
	w.t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.t.Errorf("a request reached %s: %s %s", address, r.Method, r.URL.Path)
	}))
	w.t.Cleanup(s.Close)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, port := range []string{":443", ":80"} {
		w.real[address+port] = s.Listener.Addr().String()
	}
}

// connect is the network: it resolves names, asks the dialer's control function
// as package net does, and leads to the servers of the world.
func (w *world) connect(ctx context.Context, d *net.Dialer, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	ip, known := w.names[host]
	w.mu.Unlock()
	if !known {
		if _, err := netip.ParseAddr(host); err != nil {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		ip = host
	}
	actual := net.JoinHostPort(ip, port)
	if err := d.ControlContext(ctx, "tcp", actual, nil); err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	w.mu.Lock()
	w.dialled = append(w.dialled, actual)
	to := w.real[ip+":"+port]
	w.mu.Unlock()
	if to == "" {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("refused")}
	}
	var plain net.Dialer
	return plain.DialContext(ctx, network, to)
}

// client makes a client in the world.
func (w *world) client(change func(*Options)) *Client {
	w.t.Helper()
	o := Options{
		Server: "github", URL: mcpURL, Dir: filepath.Join(w.t.TempDir(), "oauth"), Storage: File,
		Log: slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	c.wire.guard.connect = w.connect
	w.trust(c.wire.client)
	return c
}

// trust lets a client believe the certificates of the world.
func (w *world) trust(c *http.Client) {
	t, ok := c.Transport.(*http.Transport)
	if !ok {
		w.t.Fatal("not a transport")
	}
	t.TLSClientConfig = &tls.Config{RootCAs: w.pool, MinVersion: tls.VersionTLS12}
}

// dialogue is a person who agrees to everything.
func (w *world) dialogue() Dialogue {
	browser := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: w.pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, _ := net.SplitHostPort(address)
			w.mu.Lock()
			if ip, known := w.names[host]; known {
				address = w.real[ip+":443"]
			}
			w.mu.Unlock()
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		},
		DisableKeepAlives: true,
	}}
	return Dialogue{Open: func(ctx context.Context, address string) error {
		w.mu.Lock()
		w.opened = append(w.opened, address)
		w.mu.Unlock()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return err
		}
		resp, err := browser.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}}
}

func (w *world) mcp(rw http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/mcp":
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		status, challenge := w.accept(token)
		if challenge != "" {
			rw.Header().Set("WWW-Authenticate", challenge)
		}
		rw.WriteHeader(status)
	case "/.well-known/oauth-protected-resource/mcp":
		writeJSON(rw, http.StatusOK, w.resource)
	default:
		http.NotFound(rw, r)
	}
}

func (w *world) auth(rw http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	switch r.URL.Path {
	case "/.well-known/oauth-authorization-server":
		writeJSON(rw, http.StatusOK, w.metadata)
	case "/register":
		writeJSON(rw, http.StatusCreated, map[string]any{"client_id": "client-1"})
	case "/authorize":
		w.authorize(rw, r)
	case "/token":
		w.token(rw, r)
	case "/revoke":
		rw.WriteHeader(http.StatusOK)
	default:
		http.NotFound(rw, r)
	}
}

func (w *world) authorize(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	w.mu.Lock()
	w.pkce, w.scope = q.Get("code_challenge"), q.Get("scope")
	w.mu.Unlock()
	back := url.Values{"code": {canaryCode}, "state": {q.Get("state")}, "iss": {issuerURL}}
	w.redirect(back)
	http.Redirect(rw, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (w *world) token(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forms = append(w.forms, r.PostForm)
	form := r.PostForm
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case form.Get("resource") != w.resource["resource"]:
		writeJSON(rw, http.StatusBadRequest, map[string]any{"error": "invalid_target"})
		return
	case form.Get("grant_type") == "authorization_code" &&
		(form.Get("code") != canaryCode || base64.RawURLEncoding.EncodeToString(sum[:]) != w.pkce),
		form.Get("grant_type") == "refresh_token" && w.spent[form.Get("refresh_token")]:
		// What it was given stands in what it says, as an echoing server would.
		writeJSON(rw, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": form.Encode()})
		return
	}
	w.spent[form.Get("refresh_token")] = true
	w.issued++
	g := map[string]any{
		"access_token": fmt.Sprintf("%s-%d", canaryAccess, w.issued), "token_type": "Bearer", "expires_in": 3600,
		"refresh_token": fmt.Sprintf("%s-%d", canaryRefresh, w.issued),
	}
	w.grant(form, g)
	writeJSON(rw, http.StatusOK, g)
}

// login runs a login that must work.
func (w *world) login(c *Client) *Outcome {
	w.t.Helper()
	out, err := c.Login(w.t.Context(), w.dialogue())
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// noCanary fails when a text holds a secret.
func (w *world) noCanary(what, text string) {
	w.t.Helper()
	if strings.Contains(text, "canary-") {
		w.t.Errorf("the %s holds a secret: %s", what, text)
	}
}

// reached lists what arrived at a host.
func (w *world) reached(host string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.requests), func(s string) bool { return !strings.HasPrefix(s, host+" ") })
}

func writeJSON(rw http.ResponseWriter, status int, v any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(v)
}
