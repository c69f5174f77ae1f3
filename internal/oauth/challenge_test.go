package oauth

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseChallenge(t *testing.T) {
	for _, tt := range []struct {
		name    string
		headers []string
		want    challenge
	}{
		{"nothing", nil, challenge{}},
		{"scheme only", []string{"Bearer"}, challenge{}},
		{
			"usual", []string{`Bearer resource_metadata="https://x/y", scope="a b", error="insufficient_scope"`},
			challenge{"https://x/y", []string{"a", "b"}, "insufficient_scope"},
		},
		{"tokens, spaces, case", []string{`bEaReR  SCOPE = a ,Error=x`}, challenge{scopes: []string{"a"}, fault: "x"}},
		{"escapes", []string{`Bearer scope="a\"b c"`}, challenge{scopes: []string{"c"}}},
		{"another scheme first", []string{`Basic realm="Bearer scope=no", Bearer scope=yes`}, challenge{scopes: []string{"yes"}}},
		{"another scheme's parameters", []string{`Digest scope=no`}, challenge{}},
		{"token68", []string{`Negotiate abc==, Bearer scope=x`}, challenge{scopes: []string{"x"}}},
		{"two headers", []string{`Basic realm="x"`, `Bearer scope="x"`}, challenge{scopes: []string{"x"}}},
		{"the first counts", []string{`Bearer scope=a, scope=b`, `Bearer scope=c`}, challenge{scopes: []string{"a"}}},
		{"empty scope", []string{`Bearer scope=""`}, challenge{scopes: []string{}}},
		{"open quote", []string{`Bearer scope="a`}, challenge{}},
		{"too long", []string{"Bearer scope=" + strings.Repeat("a", maxChallenge)}, challenge{}},
		{"no value", []string{`Bearer scope=, error=x`}, challenge{}},
	} {
		if got := parseChallenge(tt.headers); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func FuzzParseChallenge(f *testing.F) {
	for _, s := range []string{`Bearer a="b\"", c=d`, `Basic x==, Bearer scope="a b"`, `,,= "`, `Bearer scope="\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		c := parseChallenge([]string{header, header})
		if len(c.scopes) > maxScopes {
			t.Fatalf("%d scopes", len(c.scopes))
		}
		for _, s := range c.scopes {
			if !isScope(s) {
				t.Fatalf("scope %q", s)
			}
		}
	})
}

func FuzzReadGrant(f *testing.F) {
	for _, s := range []string{
		`{"access_token":"x","token_type":"bearer","expires_in":"3600"}`, `{"access_token":"x","token_type":"Bearer","expires_in":1e99,"scope":"a b"}`, `[]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		g, err := readGrant(body)
		if err != nil {
			return
		}
		if g.Lifetime < 0 || g.Lifetime > longest || !isCredential(string(g.Access)) || strings.ContainsAny(string(g.Access), " \r\n") {
			t.Fatalf("%#v", g)
		}
	})
}
