package scanner

import (
	"io"
	"log/slog"
	"strings"
)

// hclogTime is the format in which hclog writes times.
const hclogTime = "2006-01-02T15:04:05.000000Z07:00"

// newLogger returns a logger whose lines the relay reads with their level and
// attributes: JSON as go-hclog writes it.
func newLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: hclogAttr}))
}

// hclogAttr renames slog's own attributes. Names that begin with @ belong to the
// format and always hold strings; an attribute that a scanner named like one of
// them, or like slog's, must not break that.
func hclogAttr(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		if a.Value.Kind() == slog.KindTime {
			return slog.String("@timestamp", a.Value.Time().Format(hclogTime))
		}
	case slog.LevelKey:
		if level, ok := a.Value.Any().(slog.Level); ok {
			return slog.String("@level", hclogLevel(level))
		}
	case slog.MessageKey:
		return slog.String("@message", a.Value.String())
	default:
		a.Key = strings.TrimLeft(a.Key, "@")
	}
	return a
}

func hclogLevel(level slog.Level) string {
	switch {
	case level < slog.LevelDebug:
		return "trace"
	case level < slog.LevelInfo:
		return "debug"
	case level < slog.LevelWarn:
		return "info"
	case level < slog.LevelError:
		return "warn"
	default:
		return "error"
	}
}
