package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Every way in which a server or an authorization server could use the relay
// against its user ends the login: no request reaches the forbidden place, no
// browser is opened, and no code and no token leaves.
func TestHostileServers(t *testing.T) {
	type stage int
	const (
		nothingAsked stage = iota // not even the authorization server's metadata
		nothingSent               // nothing was registered, opened or redeemed
		notRedeemed               // the browser was opened; the code stays
		notStored                 // no token is kept
	)
	metadata := func(name string, value any) func(w *world) {
		return func(w *world) { w.metadata[name] = value }
	}
	issuer := func(id string) func(w *world) {
		return func(w *world) { w.resource["authorization_servers"] = []string{id} }
	}
	moved := func(host, path, to string, status int) func(w *world) {
		return func(w *world) {
			w.paths[host+path] = func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, to, status) }
		}
	}
	rebind := func(host, address string) func(w *world) {
		return func(w *world) {
			w.names[host] = address
			w.resource["authorization_servers"] = []string{"https://" + host}
		}
	}
	type attack struct {
		prepare func(w *world)
		stage   stage
		want    error // nil: any
	}
	attacks := map[string]attack{
		"issuer of another metadata": {metadata("issuer", "https://"+evilHost), nothingSent, errIssuer},
		"issuer of another path":     {metadata("issuer", issuerURL+"/tenant"), nothingSent, errIssuer},
		"issuer in other case":       {metadata("issuer", "https://AUTH.example.com"), nothingSent, errIssuer},
		"no issuer":                  {metadata("issuer", nil), nothingSent, errIssuer},
		"a resource elsewhere":       {func(w *world) { w.resource["resource"] = "https://" + evilHost + "/mcp" }, nothingAsked, errResource},
		"a resource beside":          {func(w *world) { w.resource["resource"] = "https://" + mcpHost + "/mc" }, nothingAsked, errResource},
		"a resource below":           {func(w *world) { w.resource["resource"] = mcpURL + "/x" }, nothingAsked, errResource},
		"a resource with a fragment": {func(w *world) { w.resource["resource"] = mcpURL + "#x" }, nothingAsked, errResource},
		"no resource":                {func(w *world) { delete(w.resource, "resource") }, nothingAsked, errResource},
		"no issuers":                 {func(w *world) { delete(w.resource, "authorization_servers") }, nothingAsked, errNoResource},

		"no PKCE":            {func(w *world) { delete(w.metadata, "code_challenge_methods_supported") }, nothingSent, errPKCE},
		"PKCE without S256":  {metadata("code_challenge_methods_supported", []string{"plain"}), nothingSent, errPKCE},
		"PKCE in lower case": {metadata("code_challenge_methods_supported", []string{"s256"}), nothingSent, errPKCE},

		"token endpoint elsewhere":         {metadata("token_endpoint", "https://"+evilHost+"/token"), nothingSent, errForeign},
		"registration elsewhere":           {metadata("registration_endpoint", "https://"+evilHost+"/register"), nothingSent, errForeign},
		"page elsewhere":                   {metadata("authorization_endpoint", "https://"+evilHost+"/authorize"), nothingSent, errForeign},
		"revocation elsewhere":             {metadata("revocation_endpoint", "https://"+evilHost+"/revoke"), nothingSent, errForeign},
		"token endpoint at another port":   {metadata("token_endpoint", issuerURL+":8443/token"), nothingSent, errForeign},
		"token endpoint in plain http":     {metadata("token_endpoint", "http://"+authHost+"/token"), nothingSent, errPlain},
		"token endpoint with a user":       {metadata("token_endpoint", "https://"+authHost+"@"+evilHost+"/token"), nothingSent, errUserinfo},
		"no token endpoint":                {metadata("token_endpoint", ""), nothingSent, errNoEndpoint},
		"no page":                          {metadata("authorization_endpoint", ""), nothingSent, errNoEndpoint},
		"metadata that moved elsewhere":    {moved(authHost, "/.well-known/oauth-authorization-server", "https://"+evilHost+"/x", 302), nothingSent, errNoIssuer},
		"metadata that moved to http":      {moved(authHost, "/.well-known/oauth-authorization-server", "http://"+authHost+"/x", 301), nothingSent, errNoIssuer},
		"metadata that moved to a port":    {moved(authHost, "/.well-known/oauth-authorization-server", issuerURL+":8443/x", 308), nothingSent, errNoIssuer},
		"resource metadata that moved":     {moved(mcpHost, "/.well-known/oauth-protected-resource/mcp", "https://"+evilHost+"/x", 307), nothingAsked, nil},
		"metadata that moves for ever":     {moved(authHost, "/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server", 302), nothingSent, errNoIssuer},
		"a registration that moved":        {moved(authHost, "/register", "https://"+evilHost+"/register", 307), nothingSent, errRegistration},
		"a token endpoint that moved, 307": {moved(authHost, "/token", "https://"+evilHost+"/token", 307), notStored, errNoToken},
		"a token endpoint that moved, 303": {moved(authHost, "/token", "/elsewhere", 303), notStored, errNoToken},
		"a token endpoint that moved, 308": {moved(authHost, "/token", "/elsewhere", 308), notStored, errNoToken},

		"loopback":           {issuer("https://127.0.0.1"), nothingAsked, errAddress},
		"loopback by name":   {issuer("https://localhost"), nothingAsked, errAddress},
		"loopback, IPv6":     {issuer("https://[::1]"), nothingAsked, errAddress},
		"private":            {issuer("https://10.0.0.1"), nothingAsked, errAddress},
		"private, IPv6":      {issuer("https://[fd00::1]"), nothingAsked, errAddress},
		"carrier-grade NAT":  {issuer("https://100.64.0.1"), nothingAsked, errAddress},
		"cloud metadata":     {issuer("https://169.254.169.254"), nothingAsked, errAddress},
		"link-local, IPv6":   {issuer("https://[fe80::1]"), nothingAsked, errAddress},
		"zone":               {issuer("https://[fe80::1%25eth0]"), nothingAsked, errHost},
		"multicast":          {issuer("https://224.0.0.1"), nothingAsked, errAddress},
		"unspecified":        {issuer("https://0.0.0.0"), nothingAsked, errAddress},
		"v4-mapped":          {issuer("https://[::ffff:127.0.0.1]"), nothingAsked, errHost},
		"v4-mapped in hex":   {issuer("https://[::ffff:7f00:1]"), nothingAsked, errHost},
		"NAT64 of loopback":  {issuer("https://[64:ff9b::7f00:1]"), nothingAsked, errAddress},
		"6to4 of loopback":   {issuer("https://[2002:7f00:1::]"), nothingAsked, errAddress},
		"decimal":            {issuer("https://2130706433"), nothingAsked, errHost},
		"octal":              {issuer("https://0177.0.0.1"), nothingAsked, errHost},
		"hexadecimal":        {issuer("https://0x7f.0.0.1"), nothingAsked, errHost},
		"hexadecimal, short": {issuer("https://0x7f000001"), nothingAsked, errHost},
		"short":              {issuer("https://127.1"), nothingAsked, errHost},
		"full-width":         {issuer("https://１２７.0.0.1"), nothingAsked, errURL},
		"escaped":            {issuer("https://%31%32%37.0.0.1"), nothingAsked, nil},
		"trailing dot":       {issuer("https://localhost."), nothingAsked, errHost},

		"a name of this machine":   {rebind("here.example.com", "127.0.0.1"), nothingAsked, errAddress},
		"a name of the network":    {rebind("near.example.com", "192.168.1.1"), nothingAsked, errAddress},
		"a name of cloud metadata": {rebind("meta.example.com", "169.254.169.254"), nothingAsked, errAddress},
		"a name in v4-mapped form": {rebind("mapped.example.com", "::ffff:10.0.0.1"), nothingAsked, errAddress},
		"a name that changes":      {rebindLater("127.0.0.1"), notStored, errAddress},

		"challenge to the cloud metadata": {func(w *world) {
			w.challenge = `Bearer resource_metadata="https://169.254.169.254/latest"`
			delete(w.resource, "resource")
		}, nothingAsked, errResource},
		"challenge to another host": {func(w *world) {
			w.challenge = `Bearer resource_metadata="https://` + evilHost + `/x"`
			delete(w.resource, "resource")
		}, nothingAsked, errResource},

		"iss of another server":      {func(w *world) { w.redirect = func(q url.Values) { q.Set("iss", "https://"+evilHost) } }, notRedeemed, errIss},
		"iss with a slash":           {func(w *world) { w.redirect = func(q url.Values) { q.Set("iss", issuerURL+"/") } }, notRedeemed, errIss},
		"no iss although announced":  {func(w *world) { w.redirect = func(q url.Values) { q.Del("iss") } }, notRedeemed, errNoIss},
		"an empty iss":               {func(w *world) { w.redirect = func(q url.Values) { q.Set("iss", "") } }, notRedeemed, errIss},
		"two of iss":                 {func(w *world) { w.redirect = func(q url.Values) { q.Add("iss", issuerURL) } }, notRedeemed, errRepeated},
		"two codes":                  {func(w *world) { w.redirect = func(q url.Values) { q.Add("code", "x") } }, notRedeemed, errRepeated},
		"no code":                    {func(w *world) { w.redirect = func(q url.Values) { q.Del("code") } }, notRedeemed, errNoCode},
		"a refusal in its own words": {func(w *world) { w.redirect = func(q url.Values) { q.Set("error", "\x1b[31m"+canaryCode) } }, notRedeemed, nil},
		"wrong iss, not announced": {func(w *world) {
			delete(w.metadata, "authorization_response_iss_parameter_supported")
			w.redirect = func(q url.Values) { q.Set("iss", "https://"+evilHost) }
		}, notRedeemed, errIss},

		"metadata without end":     {endless(authHost, "/.well-known/oauth-authorization-server"), nothingSent, errTooLarge},
		"resource without end":     {endless(mcpHost, "/.well-known/oauth-protected-resource/mcp"), nothingAsked, errTooLarge},
		"registration without end": {endless(authHost, "/register"), nothingSent, errTooLarge},
		"token without end":        {endless(authHost, "/token"), notStored, errTooLarge},
		"names that count twice":   {raw(authHost, "/.well-known/oauth-authorization-server", `{"issuer":"`+issuerURL+`","issuer":"x"}`), nothingSent, errMetadata},
		"a list for an object":     {raw(authHost, "/.well-known/oauth-authorization-server", `[]`), nothingSent, errMetadata},

		"a token with a line end":     {grantOf("access_token", "x\r\nX: y"), notStored, errNoToken},
		"a token of another type":     {grantOf("token_type", "DPoP"), notStored, errTokenType},
		"no token":                    {grantOf("access_token", ""), notStored, errNoToken},
		"a client id with a line end": {raw(authHost, "/register", `{"client_id":"x\r\ny"}`), nothingSent, errMetadata},
		"a client that signs":         {raw(authHost, "/register", `{"client_id":"x","token_endpoint_auth_method":"private_key_jwt"}`), nothingSent, errAuthMethod},
	}
	// What a browser, or a shell, must not get.
	for _, page := range []string{
		"a:$(calc)", "file:///etc/passwd", "-flag", "--remote=x", "javascript:alert(1)", "data:text/html,x", "ms-settings:", "//" + authHost,
		issuerURL + "/a\r\nb", issuerURL + "/a\nb", issuerURL + "/a\x00", issuerURL + `/a"b`, issuerURL + "/a'b", issuerURL + "/a`id`",
		issuerURL + "/$(calc)", issuerURL + "/a;b", issuerURL + "/a|b", issuerURL + "/a b", issuerURL + `/a\b`, issuerURL + "/a<b",
		issuerURL + "/\u202egpj", issuerURL + "/#x", issuerURL + ":/a", "https:" + authHost, "https:///x", "http://" + authHost + "/authorize",
		issuerURL + "/" + strings.Repeat("a", maxURL), "HTTPS:\\" + authHost, " " + issuerURL, "%68ttps://" + authHost,
	} {
		attacks["page "+page[:min(len(page), 60)]] = attack{metadata("authorization_endpoint", page), nothingSent, nil}
	}
	for name, a := range attacks {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.host(evilHost, "93.184.216.66", func(http.ResponseWriter, *http.Request) {})
			for _, address := range []string{"127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]"} {
				w.trap(strings.Trim(address, "[]"))
			}
			a.prepare(w)
			c := w.client(nil)
			d := w.dialogue()
			d.Timeout = 5 * time.Second
			out, err := c.Login(t.Context(), d)
			if err == nil {
				t.Fatalf("it worked: %+v", out)
			}
			if a.want != nil && !errors.Is(err, a.want) {
				t.Errorf("%v, want %v", err, a.want)
			}
			w.noCanary("error", err.Error())
			if strings.ContainsAny(err.Error(), "\r\n\x1b\x00\u202e") {
				t.Errorf("the error holds what a terminal would act on: %q", err)
			}
			if got := w.reached(evilHost); len(got) > 0 {
				t.Errorf("it was asked: %v", got)
			}
			if r, _ := c.store.load(t.Context()); r != nil {
				t.Errorf("it is kept: %+v", r)
			}
			asked := w.reached(authHost)
			if a.stage == nothingAsked && len(asked) > 0 {
				t.Errorf("asked: %v", asked)
			}
			if a.stage <= nothingSent && len(w.opened) > 0 {
				t.Errorf("opened: %v", w.opened)
			}
			if a.stage <= notRedeemed && len(w.forms) > 0 {
				t.Errorf("sent: %d forms", len(w.forms))
			}
		})
	}
}

// rebindLater has a name lead to another address once the browser was there.
func rebindLater(address string) func(w *world) {
	return func(w *world) {
		w.redirect = func(url.Values) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.names[authHost] = address
		}
	}
}

// endless answers with a gigabyte.
func endless(host, path string) func(w *world) {
	return func(w *world) {
		w.paths[host+path] = func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			chunk := []byte(strings.Repeat(" ", 1<<20))
			sent := 0
			for range 1024 {
				n, err := rw.Write(chunk)
				if sent += n; err != nil {
					break
				}
			}
			if sent > 64<<20 {
				w.t.Errorf("%d bytes were read", sent)
			}
		}
	}
}

func raw(host, path, body string) func(w *world) {
	return func(w *world) {
		w.paths[host+path] = func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			if strings.HasSuffix(path, "register") {
				rw.WriteHeader(http.StatusCreated)
			}
			_, _ = rw.Write([]byte(body))
		}
	}
}

func grantOf(name, value string) func(w *world) {
	return func(w *world) {
		w.grant = func(_ url.Values, g map[string]any) { g[name] = value }
	}
}

// An issuer that the user wrote may have its endpoints elsewhere, and be on the
// user's own network.
func TestConfiguredIssuer(t *testing.T) {
	w := newWorld(t)
	w.host("tokens.example.com", "93.184.216.37", w.auth)
	w.metadata["token_endpoint"] = "https://tokens.example.com/token"
	w.login(w.client(func(o *Options) { o.Issuer = issuerURL }))

	w = newWorld(t)
	w.names[authHost] = "10.1.2.3"
	w.real["10.1.2.3:443"] = w.real["93.184.216.35:443"]
	w.login(w.client(func(o *Options) { o.Issuer = issuerURL }))

	w = newWorld(t)
	w.resource["authorization_servers"] = []string{"https://" + evilHost, issuerURL}
	w.login(w.client(func(o *Options) { o.Issuer = issuerURL }))

	w = newWorld(t)
	c := w.client(func(o *Options) { o.Issuer = "https://other.example.com" })
	if _, err := c.Login(t.Context(), w.dialogue()); !errors.Is(err, errOtherIssuer) {
		t.Error(err)
	}
	if got := w.reached(authHost); len(got) > 0 {
		t.Errorf("asked: %v", got)
	}
}

// The stored endpoint is checked again when a token is renewed.
func TestRenewalIsGuarded(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.login(c)
	w.names[authHost] = "127.0.0.1"
	w.trap("127.0.0.1")
	running := w.another(c)
	if _, err := running.Authorization(t.Context()); err != nil {
		t.Fatal(err)
	}
	if running.Refused(t.Context(), http.StatusUnauthorized, nil) {
		t.Error("a token from nowhere")
	}
	if n := len(w.forms); n != 1 {
		t.Errorf("%d forms were sent", n)
	}
}

// A secret that the user gave is for one authorization server.
func TestSecretNeedsIssuer(t *testing.T) {
	for _, o := range []Options{
		{URL: mcpURL, ClientID: "x", ClientSecret: canarySecret},
		{URL: mcpURL, Grant: ClientCredentials, ClientID: "x"},
		{URL: mcpURL, Grant: "password"},
		{URL: mcpURL, Storage: "cloud"},
		{URL: mcpURL, RedirectPort: 70000},
		{URL: mcpURL, ClientMetadataURL: "http://relay.example.com/x"},
		{URL: mcpURL, ClientMetadataURL: "https://relay.example.com"},
		{URL: mcpURL, Scopes: []string{"a b"}},
		{URL: mcpURL, Headers: map[string]string{"authorization": "Bearer " + canaryAccess}},
		{URL: mcpURL, Issuer: "http://auth.example.com"},
		{URL: "http://mcp.example.com/mcp"}, {URL: "https://user:" + canarySecret + "@mcp.example.com"}, {URL: "file:///x"}, {URL: "http://192.168.1.1"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("accepted: %+v", o)
		} else if strings.Contains(err.Error(), "canary") {
			t.Errorf("a secret in: %v", err)
		}
	}
}
