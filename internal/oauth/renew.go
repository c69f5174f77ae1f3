package oauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"
)

// look reads the token file if it changed since it was read, unless whoever had
// the turn before did so. Only the holder of the turn calls it.
func (c *Client) look(ctx context.Context) error {
	now := time.Now()
	if !c.shouldLook(now) {
		return nil
	}
	at := c.store.look()
	c.mu.Lock()
	same := !c.looked.IsZero() && at == c.stamp
	if same {
		c.looked = now
	}
	c.mu.Unlock()
	if same {
		return nil
	}
	if err := c.reload(ctx); err != nil {
		// Servers that want no login must not suffer; one that does says so.
		c.say(slog.LevelWarn, "the stored login cannot be read", err)
		c.mu.Lock()
		c.token, c.stamp, c.looked = nil, stamp{}, time.Now()
		c.mu.Unlock()
	}
	return nil
}

// reload reads the token file. Only the holder of the turn calls it.
func (c *Client) reload(ctx context.Context) error {
	at := c.store.look()
	if err := c.stillBroken(at); err != nil {
		return err
	}
	r, err := c.store.load(ctx)
	if errors.Is(err, errUnreadable) {
		c.say(slog.LevelWarn, "the stored login is of no use", err)
		r, err = nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken, c.brokenAt, c.brokenStamp = err, time.Now(), at
	if err != nil {
		return err
	}
	if c.token == nil || r == nil || r.Access != c.token.Access {
		c.refusals, c.failure = 0, failure{}
	}
	c.token, c.stamp, c.looked = r, at, time.Now()
	return nil
}

// stillBroken returns why the file could not be read a moment ago. A keychain
// that waits for its user is not asked for every request.
func (c *Client) stillBroken(at stamp) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.brokenStamp == at && time.Since(c.brokenAt) < brokenPause {
		return c.broken
	}
	return nil
}

// renew exchanges the token for another, unless another relay has done so. Only
// the holder of the turn calls it.
func (c *Client) renew(ctx context.Context, used *record) error {
	if err := c.recentFailure(challenge{}); err != nil {
		return err
	}
	if now := c.current(); now != nil && now.Access != used.Access && !now.expired(time.Now()) {
		return nil // whoever had the turn before did it
	}
	unlock, err := c.store.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.reload(ctx); err != nil {
		return err
	}
	r := c.current()
	switch {
	case r == nil:
		return errLogin
	case r.Access != used.Access && !r.expired(time.Now()):
		return nil // another relay did it
	case r.Grant == ClientCredentials:
		return c.obtainLocked(ctx, challenge{})
	case r.Refresh == "":
		return errLogin
	}
	err = c.refresh(ctx, r)
	c.remember(challenge{}, err)
	return err
}

// refresh uses the refresh token (RFC 6749, section 6). The caller holds turn
// and lock.
func (c *Client) refresh(ctx context.Context, old *record) error {
	endpoint, err := c.wire.guard.parse(old.Endpoint)
	if err != nil {
		return fmt.Errorf("renewing the token: %w", err)
	}
	r := *old
	g, err := c.wire.exchange(ctx, endpoint, r.identity(), r.Resource, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {string(r.Refresh)},
	})
	if f, said := errors.AsType[*fault](err); said && f.final() {
		r.Access, r.Refresh = "", ""
		c.adopt(ctx, &r)
		return fmt.Errorf("%w: %w", errLogin, err)
	}
	if err != nil {
		return fmt.Errorf("renewing the token: %w", err)
	}
	r.take(g, time.Now())
	c.adopt(ctx, &r)
	return nil
}

// obtain gets a token for the client itself, unless somebody else did. Only the
// holder of the turn calls it.
func (c *Client) obtain(ctx context.Context, used *record, ch challenge) error {
	if err := c.recentFailure(ch); err != nil {
		return err
	}
	unlock, err := c.store.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.reload(ctx); err != nil {
		return err
	}
	if now := c.current(); now != nil && !now.expired(time.Now()) && (used == nil || now.Access != used.Access) {
		return nil
	}
	return c.obtainLocked(ctx, ch)
}

func (c *Client) obtainLocked(ctx context.Context, ch challenge) error {
	if ch.metadata == "" {
		ch.metadata = c.store.readNote().Metadata
	}
	r, err := c.withCredentials(ctx, ch)
	c.remember(ch, err)
	if err == nil {
		c.adopt(ctx, r)
	}
	return err
}

func (c *Client) withCredentials(ctx context.Context, ch challenge) (*record, error) {
	res, iss, err := c.discover(ctx, ch)
	if err != nil {
		return nil, err
	}
	return c.credentials(ctx, res, iss, c.scopes(ch, res, iss))
}

// adopt makes a record the current one and stores it. What cannot be stored is
// used all the same: it is the only one that is still valid.
func (c *Client) adopt(ctx context.Context, r *record) {
	if _, err := c.store.save(ctx, r); err != nil {
		c.say(slog.LevelWarn, "a renewed login was not stored: the next start may need a new one", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token, c.stamp, c.looked = r, c.store.look(), time.Now()
	if r.Access != "" {
		c.renewed, c.refusals = c.looked, 0
	}
}

// failure is why a token could not be had.
type failure struct {
	err error
	at  time.Time
	of  string // where the server said that its metadata is
}

func (c *Client) remember(ch challenge, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = failure{err, time.Now(), ch.metadata}
}

// recentFailure returns why the last try failed, if that was just now and the
// server has said nothing new since.
func (c *Client) recentFailure(ch challenge) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.failure.at) < failurePause && (ch.metadata == "" || ch.metadata == c.failure.of) {
		return c.failure.err
	}
	return nil
}
