package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestOAuth(t *testing.T) {
	for text, want := range map[string]*OAuth{
		`{"url": "https://a.example/"}`:                              nil,
		`{"url": "https://a.example/", "oauth": true}`:               {Grant: GrantCode, TokenStore: StoreAuto},
		`{"url": "https://a.example/", "oauth": {}}`:                 {Grant: GrantCode, TokenStore: StoreAuto},
		`{"url": "https://a.example/", "oauth": false}`:              {Disabled: true, Grant: GrantCode, TokenStore: StoreAuto},
		`{"url": "https://a.example/", "oauth": {"enabled": false}}`: {Disabled: true, Grant: GrantCode, TokenStore: StoreAuto},
		`{"url": "https://a.example/", "oauth": null}`:               nil,
		`{"command": "c", "oauth": {}}`:                              nil,
		`{"url": "https://a.example/", "headers": {"authorization": "Bearer x"}, "oauth": {}}`: {
			Disabled: true, Grant: GrantCode, TokenStore: StoreAuto,
		},
		// As clients write it.
		`{"url": "https://a.example/", "oauth": {"clientId": "i", "callbackPort": 8090, "scope": "a b", "tokenUrl": "x"}}`: {
			ClientID: "i", RedirectPort: 8090, Scopes: []string{"a", "b"}, Grant: GrantCode, TokenStore: StoreAuto,
		},
		`{"type": "sse", "url": "https://a.example/", "oauth": {"client_id": "i", "client_secret": "${S}", "scopes": ["a"],
			"issuer": "https://as.example", "grant": "client_credentials", "token_store": "file"}}`: {
			ClientID: "i", ClientSecret: "hunter2", Scopes: []string{"a"}, Issuer: "https://as.example",
			Grant: GrantCredentials, TokenStore: StoreFile,
		},
		`{"url": "https://a.example/", "oauth": {"client_metadata_url": "https://me.example/client.json", "token_store": "keychain"}}`: {
			ClientMetadataURL: "https://me.example/client.json", Grant: GrantCode, TokenStore: StoreKeychain,
		},
	} {
		c := load(t, "relay.json", `{"mcpServers": {"x": `+text+`}}`, "S=hunter2")
		if got := c.Servers[0].OAuth; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
		if strings.Contains(outcome(c, nil), "hunter2") {
			t.Error("a secret is printed")
		}
		if got, uses := c.Servers[0].UsesOAuth(), c.Servers[0].URL != "" && (want == nil || !want.Disabled); got != uses {
			t.Errorf("%s: uses OAuth %v", text, got)
		}
	}
}

// A header that the file gives is sent as it is; no token travels in the clear.
func TestUsesOAuth(t *testing.T) {
	for text, want := range map[string]bool{
		`{"url": "https://a.example/", "headers": {"AUTHORIZATION": "Bearer x"}}`: false,
		`{"url": "https://a.example/", "headers": {"X-Key": "x"}}`:                true,
		`{"url": "http://a.example/"}`:                                            false,
		`{"url": "http://localhost:1/sse"}`:                                       true,
		`{"command": "c"}`:                                                        false,
	} {
		if c := load(t, "relay.json", `{"mcpServers": {"x": `+text+`}}`); c.Servers[0].UsesOAuth() != want {
			t.Errorf("%s: uses OAuth %v", text, !want)
		}
	}
}

// The relay's switches hold for servers that have none of their own.
func TestRequests(t *testing.T) {
	c := load(t, "relay.yaml", `
mcpServers:
  a: {command: c}
  b: {command: c, requests: {sampling: true, context: true}, protocol: modern}
  c: {url: "https://a.example/", requests: {elicitation_url: false, roots: false}, protocol: legacy}
relay:
  server_requests: {sampling: false, elicitation: true}
`)
	for i, want := range []Requests{
		{Elicitation: true, ElicitationURL: true, Roots: true},
		{Sampling: true, Elicitation: true, ElicitationURL: true, Roots: true, Context: true},
		{Elicitation: true},
	} {
		if c.Servers[i].Requests != want {
			t.Errorf("%s: %+v", c.Servers[i].Name, c.Servers[i].Requests)
		}
	}
	if c.Servers[0].Protocol != ProtocolAuto || c.Servers[1].Protocol != ProtocolModern || c.Servers[2].Protocol != ProtocolLegacy {
		t.Errorf("servers %+v", c.Servers)
	}
}
