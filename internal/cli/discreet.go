package cli

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/internal/downstream"
)

// secrets are what a server was given and may say again on its standard error,
// which the relay then does not repeat.
type secrets []string

// shortSecret is the length below which a value is no secret, but a word that
// may stand anywhere.
const shortSecret = 6

// secretsOf returns the values of a server's configured environment, the
// longest first: one may be a part of another.
func secretsOf(env map[string]string) secrets {
	values := slices.Collect(maps.Values(env))
	values = slices.DeleteFunc(values, func(v string) bool { return len(v) < shortSecret })
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	return values
}

func (s secrets) hide(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, "[hidden]")
	}
	return text
}

// discreet is a connection whose server may write its secrets to its standard
// error.
type discreet struct {
	downstream.Instance
	secrets
}

// Stderr returns the end of what the server wrote, without its secrets.
func (d discreet) Stderr() string {
	t, ok := d.Instance.(interface{ Stderr() string })
	if !ok {
		return ""
	}
	return d.hide(t.Stderr())
}

// discreetLog is a handler of a log that lines of the standard error go to.
type discreetLog struct {
	slog.Handler
	secrets
}

// Handle implements slog.Handler.
func (d discreetLog) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Value.Kind() == slog.KindString {
			a.Value = slog.StringValue(d.hide(a.Value.String()))
		}
		out.AddAttrs(a)
		return true
	})
	return d.Handler.Handle(ctx, out)
}

// WithAttrs implements slog.Handler.
func (d discreetLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return discreetLog{d.Handler.WithAttrs(attrs), d.secrets}
}

// WithGroup implements slog.Handler.
func (d discreetLog) WithGroup(name string) slog.Handler {
	return discreetLog{d.Handler.WithGroup(name), d.secrets}
}
