package conformance

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// contentChecks are about what can be asked.
func contentChecks() []check {
	answered := "is answered with a verdict, or an error that says why there is none"
	return []check{
		{
			name: "phases-and-kinds", section: onScans, need: configured, run: scans(least),
			expected: "each phase and kind " + answered,
		},
		{
			name: "empty", section: onScans, need: configured, run: scans(hollow),
			expected: "content without a byte " + answered,
		},
		{
			name: "messages", section: onScans, need: configured, run: scans(usual),
			expected: "what MCP clients and servers say " + answered,
		},
		{
			name: "odd-json", section: onScans, need: configured, run: scans(odd),
			expected: "odd but valid JSON (deep, wide, lone surrogates) " + answered,
		},
		{
			name: "invalid-utf8", section: onScans, need: configured, run: scans(invalid),
			expected: "text of invalid UTF-8 " + answered,
		},
		{
			name: "large", section: onScans, need: configured, run: scans(large),
			expected: "content of 8 MiB " + answered,
		},
		{
			name: "given-contents", section: onScans, need: configured, run: scansGiven,
			expected: "each content that was given " + answered,
		},
		{
			name: "unknown-values", section: onErrors, need: configured, run: refusesUnknown,
			expected: "an unknown phase or kind is refused with REASON_UNSUPPORTED",
		},
		{
			name: "unknown-fields", section: onChanges, need: configured, run: ignoresUnknown,
			expected: "fields that it does not know are ignored",
		},
		{
			name: "scan-id", section: onScans, need: configured, run: echoes,
			expected: "an answer repeats the scan id; an id that the contract forbids is refused",
		},
		{
			name: "oversize", section: onScans, need: configured, run: refusesOversize,
			expected: "content and messages above the limits are refused, and what follows is judged",
		},
		{
			name: "unforeseen-failure", section: onErrors, need: configured, run: survives,
			expected: "a failure that nobody foresaw costs the one scan, with REASON_INTERNAL, and not the process",
		},
		{
			name: "content-unchanged", section: onScans, need: configured, value: true, run: leavesContent,
			expected: "Scan does not change the content",
		},
		{
			name: "returns-when-cancelled", section: onScans, need: configured, value: true, run: returns,
			expected: "Scan returns within a second after its context ended",
		},
	}
}

// scans is the check that the samples of one sort are answered.
func scans(sort sort) func(*probe) {
	return func(p *probe) {
		l := p.ready()
		if l == nil {
			return
		}
		asked := false
		for _, s := range p.suite.samples {
			if s.sort != sort {
				continue
			}
			asked = true
			p.scan(l, s.title(), s.content())
			if !l.alive() {
				return
			}
		}
		if !asked {
			p.skip("the scanner judges none of it")
			return
		}
		if sort == large && len(p.faults) == 0 { // whatever it made of it, others must be judged still
			p.scan(l, "a small content afterwards", p.suite.plain())
		}
	}
}

func scansGiven(p *probe) {
	if len(p.suite.opts.Contents) == 0 {
		p.skip("no contents were given")
		return
	}
	l := p.ready()
	if l == nil {
		return
	}
	for i, c := range p.suite.opts.Contents {
		p.scan(l, "content "+ordinal(i), c)
	}
}

func refusesUnknown(p *probe) {
	l := p.ready()
	if l == nil {
		return
	}
	for _, test := range []struct {
		name   string
		change func(*scannerv1.Content)
	}{
		{"no phase", func(c *scannerv1.Content) { c.Phase = 0 }},
		{"phase 99", func(c *scannerv1.Content) { c.Phase = 99 }},
		{"no kind", func(c *scannerv1.Content) { c.Kind = 0 }},
		{"kind -1", func(c *scannerv1.Content) { c.Kind = -1 }},
	} {
		content := contentTo(p.suite.plain())
		test.change(content)
		r, err := l.scans.Scan(p.ctx, &scannerv1.ScanRequest{ScanId: "x", Content: content})
		if err != nil {
			err = errorFrom(err)
		}
		p.wantReason(test.name, verdictFrom(r.GetVerdict()), err, scanner.ReasonUnsupported)
	}
}

func ignoresUnknown(p *probe) {
	l := p.ready()
	if l == nil {
		return
	}
	field := protowire.AppendString(protowire.AppendTag(nil, 1000, protowire.BytesType), "from a later version")
	content := contentTo(p.suite.plain())
	content.ProtoReflect().SetUnknown(field)
	request := &scannerv1.ScanRequest{ScanId: "x", Content: content}
	request.ProtoReflect().SetUnknown(field)
	if _, err := l.scans.Scan(p.ctx, request); err != nil {
		if _, plain := l.Scan(p.ctx, p.suite.plain()); plain == nil {
			p.fault("a scan with an unknown field fails: %v", errorFrom(err))
		}
	}
	describe := &scannerv1.DescribeRequest{}
	describe.ProtoReflect().SetUnknown(field)
	if _, err := l.scans.Describe(p.ctx, describe); err != nil {
		p.fault("Describe with an unknown field fails: %v", errorFrom(err))
	}
}

func echoes(p *probe) {
	l := p.ready()
	if l == nil {
		return
	}
	content := contentTo(p.suite.plain())
	for _, id := range []string{"x", "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~\\", strings.Repeat("a", handshake.MaxScanID)} {
		r, err := l.scans.Scan(p.ctx, &scannerv1.ScanRequest{ScanId: id, Content: content})
		if err == nil && r.GetScanId() != id {
			p.fault("asked about scan %q, it answers about %.80q", id, r.GetScanId())
		}
	}
	for name, id := range map[string]string{
		"no scan id": "", "a scan id of 65 bytes": strings.Repeat("a", handshake.MaxScanID+1), "a scan id with a line break": "a\nb",
	} {
		if _, err := l.scans.Scan(p.ctx, &scannerv1.ScanRequest{ScanId: id, Content: content}); err == nil {
			p.fault("%s is accepted", name)
		}
	}
}

func refusesOversize(p *probe) {
	l := p.ready()
	if l == nil {
		return
	}
	content := p.suite.plain()
	for _, test := range []struct {
		name          string
		data, request int
	}{
		{"content of 8 MiB and a byte", handshake.MaxContent + 1, 0},
		{"a request of 1 MiB and a byte beside it", 0, handshake.MaxRequest + 1},
		{"a message above 24 MiB", handshake.MaxMessage + 1, 0},
	} {
		c := content
		if test.data > 0 {
			c.Data = slices.Concat([]byte(`"`), bytes.Repeat([]byte("a"), test.data-2), []byte(`"`))
		}
		if test.request > 0 {
			c.Request = bytes.Repeat([]byte("a"), test.request)
		}
		v, err := l.Scan(p.ctx, c)
		if err == nil {
			p.fault("%s is judged, with the action %v", test.name, v.Action)
		} else if words, ended := l.ended(err); ended {
			p.fault("%s: the process ended%s", test.name, words)
			return
		}
	}
	p.scan(l, "a small content afterwards", content)
}

func survives(p *probe) {
	c := p.suite.opts.Crash
	if c == nil {
		p.skip("it cannot be provoked from outside: give a content on which the scanner fails, if you know one")
		return
	}
	l := p.own()
	if l == nil {
		return
	}
	v, err := l.Scan(p.ctx, *c)
	if words, ended := l.ended(err); ended {
		p.fault("the process ended%s", words)
		return
	}
	p.wantReason("the content that was given", v, err, scanner.ReasonInternal)
	if err != nil && !l.detailed(err) {
		p.fault("the call failed without a ScanError among its details")
	}
	p.scan(l, "a content afterwards", p.suite.plain())
}

func leavesContent(p *probe) {
	if p.own() == nil {
		return
	}
	for _, s := range p.suite.samples {
		content := s.content()
		request := bytes.Clone(content.Request)
		p.suite.scanItself(p.ctx, content)
		if string(content.Data) != s.data || !bytes.Equal(content.Request, request) {
			p.fault("%s: the scanner changed it", s.title())
		}
	}
}

// scanItself calls a scanner without anything between. A panic is not what the
// caller asks about.
func (s *suite) scanItself(ctx context.Context, c scanner.Content) {
	defer func() { _ = recover() }()
	_, _ = s.value.Scan(ctx, c)
}

// returns calls the scanner itself: over the wire a client would be back at once
// whatever the scanner does.
func returns(p *probe) {
	if p.own() == nil {
		return
	}
	ctx, cancel := context.WithCancel(p.ctx)
	cancel()
	content := slices.MaxFunc(p.suite.samples, func(a, b sample) int { return len(a.data) - len(b.data) }).content()
	best := patience
	for range 3 { // the machine may be busy
		start := time.Now()
		p.suite.scanItself(ctx, content)
		best = min(best, time.Since(start))
	}
	if best > time.Second {
		p.fault("it worked on for %v", best.Round(time.Millisecond))
	}
}
