package doctor

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// tolerated is by how much the clocks of two machines may differ before tokens
// and records suffer.
const tolerated = 30 * time.Second

// Clock asks a peer for its time, without saying who asks, and compares it with
// this machine's. client must follow no redirects; url is that of a server or of
// a scanner's service.
func Clock(ctx context.Context, client *http.Client, subject, url string) Check {
	c := Check{Area: Clocks, Subject: subject, Status: OK}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, http.NoBody)
	if err != nil {
		c.Status, c.What = Warn, "its time cannot be asked for: the address is not one"
		return c
	}
	before := time.Now()
	res, err := client.Do(req)
	if err != nil {
		c.Status, c.What, c.Do = Warn, "its time cannot be asked for: it does not answer", "check the address and the proxy"
		return c
	}
	_ = res.Body.Close()
	return skew(c, res.Header.Get("Date"), before, time.Now())
}

// skew compares the time in a header with the two moments between which it was
// written.
func skew(c Check, date string, before, after time.Time) Check {
	theirs, err := http.ParseTime(date)
	if err != nil {
		c.What = "says no time"
		return c
	}
	// A header has whole seconds.
	var off time.Duration
	switch {
	case theirs.Before(before.Add(-time.Second)):
		off = before.Sub(theirs)
	case theirs.After(after.Add(time.Second)):
		off = theirs.Sub(after)
	}
	c.What = "its clock and ours agree"
	if off > tolerated {
		c.Status = Warn
		c.What = fmt.Sprintf("its clock and ours differ by %s", off.Round(time.Second))
		c.Do = "set the clock of this machine: tokens are taken for expired, and records bear wrong times"
	}
	return c
}
