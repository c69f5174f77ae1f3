package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// secret is a text that is not shown, however it is printed.
type secret string

var (
	_ fmt.Stringer   = secret("")
	_ fmt.GoStringer = secret("")
	_ slog.LogValuer = secret("")
)

// String hides the secret from %s and %v.
func (secret) String() string { return hidden }

// GoString hides the secret from %#v.
func (secret) GoString() string { return hidden }

// LogValue hides the secret from logs.
func (secret) LogValue() slog.Value { return slog.StringValue(hidden) }

const hidden = "[hidden]"

// grant is what a token endpoint gave (RFC 6749, section 5.1).
type grant struct {
	Access, Refresh secret
	Lifetime        time.Duration // 0: not said
	Scopes          []string      // nil: as requested
}

// fault is an error code of an authorization server.
type fault struct{ code string }

func (f *fault) Error() string { return "the authorization server says " + f.code }

// newFault keeps a code that OAuth knows. Another could be any text.
func newFault(code string) *fault {
	switch code {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
		"unsupported_response_type", "invalid_scope", "access_denied", "server_error", "temporarily_unavailable", "invalid_target",
		"invalid_redirect_uri", "invalid_client_metadata", "interaction_required", "login_required", "consent_required":
		return &fault{code}
	}
	return &fault{"no, with a code that OAuth does not know"}
}

// final reports whether asking again cannot help: the grant is spent.
func (f *fault) final() bool {
	return f.code == "invalid_grant" || f.code == "invalid_client" || f.code == "unauthorized_client"
}

// faultOf reads the error of an answer (RFC 6749, section 5.2).
func faultOf(a *answer) error {
	var e struct {
		Code string `json:"error"`
	}
	if json.Unmarshal(a.body, &e) == nil && e.Code != "" {
		return newFault(e.Code)
	}
	return fmt.Errorf("%w: status %d", errNoToken, a.status)
}

var (
	errNoToken   = errors.New("the authorization server gave no usable answer")
	errTokenType = errors.New("the token is not a bearer token")
)

// exchange asks a token endpoint for a token. The form holds the grant; the
// client and the resource are added.
func (w *wire) exchange(ctx context.Context, endpoint *url.URL, who identity, resource string, form url.Values) (*grant, error) {
	form.Set("resource", resource)
	a, err := w.authenticated(ctx, endpoint, who, form)
	if err != nil {
		return nil, fmt.Errorf("asking for a token: %w", err)
	}
	if a.status != http.StatusOK {
		return nil, faultOf(a)
	}
	return readGrant(a.body)
}

// authenticated posts a form as a client.
func (w *wire) authenticated(ctx context.Context, endpoint *url.URL, who identity, form url.Values) (*answer, error) {
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}
	if who.Method == authBasic {
		pair := url.QueryEscape(who.ID) + ":" + url.QueryEscape(string(who.Secret)) // RFC 6749, section 2.3.1
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	} else {
		form.Set("client_id", who.ID)
		if who.Method == authPost {
			form.Set("client_secret", string(who.Secret))
		}
	}
	return w.post(ctx, endpoint, []byte(form.Encode()), header)
}

func readGrant(body []byte) (*grant, error) {
	var t struct {
		Access   string         `json:"access_token"`
		Type     string         `json:"token_type"`
		Refresh  string         `json:"refresh_token"`
		Lifetime jsontext.Value `json:"expires_in"`
		Scope    *string        `json:"scope"`
	}
	if json.Unmarshal(body, &t) != nil || !isCredential(t.Access) || strings.Contains(t.Access, " ") {
		return nil, errNoToken
	}
	if !strings.EqualFold(t.Type, "Bearer") {
		return nil, errTokenType
	}
	if t.Refresh != "" && !isCredential(t.Refresh) {
		return nil, errNoToken
	}
	g := &grant{Access: secret(t.Access), Refresh: secret(t.Refresh), Lifetime: lifetime(t.Lifetime)}
	if t.Scope != nil {
		g.Scopes = scopesOf(*t.Scope)
	}
	return g, nil
}

// longest bounds a token's life: what says more is not believed.
const longest = 366 * 24 * time.Hour

// lifetime reads a number of seconds, which some servers write as a string. A
// token that expired when it was made is taken for one of unknown lifetime.
func lifetime(v jsontext.Value) time.Duration {
	s, err := strconv.ParseFloat(strings.Trim(string(v), `"`), 64)
	if err != nil || !(s > 0) {
		return 0
	}
	return time.Duration(min(s, longest.Seconds()) * float64(time.Second))
}

func joined(scopes []string) string { return strings.Join(scopes, " ") }
