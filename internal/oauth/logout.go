package oauth

import (
	"context"
	"fmt"
	"log/slog"
)

// Logout forgets the login: the authorization server is told, where it can be,
// and what is stored is removed. It reports whether there was one.
func (c *Client) Logout(ctx context.Context) (bool, error) {
	unlock, err := c.store.lock(ctx)
	if err != nil {
		return false, fmt.Errorf("server %q: %w", c.o.Server, err)
	}
	defer unlock()
	r, err := c.store.load(ctx)
	if err == nil && r != nil {
		err = c.revoke(ctx, r)
	}
	if err != nil {
		c.log.Warn("the authorization server was not told of the logout", slog.Any("error", err))
	}
	known := c.store.look() != stamp{}
	if err := c.store.remove(); err != nil {
		return false, fmt.Errorf("server %q: %w", c.o.Server, err)
	}
	return known, nil
}
