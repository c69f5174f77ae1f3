package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLogin(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	before, err := c.Authorization(t.Context())
	if before != "" || err != nil {
		t.Fatalf("a token before any login: %q, %v", before, err)
	}
	var asked Request
	d := w.dialogue()
	d.Show = func(r Request) {
		if len(w.opened) > 0 {
			t.Error("the browser was opened before anything was shown")
		}
		asked = r
	}
	out, err := c.Login(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if !out.Accepted || !out.Renewable || out.Stored != File || out.Issuer != issuerURL || out.Expires.IsZero() {
		t.Errorf("outcome %+v", out)
	}
	if asked.Host != authHost || asked.Server != "github" || asked.Issuer != issuerURL || asked.URL != w.opened[0] {
		t.Errorf("shown %+v", asked)
	}
	page, err := url.Parse(w.opened[0])
	if err != nil {
		t.Fatal(err)
	}
	q := page.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "client-1", "code_challenge_method": "S256", "resource": mcpURL, "scope": "",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	if !strings.HasPrefix(q.Get("redirect_uri"), "http://127.0.0.1:") || len(q.Get("state")) < 22 {
		t.Errorf("page %v", q)
	}
	got, err := c.Authorization(t.Context())
	if got == "" || err != nil {
		// Within the interval the file is not looked at again: another client is
		// a process of its own.
		if got, err = w.another(c).Authorization(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got != "Bearer "+canaryAccess+"-1" {
		t.Errorf("authorization %q", got)
	}
}

// another returns a client of the same server and directory, as another
// process would have it.
func (w *world) another(c *Client) *Client {
	return w.client(func(o *Options) { *o = c.o })
}

// Whoever may say where things are is listened to, in the order of the
// specification.
func TestDiscovery(t *testing.T) {
	metadataAt := func(w *world, id string, paths ...string) {
		w.paths[authHost+"/.well-known/oauth-authorization-server"] = http.NotFound
		w.metadata["issuer"] = id
		w.resource["authorization_servers"] = []string{id}
		for _, path := range paths {
			w.paths[authHost+path] = func(rw http.ResponseWriter, _ *http.Request) { writeJSON(rw, http.StatusOK, w.metadata) }
		}
		w.redirect = func(q url.Values) { q.Set("iss", id) }
	}
	resourceAt := func(w *world, path, id string) {
		w.challenge = "Bearer"
		w.paths[mcpHost+"/.well-known/oauth-protected-resource/mcp"] = http.NotFound
		w.resource["resource"] = id
		w.paths[mcpHost+path] = func(rw http.ResponseWriter, _ *http.Request) { writeJSON(rw, http.StatusOK, w.resource) }
	}
	for name, prepare := range map[string]func(w *world){
		"no challenge, well-known with path": func(w *world) { w.challenge = "" },
		"well-known of the root":             func(w *world) { resourceAt(w, "/.well-known/oauth-protected-resource", "https://"+mcpHost) },
		"anywhere on the server's origin": func(w *world) {
			resourceAt(w, "/meta/x.json", mcpURL)
			w.challenge = `Bearer resource_metadata="https://` + mcpHost + `/meta/x.json"`
		},
		"a page where the metadata could be": func(w *world) {
			resourceAt(w, "/.well-known/oauth-protected-resource", "https://"+mcpHost+"/")
			w.paths[mcpHost+"/.well-known/oauth-protected-resource/mcp"] = func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", "text/html")
			}
		},
		"OpenID Connect":                func(w *world) { metadataAt(w, issuerURL, "/.well-known/openid-configuration") },
		"OAuth, path inserted":          func(w *world) { metadataAt(w, issuerURL+"/t1", "/.well-known/oauth-authorization-server/t1") },
		"OpenID Connect, path inserted": func(w *world) { metadataAt(w, issuerURL+"/t1", "/.well-known/openid-configuration/t1") },
		"OpenID Connect, path appended": func(w *world) { metadataAt(w, issuerURL+"/t1", "/t1/.well-known/openid-configuration") },
		"a slash more":                  func(w *world) { w.resource["authorization_servers"] = []string{issuerURL + "/"} },
		"a redirect within the origin": func(w *world) {
			w.paths[authHost+"/.well-known/oauth-authorization-server"] = func(rw http.ResponseWriter, r *http.Request) {
				http.Redirect(rw, r, "/moved", http.StatusMovedPermanently)
			}
			w.paths[authHost+"/moved"] = func(rw http.ResponseWriter, _ *http.Request) { writeJSON(rw, http.StatusOK, w.metadata) }
		},
		"revision 2025-03-26": func(w *world) {
			w.challenge = ""
			w.paths[mcpHost+"/.well-known/oauth-protected-resource/mcp"] = http.NotFound
			own := "https://" + mcpHost
			w.metadata["issuer"] = own
			for _, e := range []string{"authorization", "token", "registration"} {
				w.metadata[e+"_endpoint"] = strings.Replace(w.metadata[e+"_endpoint"].(string), authHost, mcpHost, 1)
			}
			delete(w.metadata, "revocation_endpoint")
			w.paths[mcpHost+"/.well-known/oauth-authorization-server"] = func(rw http.ResponseWriter, _ *http.Request) {
				writeJSON(rw, http.StatusOK, w.metadata)
			}
			for _, path := range []string{"/authorize", "/token", "/register"} {
				w.paths[mcpHost+path] = w.auth
			}
			w.redirect = func(q url.Values) { q.Set("iss", own) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			prepare(w)
			if out := w.login(w.client(nil)); !out.Accepted {
				t.Errorf("outcome %+v", out)
			}
		})
	}
}

// How the relay shows who it is.
func TestIdentity(t *testing.T) {
	for _, tt := range []struct {
		name     string
		prepare  func(w *world)
		options  func(o *Options)
		clientID string
		method   string
	}{
		{"registered by hand, public", nil, func(o *Options) { o.ClientID = "mine" }, "mine", authNone},
		{
			"registered by hand, with a secret",
			func(w *world) { delete(w.metadata, "token_endpoint_auth_methods_supported") },
			func(o *Options) { o.ClientID, o.ClientSecret, o.Issuer = "mine", canarySecret, issuerURL },
			"mine", authBasic,
		},
		{
			"secret in the form",
			func(w *world) { w.metadata["token_endpoint_auth_methods_supported"] = []string{authPost} },
			func(o *Options) { o.ClientID, o.ClientSecret, o.Issuer = "mine", canarySecret, issuerURL },
			"mine", authPost,
		},
		{
			"metadata document",
			func(w *world) { w.metadata["client_id_metadata_document_supported"] = true },
			func(o *Options) { o.ClientMetadataURL = "https://relay.example.com/client.json" },
			"https://relay.example.com/client.json", authNone,
		},
		{
			"metadata document that is not taken", nil,
			func(o *Options) { o.ClientMetadataURL = "https://relay.example.com/client.json" }, "client-1", authNone,
		},
		{
			"registered with a secret",
			func(w *world) {
				w.metadata["token_endpoint_auth_methods_supported"] = []string{authBasic}
				w.paths[authHost+"/register"] = func(rw http.ResponseWriter, r *http.Request) {
					writeJSON(rw, http.StatusCreated, map[string]any{"client_id": "new", "client_secret": canarySecret})
				}
			}, nil, "new", authBasic,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			var id, method string
			w.paths[authHost+"/token"] = func(rw http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				id, method = r.PostForm.Get("client_id"), authNone
				if r.PostForm.Has("client_secret") {
					method = authPost
				}
				if user, password, ok := r.BasicAuth(); ok {
					if password != canarySecret || r.PostForm.Has("client_secret") {
						t.Error("a secret that is wrong, or there twice")
					}
					id, method = user, authBasic
				}
				w.token(rw, r)
			}
			if tt.prepare != nil {
				tt.prepare(w)
			}
			w.login(w.client(tt.options))
			if id != tt.clientID || method != tt.method {
				t.Errorf("client %q by %q, want %q by %q", id, method, tt.clientID, tt.method)
			}
		})
	}
}

// A registration says what the relay is.
func TestRegistration(t *testing.T) {
	w := newWorld(t)
	var sent map[string]any
	w.paths[authHost+"/register"] = func(rw http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		writeJSON(rw, http.StatusCreated, map[string]any{"client_id": "client-1"})
	}
	w.login(w.client(nil))
	redirects, _ := sent["redirect_uris"].([]any)
	if sent["application_type"] != "native" || sent["token_endpoint_auth_method"] != authNone || len(redirects) != 1 {
		t.Errorf("registered %v", sent)
	}
	page, _ := url.Parse(w.opened[0])
	if page.Query().Get("redirect_uri") != redirects[0] {
		t.Error("another redirect was registered than is used")
	}
}

func TestScopes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(w *world)
		options func(o *Options)
		want    string
	}{
		{"none known", nil, nil, ""},
		{"all that are supported", func(w *world) { w.resource["scopes_supported"] = []string{"a", "b"} }, nil, "a b"},
		{"the challenge before the supported ones", func(w *world) {
			w.challenge += `, scope="c d"`
			w.resource["scopes_supported"] = []string{"a", "b"}
		}, nil, "c d"},
		{"what the user wrote before all", func(w *world) { w.challenge += `, scope="c d"` }, func(o *Options) { o.Scopes = []string{"mine"} }, "mine"},
		{"refreshing where it is possible", func(w *world) {
			w.metadata["scopes_supported"] = []string{"offline_access"}
			w.challenge += `, scope="c"`
		}, nil, "c offline_access"},
		{"what cannot be a scope is left out", func(w *world) {
			w.resource["scopes_supported"] = []string{"a", "b\x1b", "c d", "", `"`, "a", "e"}
		}, nil, "a e"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			if tt.prepare != nil {
				tt.prepare(w)
			}
			w.login(w.client(tt.options))
			if w.scope != tt.want {
				t.Errorf("asked for %q, want %q", w.scope, tt.want)
			}
		})
	}
}

// A server that wants more than it said gets one more login, not a loop.
func TestStepUpWithinALogin(t *testing.T) {
	w := newWorld(t)
	w.challenge += `, scope="read"`
	w.accept = func(token string) (int, string) {
		if token == "" {
			return http.StatusUnauthorized, w.challenge
		}
		return http.StatusForbidden, `Bearer error="insufficient_scope", scope="write` + strings.Repeat("r", len(w.opened)) + `"`
	}
	out := w.login(w.client(nil))
	if len(w.opened) != 2 || w.scope != "read writer" || out.Accepted {
		t.Errorf("%d pages, scopes %q, %+v", len(w.opened), w.scope, out)
	}
}

// What a running relay could not do for lack of rights is asked for by the next
// login, beside what was granted before.
func TestStepUpAfterARefusal(t *testing.T) {
	w := newWorld(t)
	w.challenge += `, scope="read"`
	c := w.client(nil)
	w.login(c)
	running := w.another(c)
	if _, err := running.Authorization(t.Context()); err != nil {
		t.Fatal(err)
	}
	refusal := []string{`Bearer error="insufficient_scope", scope="write"`}
	for range 3 {
		if running.Refused(t.Context(), http.StatusForbidden, refusal) {
			t.Error("a request without the rights is to be tried again")
		}
	}
	if n := strings.Count(w.logs.String(), "relay login github"); n != 1 {
		t.Errorf("the log names the command %d times:\n%s", n, w.logs)
	}
	if len(w.opened) != 1 {
		t.Fatal("a running relay opened a page")
	}
	w.login(c)
	if w.scope != "read write" {
		t.Errorf("asked for %q", w.scope)
	}
	if !running.Refused(t.Context(), http.StatusForbidden, refusal) {
		t.Error("the new login is not used")
	}
	if n := c.store.readNote(); len(n.StepUp) != 0 {
		t.Errorf("the note stays: %+v", n)
	}
}

func TestClientCredentials(t *testing.T) {
	w := newWorld(t)
	delete(w.metadata, "code_challenge_methods_supported") // nobody needs it here
	delete(w.metadata, "authorization_endpoint")
	w.metadata["token_endpoint_auth_methods_supported"] = []string{authBasic}
	c := w.client(func(o *Options) {
		o.Grant, o.ClientID, o.ClientSecret, o.Issuer, o.Scopes = ClientCredentials, "mine", canarySecret, issuerURL, []string{"a"}
	})
	got, err := c.Authorization(t.Context())
	if err != nil || got != "Bearer "+canaryAccess+"-1" {
		t.Fatalf("%q, %v", got, err)
	}
	if f := w.forms[0]; f.Get("grant_type") != "client_credentials" || f.Get("scope") != "a" || f.Get("resource") != mcpURL {
		t.Errorf("form %v", f)
	}
	if r, err := c.store.load(t.Context()); err != nil || r.ClientSecret != "" || r.Refresh != "" {
		t.Errorf("stored %+v, %v", r, err)
	}
	if !c.Refused(t.Context(), http.StatusUnauthorized, []string{"Bearer"}) {
		t.Error("no token is tried again")
	}
	if len(w.opened) > 0 {
		t.Error("a page was opened")
	}
}

// Where the metadata is can only be known from the refusal.
func TestClientCredentialsAfterARefusal(t *testing.T) {
	w := newWorld(t)
	w.paths[mcpHost+"/.well-known/oauth-protected-resource/mcp"] = http.NotFound
	w.paths[mcpHost+"/meta"] = func(rw http.ResponseWriter, _ *http.Request) { writeJSON(rw, http.StatusOK, w.resource) }
	w.metadata["token_endpoint_auth_methods_supported"] = []string{authBasic}
	w.resource["resource"] = "https://" + mcpHost
	c := w.client(func(o *Options) {
		o.Grant, o.ClientID, o.ClientSecret, o.Issuer = ClientCredentials, "mine", canarySecret, issuerURL
	})
	if got, err := c.Authorization(t.Context()); got != "" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if !c.Refused(t.Context(), http.StatusUnauthorized, []string{`Bearer resource_metadata="https://` + mcpHost + `/meta"`}) {
		t.Fatal("not tried again")
	}
	if got, err := c.Authorization(t.Context()); got == "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	w.age(c, 2*time.Hour)
	if got, err := w.another(c).Authorization(t.Context()); got == "" || err != nil {
		t.Errorf("after the end of the first: %q, %v", got, err)
	}
}

func TestLogout(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	if known, err := c.Logout(t.Context()); known || err != nil {
		t.Errorf("before the login: %v, %v", known, err)
	}
	w.login(c)
	known, err := c.Logout(t.Context())
	if !known || err != nil {
		t.Fatalf("%v, %v", known, err)
	}
	if n := len(slices.DeleteFunc(w.reached(authHost), func(s string) bool { return !strings.HasSuffix(s, "/revoke") })); n != 2 {
		t.Errorf("%d tokens were revoked", n)
	}
	if got, err := w.another(c).Authorization(t.Context()); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNobodyLogsIn(t *testing.T) {
	w := newWorld(t)
	d := Dialogue{Timeout: 10 * time.Millisecond}
	if _, err := w.client(nil).Login(t.Context(), d); !errors.Is(err, errLate) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	d = Dialogue{Open: func(context.Context, string) error { cancel(); return nil }}
	if _, err := w.client(nil).Login(ctx, d); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
