package oauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

const (
	lookInterval  = 2 * time.Second  // between looks at the token file
	renewTimeout  = time.Minute      // of one renewal, whoever waits for it
	failurePause  = 5 * time.Second  // a failed renewal is not tried again within it
	brokenPause   = 30 * time.Second // likewise a keychain that does not answer
	renewalCounts = 10 * time.Second
	maxRefusals   = 8               // of a token that was just renewed
	sayAgain      = 5 * time.Minute // the log repeats itself after it
	manyThings    = 32
)

const notRenewed = "the login was not renewed"

// errLogin is met where a person is needed.
var errLogin = errors.New("a login is needed")

// Authorization returns the value of the Authorization header for the next
// request to the server, or "" when there is no token. A token that is about to
// expire is renewed behind the scenes; one that has expired is waited for. It
// never asks a person.
func (c *Client) Authorization(ctx context.Context) (string, error) {
	now := time.Now()
	if c.shouldLook(now) {
		if err := c.alone(ctx, c.look); err != nil {
			return "", err
		}
	}
	r := c.current()
	switch {
	case r == nil && c.o.Grant == ClientCredentials:
		if err := c.alone(ctx, func(ctx context.Context) error { return c.obtain(ctx, nil, challenge{}) }); err != nil {
			c.say(slog.LevelDebug, "no token yet", err)
			return "", nil // the server's refusal tells more
		}
	case r == nil:
		return "", nil
	case r.expired(now) && r.renewable():
		err := c.alone(ctx, func(ctx context.Context) error { return c.renew(ctx, r) })
		if err != nil && !errors.Is(err, errLogin) {
			c.say(slog.LevelWarn, notRenewed, err)
			return "", fmt.Errorf("server %q: %w", c.o.Server, err)
		}
	case r.expired(now):
		return "", nil
	case r.due(now) && r.renewable():
		c.renewSoon(ctx, r)
	}
	if r = c.current(); r == nil || r.Access == "" {
		return "", nil
	}
	return r.header(), nil
}

// Refused is told of an answer with 401 or 403 and its WWW-Authenticate
// headers. It reports whether one more try is worth it: there is another token
// than the one that was refused. What the server asks for is remembered for the
// next login, and the log says that one is needed.
func (c *Client) Refused(ctx context.Context, status int, headers []string) bool {
	ch := parseChallenge(headers)
	if status == http.StatusForbidden {
		return c.refusedScope(ctx, ch)
	}
	if status != http.StatusUnauthorized {
		return false
	}
	c.note(ctx, false, ch)
	old := c.current()
	if fresh, hopeless := c.justRenewed(); hopeless {
		c.say(slog.LevelWarn, "the server refuses a token that is new", errLogin)
		return false
	} else if fresh {
		return true
	}
	err := c.alone(ctx, func(ctx context.Context) error {
		if err := c.reload(ctx); err != nil {
			return err
		}
		switch now := c.current(); {
		case now != nil && (old == nil || now.Access != old.Access):
			return nil // another request, another relay or a login was faster
		case c.o.Grant == ClientCredentials:
			return c.obtain(ctx, old, ch)
		case now == nil || now.Refresh == "":
			return errLogin
		default:
			return c.renew(ctx, now)
		}
	})
	if c.refusedAgain(old) {
		c.say(slog.LevelWarn, "the server refuses one new token after another", errLogin)
	}
	if err != nil {
		c.say(slog.LevelWarn, c.needed(), err)
		return false
	}
	return true
}

func (c *Client) refusedScope(ctx context.Context, ch challenge) bool {
	if ch.fault != insufficientScope {
		return false
	}
	old := c.current()
	if err := c.alone(ctx, c.reload); err != nil {
		c.say(slog.LevelWarn, c.needed(), err)
		return false
	}
	if now := c.current(); old != nil && now != nil && now.Access != old.Access {
		return true
	}
	c.note(ctx, true, ch)
	c.say(slog.LevelWarn, "the server wants more rights for this request than the login gave", errLogin,
		slog.String("detail", joined(ch.scopes)))
	return false
}

func (c *Client) needed() string {
	if c.o.Grant == ClientCredentials {
		return "the server does not accept the relay's credentials"
	}
	return "the server wants a login"
}

func (c *Client) note(ctx context.Context, stepUp bool, ch challenge) {
	if err := c.store.leaveNote(ctx, stepUp, ch); err != nil {
		c.log.Debug("what the server asks for was not written down", slog.Any("error", err))
	}
}

// say logs, but not the same thing for every request.
func (c *Client) say(level slog.Level, what string, err error, attrs ...slog.Attr) {
	now, key := time.Now(), what+err.Error()
	c.mu.Lock()
	at, repeated := c.said[key]
	repeated = repeated && now.Sub(at) < sayAgain
	if c.said == nil || len(c.said) > manyThings {
		c.said = map[string]time.Time{}
	}
	if !repeated {
		c.said[key] = now
	}
	c.mu.Unlock()
	if repeated {
		return
	}
	attrs = append(attrs, slog.String("reason", err.Error()))
	if level >= slog.LevelWarn && c.o.Grant == AuthorizationCode {
		attrs = append(attrs, slog.String("hint", "run: relay login "+c.o.Server))
	}
	c.log.LogAttrs(context.Background(), level, what, attrs...) //nolint:sloglint // the callers' texts are static
}

func (c *Client) current() *record {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token
}

// shouldLook reports whether it is time to look at the token file.
func (c *Client) shouldLook(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.looked.IsZero() || now.Sub(c.looked) >= lookInterval
}

// justRenewed reports whether the current token is so new that a refusal is
// probably of its predecessor. Hopeless is one that is refused again and again:
// another would fare no better, and none is asked for until it is not new.
func (c *Client) justRenewed() (fresh, hopeless bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.renewed.IsZero() || time.Since(c.renewed) > renewalCounts {
		return false, false
	}
	c.refusals++
	return true, c.refusals > maxRefusals
}

// refusedAgain reports whether a token that replaced a refused one was refused
// itself.
func (c *Client) refusedAgain(old *record) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	again := c.refused
	c.refused = old != nil && c.token != nil && c.token.Access != "" && c.token.Access != old.Access
	return again && c.refused
}

// alone runs work for one caller at a time. Work goes on when the caller stops
// waiting: a token that was asked for must not get lost.
func (c *Client) alone(ctx context.Context, work func(context.Context) error) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waiting for a token: %w", context.Cause(ctx))
	}
	done := make(chan error, 1)
	go func() { done <- c.atTurn(ctx, work) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("waiting for a token: %w", context.Cause(ctx))
	}
}

func (c *Client) atTurn(ctx context.Context, work func(context.Context) error) error {
	defer func() { <-c.turn }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTimeout)
	defer cancel()
	return work(ctx)
}

// renewSoon renews a token that is still good, unless somebody does.
func (c *Client) renewSoon(ctx context.Context, r *record) {
	select {
	case c.turn <- struct{}{}:
		go func() {
			if err := c.atTurn(ctx, func(ctx context.Context) error { return c.renew(ctx, r) }); err != nil {
				c.say(slog.LevelDebug, notRenewed, err)
			}
		}()
	default:
	}
}

// revoke tells the authorization server that a token is not needed any more
// (RFC 7009).
func (c *Client) revoke(ctx context.Context, r *record) error {
	if r.Revocation == "" {
		return nil
	}
	endpoint, err := c.wire.guard.parse(r.Revocation)
	if err != nil {
		return err
	}
	for _, t := range []struct {
		token secret
		kind  string
	}{{r.Refresh, "refresh_token"}, {r.Access, "access_token"}} {
		if t.token == "" {
			continue
		}
		form := url.Values{"token": {string(t.token)}, "token_type_hint": {t.kind}}
		a, err := c.wire.authenticated(ctx, endpoint, r.identity(), form)
		if err != nil {
			return err
		}
		if a.status != http.StatusOK {
			return faultOf(a)
		}
	}
	return nil
}
