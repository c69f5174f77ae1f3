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
	return c.reload(ctx)
}

// reload reads the token file. Only the holder of the turn calls it.
func (c *Client) reload(ctx context.Context) error {
	at := c.store.look()
	r, err := c.store.load(ctx)
	if errors.Is(err, errUnreadable) {
		c.say(slog.LevelWarn, "the stored login is of no use", err)
		r, err = nil, nil
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == nil || r == nil || r.Access != c.token.Access {
		c.refusals, c.failure = 0, nil
	}
	c.token, c.stamp, c.looked = r, at, time.Now()
	return nil
}

// renew exchanges the token for another, unless another relay has done so. Only
// the holder of the turn calls it.
func (c *Client) renew(ctx context.Context, used *record) error {
	if err := c.recentFailure(); err != nil {
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
	c.remember(err)
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
	if err := c.recentFailure(); err != nil {
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
	r, err := c.withCredentials(ctx, ch)
	c.remember(err)
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

func (c *Client) remember(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure, c.failed = err, time.Now()
}

// recentFailure returns why the last renewal failed, if that was just now.
func (c *Client) recentFailure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.failed) < failurePause {
		return c.failure
	}
	return nil
}
