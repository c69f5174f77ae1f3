package scanner_test

import (
	"context"
	"errors"
	"testing"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/handshake"
	"github.com/mcp-relay/relay/scanner/scannertest"
)

// configured records its configurations.
type configured struct {
	scanFunc

	got []string
	err error
}

func (c *configured) Configure(_ context.Context, config []byte) error {
	c.got = append(c.got, string(config))
	return c.err
}

func allow(context.Context, scanner.Content) (scanner.Verdict, error) { return scanner.Allow(), nil }

func TestConfigure(t *testing.T) {
	s := &configured{scanFunc: allow}
	c := scannertest.New(t, s)
	ready := func(want bool) {
		t.Helper()
		if got, err := c.Ready(t.Context()); err != nil || got != want {
			t.Errorf("ready: got %v, %v, want %v", got, err, want)
		}
	}
	ready(false)

	s.err = scanner.Problems{{Pointer: "/a", Message: "one"}, {Message: "two"}}
	err := c.Configure(t.Context(), `{"a":1}`)
	if err == nil || err.Error() != "\"/a\": one\ntwo" {
		t.Errorf("problems: got %v", err)
	}
	ready(false)

	s.err = &scanner.Error{Reason: scanner.ReasonUnavailable}
	if e, ok := errors.AsType[*scanner.Error](c.Configure(t.Context(), `{}`)); !ok || e.Reason != scanner.ReasonUnavailable {
		t.Errorf("error: got %v", e)
	}
	ready(false)

	s.err = nil
	for _, config := range []string{"", " ", `{"b":2}`} {
		if err := c.Configure(t.Context(), config); err != nil {
			t.Errorf("%q: %v", config, err)
		}
	}
	if n := len(s.got); n < 3 || s.got[n-3] != "{}" || s.got[n-2] != "{}" || s.got[n-1] != `{"b":2}` {
		t.Errorf("the scanner got %q", s.got)
	}
	ready(true)

	seen := len(s.got)
	for _, config := range []string{"null", "[]", `"x"`, "{", "{} {}", "{" + string(make([]byte, handshake.MaxConfig)) + "}"} {
		if _, ok := errors.AsType[scanner.Problems](c.Configure(t.Context(), config)); !ok {
			t.Errorf("%.20q was not refused", config)
		}
	}
	if len(s.got) != seen {
		t.Error("the scanner was given what is no configuration")
	}
	ready(true)
}

func TestConfigurationWithoutConfigurer(t *testing.T) {
	c := scannertest.New(t, scanFunc(allow))
	for config, refused := range map[string]bool{"": false, "{}": false, "\t{ }\n": false, `{"a":1}`: true} {
		if err := c.Configure(t.Context(), config); (err != nil) != refused {
			t.Errorf("%q: got %v", config, err)
		}
	}
	if ready, err := c.Ready(t.Context()); err != nil || !ready {
		t.Errorf("ready: %v, %v", ready, err)
	}
}
