package telemetry

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/mcp-relay/relay/internal/printable"
)

// maxText is how many bytes of one attribute's text are logged.
const maxText = 2048

// Format is the shape of log lines.
type Format string

// The formats.
const (
	Text Format = "text" // key=value, for people
	JSON Format = "json" // one JSON object per line, for machines
)

// NewLogger returns a logger that writes records of at least the given level to
// w, one line each. The logger may be used by many goroutines; w sees one
// Write per line. An unknown format or level is an error that names the choices.
func NewLogger(w io.Writer, format Format, level string) (*slog.Logger, error) {
	log, _, err := NewAdjustable(w, format, level)
	return log, err
}

// NewAdjustable is NewLogger with a level that may be set while the logger is
// used.
func NewAdjustable(w io.Writer, format Format, level string) (*slog.Logger, *slog.LevelVar, error) {
	threshold := &slog.LevelVar{}
	if err := threshold.UnmarshalText([]byte(level)); err != nil {
		return nil, nil, fmt.Errorf("unknown log level %s: use debug, info, warn or error", printable.String(level))
	}
	options := &slog.HandlerOptions{Level: threshold, ReplaceAttr: safe}
	switch format {
	case Text:
		return slog.New(slog.NewTextHandler(w, options)), threshold, nil
	case JSON:
		return slog.New(slog.NewJSONHandler(w, options)), threshold, nil
	default:
		return nil, nil, fmt.Errorf("unknown log format %s: use text or json", printable.String(string(format)))
	}
}

// safe makes every text of a record printable. slog resolves LogValuers before
// it and calls it for members of groups, not for groups.
func safe(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(printable.Escape(a.Value.String(), maxText))
	case slog.KindAny:
		if _, builtIn := a.Value.Any().(slog.Level); !builtIn {
			a.Value = slog.StringValue(printable.Escape(text(a.Value.Any()), maxText))
		}
	default: // numbers, times and durations show no text of others
	}
	return a
}

func text(value any) string {
	if raw, ok := value.([]byte); ok {
		return string(raw)
	}
	return fmt.Sprint(value)
}
