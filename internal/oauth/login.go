package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Request is what a person is asked to agree to. All of it but Server comes
// from others: make it printable.
type Request struct {
	Server string   // the server's name in the configuration
	Host   string   // of the page where the login takes place
	Issuer string   // the authorization server
	Scopes []string // empty: what the authorization server gives by default
	URL    string   // of the page; safe to give to a program as an argument
}

// Dialogue is how [Client.Login] talks to a person.
type Dialogue struct {
	// Show tells what will be asked for, before anything is opened.
	Show func(Request)
	// Open opens the page. It must not use a shell.
	Open func(ctx context.Context, address string) error
	// Timeout is for the person; 0: five minutes.
	Timeout time.Duration
}

// Outcome is what a login brought.
type Outcome struct {
	Issuer    string // make it printable
	Scopes    []string
	Expires   time.Time // zero: not said
	Renewable bool      // without a person
	Stored    Storage   // Keychain or File
	// Accepted reports whether the server took the token when it was tried.
	Accepted bool
}

const (
	discoveryTimeout = 2 * time.Minute
	personTimeout    = 5 * time.Minute
)

var (
	errRepeated = errors.New("the answer of the authorization server names a parameter twice")
	errIss      = errors.New("the answer is from another authorization server than the one that was asked")
	errNoIss    = errors.New("the authorization server did not say who it is, although it announced to")
	errNoCode   = errors.New("the authorization server sent no code")
)

// Login gets a token with the help of a person, or of the client's secret, and
// stores it. When the server then says that the token's scopes are not enough,
// it asks once more for those and the missing ones
// (basic/authorization, "Step-Up Authorization Flow").
func (c *Client) Login(ctx context.Context, d Dialogue) (*Outcome, error) {
	ch, wanted := c.question(ctx)
	for step := 0; ; step++ {
		r, kind, err := c.login(ctx, d, ch, wanted)
		if err != nil {
			return nil, fmt.Errorf("server %q: %w", c.o.Server, err)
		}
		out := &Outcome{Issuer: r.Issuer, Scopes: r.Granted, Expires: r.Expires, Renewable: r.renewable(), Stored: kind}
		var missing challenge
		out.Accepted, missing = c.try(ctx, r)
		more := union(r.Requested, missing.scopes...)
		if out.Accepted || step > 0 || missing.fault != insufficientScope || len(more) == len(r.Requested) {
			return out, nil
		}
		ch, wanted = missing, more
	}
}

// question finds out what the server wants: it is asked without a token, and
// what it told a running relay is remembered.
func (c *Client) question(ctx context.Context) (ch challenge, stepUp []string) {
	n := c.store.readNote()
	ch, asked := c.probe(ctx)
	if !asked {
		ch = challenge{metadata: n.Metadata, scopes: n.Scopes}
	}
	if len(n.StepUp) == 0 {
		return ch, nil
	}
	// Earlier scopes stay: the new token replaces the old one.
	if r, err := c.store.load(ctx); err == nil && r != nil {
		stepUp = union(nil, r.Requested...)
	}
	return ch, union(stepUp, n.StepUp...)
}

// login gets one token and stores it. More are scopes beside the usual ones.
func (c *Client) login(ctx context.Context, d Dialogue, ch challenge, more []string) (*record, Storage, error) {
	finding, cancel := context.WithTimeout(ctx, discoveryTimeout)
	defer cancel()
	res, iss, err := c.discover(finding, ch)
	if err != nil {
		return nil, "", err
	}
	scopes := union(more, c.scopes(ch, res, iss)...)
	if c.o.Grant == ClientCredentials {
		r, err := c.credentials(finding, res, iss, scopes)
		if err != nil {
			return nil, "", err
		}
		kind, err := c.keep(ctx, r)
		return r, kind, err
	}
	if err := iss.checkLogin(); err != nil {
		return nil, "", err
	}
	state := rand.Text()
	back, err := await(ctx, c.o.RedirectPort, state)
	if err != nil {
		return nil, "", err
	}
	defer back.close()
	who, err := c.identify(finding, iss, back.address, scopes)
	if err != nil {
		return nil, "", err
	}
	verifier := rand.Text() + rand.Text() // 52 characters: RFC 7636, section 4.1
	address, err := c.page(iss, who, res, scopes, back.address, state, verifier)
	if err != nil {
		return nil, "", err
	}
	code, err := c.ask(ctx, d, iss, scopes, address, back)
	if err != nil {
		return nil, "", err
	}
	g, err := c.wire.exchange(ctx, iss.token, who, res.ID, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back.address}, "code_verifier": {verifier},
	})
	if err != nil {
		return nil, "", err
	}
	r := c.record(res, iss, who, scopes)
	r.take(g, time.Now())
	kind, err := c.keep(ctx, r)
	return r, kind, err
}

// scopes chooses what to ask for: what the user configured, what the challenge
// names, or what the resource supports
// (basic/authorization, "Scope Selection Strategy").
func (c *Client) scopes(ch challenge, res *resource, iss *issuer) []string {
	scopes := res.Scopes
	switch {
	case len(c.o.Scopes) > 0:
		scopes = c.o.Scopes
	case len(ch.scopes) > 0:
		scopes = ch.scopes
	}
	scopes = union(nil, scopes...)
	if c.o.Grant == AuthorizationCode && slices.Contains(iss.Scopes, "offline_access") {
		scopes = union(scopes, "offline_access")
	}
	return scopes
}

// page returns the address of the login.
func (c *Client) page(
	iss *issuer, who identity, res *resource, scopes []string, redirect, state, verifier string,
) (string, error) {
	sum := sha256.Sum256([]byte(verifier))
	u := *iss.authorization
	q := u.Query()
	q.Set("response_type", "code")
	q.Set("client_id", who.ID)
	q.Set("redirect_uri", redirect)
	q.Set("state", state)
	q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
	q.Set("code_challenge_method", "S256")
	q.Set("resource", res.ID)
	if len(scopes) > 0 {
		q.Set("scope", joined(scopes))
	}
	if slices.Contains(scopes, "offline_access") {
		q.Set("prompt", "consent") // OpenID Connect Core 1.0, section 11
	}
	u.RawQuery = q.Encode()
	address := u.String()
	// The endpoint was checked; what goes to another program is checked again.
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") ||
		strings.ContainsFunc(address, func(r rune) bool { return !isAlphanumeric(r) && !strings.ContainsRune(plainURL, r) }) {
		return "", errURL
	}
	return address, nil
}

// ask has the person log in and returns the code, which is not looked at before
// its sender is known (RFC 9207, section 2.4).
func (c *Client) ask(ctx context.Context, d Dialogue, iss *issuer, scopes []string, address string, back *callback) (string, error) {
	timeout := d.Timeout
	if timeout <= 0 {
		timeout = personTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if d.Show != nil {
		d.Show(Request{Server: c.o.Server, Host: iss.authorization.Host, Issuer: iss.ID, Scopes: scopes, URL: address})
	}
	if d.Open != nil {
		if err := d.Open(ctx, address); err != nil {
			return "", fmt.Errorf("opening the browser: %w", err)
		}
	}
	answer, err := back.wait(ctx)
	if err != nil {
		return "", err
	}
	return readAnswer(answer, iss)
}

func readAnswer(answer url.Values, iss *issuer) (string, error) {
	for _, name := range []string{"iss", "code", "error"} {
		if len(answer[name]) > 1 {
			return "", errRepeated
		}
	}
	switch {
	case answer.Has("iss") && answer.Get("iss") != iss.ID:
		return "", errIss
	case !answer.Has("iss") && iss.NamesItself:
		return "", errNoIss
	}
	if code := answer.Get("error"); code != "" {
		return "", newFault(code)
	}
	code := answer.Get("code")
	if !isCredential(code) {
		return "", errNoCode
	}
	return code, nil
}

// record binds a token to be to where it is from and for.
func (c *Client) record(res *resource, iss *issuer, who identity, scopes []string) *record {
	r := &record{
		Server: c.o.Server, URL: c.o.URL, Issuer: iss.ID, Resource: res.ID, Endpoint: iss.token.String(), Grant: c.o.Grant,
		ClientID: who.ID, ClientSecret: who.Secret, AuthMethod: who.Method, Requested: scopes, Granted: scopes,
	}
	if iss.revocation != nil {
		r.Revocation = iss.revocation.String()
	}
	return r
}

// credentials gets a token for the client itself (RFC 6749, section 4.4).
func (c *Client) credentials(ctx context.Context, res *resource, iss *issuer, scopes []string) (*record, error) {
	method, err := iss.method(true)
	if err != nil {
		return nil, err
	}
	who := identity{c.o.ClientID, secret(c.o.ClientSecret), method}
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(scopes) > 0 {
		form.Set("scope", joined(scopes))
	}
	g, err := c.wire.exchange(ctx, iss.token, who, res.ID, form)
	if err != nil {
		return nil, err
	}
	r := c.record(res, iss, who, scopes)
	r.ClientSecret = "" // it is in the configuration
	r.take(g, time.Now())
	r.Refresh = ""
	return r, nil
}

// keep stores a record in place of what was there.
func (c *Client) keep(ctx context.Context, r *record) (Storage, error) {
	unlock, err := c.store.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	kind, err := c.store.save(ctx, r)
	if err != nil {
		return "", err
	}
	return kind, c.store.drop(".note") // it was done
}
