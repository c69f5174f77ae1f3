package scannertest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mcp-relay/relay/scanner"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

func (c *suite) describe(t *testing.T) {
	client, ctx := c.startUnconfigured(t)
	if err := client.Configure(ctx, c.config); err != nil {
		t.Fatalf("configure: %v", err)
	}
	after, err := client.scans.Describe(ctx, &scannerv1.DescribeRequest{})
	if err != nil {
		t.Fatalf("after the configuration: %v", errorFrom(err))
	}
	if !proto.Equal(c.about, after) {
		t.Errorf("the configuration changed the description from %v to %v", c.about, after)
	}
}

func (c *suite) refuseConfig(t *testing.T) {
	client, ctx := c.startUnconfigured(t)
	for _, config := range []string{`[]`, `{`, `"x"`, `{} {}`, c.badConfig} {
		var problems scanner.Problems
		if err := client.Configure(ctx, config); !errors.As(err, &problems) {
			t.Errorf("configuration %s: got %v, want scanner.Problems", config, err)
		}
		for _, p := range problems {
			if p.Message == "" {
				t.Errorf("configuration %s: the problem at %q has no message", config, p.Pointer)
			}
		}
		if config != c.badConfig {
			continue
		}
		for _, pointer := range c.badPointers {
			if !slices.ContainsFunc(problems, func(p scanner.Problem) bool { return p.Pointer == pointer }) {
				t.Errorf("configuration %s: nothing is reported at %q, only: %v", config, pointer, problems)
			}
		}
	}
	if err := client.Configure(ctx, c.config); err != nil {
		t.Errorf("a good configuration after bad ones: %v", err)
	}
	if !c.about.GetConfigurable() {
		return
	}
	if err := client.Configure(ctx, c.badConfig); err == nil {
		t.Error("a bad configuration after a good one is accepted")
	}
	if ready, err := client.Ready(ctx); err != nil || !ready {
		t.Errorf("after a refused configuration the scanner is not ready with the one before: %v", err)
	}
}

func (c *suite) notConfigured(t *testing.T) {
	if !c.about.GetConfigurable() {
		t.Skip("the scanner takes no configuration")
	}
	client, ctx := c.startUnconfigured(t)
	if ready, err := client.Ready(ctx); err != nil || ready {
		t.Errorf("ready before the configuration: %v, %v", ready, err)
	}
	v, err := client.Scan(ctx, c.plain())
	wantReason(t, v, err, scanner.ReasonNotConfigured)
}

func (c *suite) unknownValues(t *testing.T) {
	client, ctx := c.start(t)
	for name, change := range map[string]func(*scannerv1.Content){
		"no phase":      func(p *scannerv1.Content) { p.Phase = 0 },
		"unknown phase": func(p *scannerv1.Content) { p.Phase = 99 },
		"no kind":       func(p *scannerv1.Content) { p.Kind = 0 },
		"unknown kind":  func(p *scannerv1.Content) { p.Kind = -1 },
	} {
		p := contentTo(c.plain())
		change(p)
		r, err := client.scans.Scan(ctx, &scannerv1.ScanRequest{ScanId: "x", Content: p})
		if err == nil {
			t.Errorf("%s: got action %v, want an error", name, r.GetVerdict().GetAction())
			continue
		}
		wantReason(t, scanner.Verdict{}, errorFrom(err), scanner.ReasonUnsupported)
	}
}

func (c *suite) scanContents(t *testing.T) {
	client, ctx := c.start(t)
	for _, s := range c.samples {
		v, err := client.Scan(ctx, s.content())
		checkOutcome(t, s.name, s.content(), v, err)
	}
	for _, content := range c.contents {
		v, err := client.Scan(ctx, content)
		checkOutcome(t, "own content", content, v, err)
	}
	v, err := client.Scan(ctx, c.plain())
	checkOutcome(t, "plain content after all others", c.plain(), v, err)
}

func (c *suite) leaveContent(t *testing.T, s scanner.Scanner) {
	_, ctx := c.start(t)
	for _, sample := range c.samples {
		content := sample.content()
		request := bytes.Clone(content.Request)
		_, _ = s.Scan(ctx, content)
		if string(content.Data) != sample.data || !bytes.Equal(content.Request, request) {
			t.Errorf("%s: the scanner changed the content", sample.name)
		}
	}
}

// cancelled calls the scanner itself: over the wire a client would be back at
// once whatever the scanner does.
func (c *suite) cancelled(t *testing.T, s scanner.Scanner) {
	_, ctx := c.start(t)
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	content := slices.MaxFunc(c.samples, func(a, b sample) int { return len(a.data) - len(b.data) }).content()
	best := patience
	for range 3 { // the machine may be busy
		start := time.Now()
		_, _ = s.Scan(ctx, content)
		best = min(best, time.Since(start))
	}
	if best > time.Second {
		t.Errorf("after its context ended the scanner worked on for %v, at most 1s is allowed", best)
	}
}

func (c *suite) parallel(t *testing.T) {
	client, ctx := c.start(t)
	contents := []scanner.Content{c.plain()}
	for _, s := range c.samples {
		if len(s.data) < 1<<10 {
			contents = append(contents, s.content())
		}
	}
	contents = append(contents, c.contents...)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			content := contents[i%len(contents)]
			v, err := client.Scan(ctx, content)
			checkOutcome(t, "parallel scan", content, v, err)
		})
	}
	wg.Wait()
}

func (c *suite) batch(t *testing.T) {
	if !c.about.GetBatch() {
		t.Skip("the scanner judges no batches")
	}
	client, ctx := c.start(t)
	contents := append([]scanner.Content{c.plain(), c.plain()}, c.contents...)
	results, err := client.ScanBatch(ctx, contents)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		checkOutcome(t, "batch", contents[i], r.Verdict, r.Err)
	}
}

func (c *suite) drain(t *testing.T) {
	client, ctx := c.start(t)
	if err := client.Drain(ctx); err != nil {
		t.Fatalf("drain: %v", err)
	}
	if ready, err := client.Ready(ctx); err != nil || ready {
		t.Errorf("ready after draining: %v, %v", ready, err)
	}
	v, err := client.Scan(ctx, c.plain())
	wantReason(t, v, err, scanner.ReasonUnavailable)
	if err := client.Drain(ctx); err != nil {
		t.Errorf("drain again: %v", err)
	}
}

func wantReason(t *testing.T, v scanner.Verdict, err error, want scanner.Reason) {
	t.Helper()
	e, ok := errors.AsType[*scanner.Error](err)
	if !ok || e.Reason != want {
		t.Errorf("got action %v and error %v, want an error with reason %v", v.Action, err, want)
	}
}

// checkOutcome accepts a verdict that the relay accepts, or an error that says
// why there is none.
func checkOutcome(t *testing.T, name string, content scanner.Content, v scanner.Verdict, err error) {
	t.Helper()
	if err == nil {
		if err := CheckVerdict(content, v); err != nil {
			t.Errorf("%s: the relay would refuse the verdict: %v", name, err)
		}
		return
	}
	if e, ok := errors.AsType[*scanner.Error](err); !ok || e.Reason == scanner.ReasonUnspecified || e.Reason == scanner.ReasonInternal {
		t.Errorf("%s: the scan failed without a reason: %v", name, err)
	}
}
