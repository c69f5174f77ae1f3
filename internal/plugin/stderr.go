package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/printable"
)

const (
	maxLine      = 2 << 10 // what of a line is logged
	tailSize     = 4 << 10 // what is kept for the error of a failed start
	linesPerBeat = 50      // logged per second; the rest is counted
	bytesPerBeat = 4 << 20 // read per second; a scanner that writes more waits
	beat         = time.Second
)

// stderr reads what a scanner writes to its standard error and logs it, a
// bounded amount of bounded lines without anything that a terminal would obey.
type stderr struct {
	log *slog.Logger

	mu   sync.Mutex
	tail []byte // the last of it, as it came
}

// follow reads r to its end.
func (s *stderr) follow(ctx context.Context, r io.Reader) {
	var (
		line           []byte
		lines, dropped int
		read           int
		start          = time.Now()
		buf            = make([]byte, 4<<10)
	)
	for {
		n, err := r.Read(buf)
		s.keep(buf[:n])
		if time.Since(start) >= beat {
			s.report(ctx, dropped)
			lines, dropped, read, start = 0, 0, 0, time.Now()
		}
		for rest := buf[:n]; len(rest) > 0; {
			part, after, ended := bytes.Cut(rest, []byte("\n"))
			rest = after
			line = append(line, part[:min(len(part), maxLine+1-len(line))]...)
			if !ended {
				continue
			}
			if lines < linesPerBeat {
				s.line(ctx, line)
				lines++
			} else {
				dropped++
			}
			line = line[:0]
		}
		if err != nil {
			if len(line) > 0 {
				s.line(ctx, line)
			}
			s.report(ctx, dropped)
			return
		}
		if read += n; read >= bytesPerBeat {
			time.Sleep(beat - time.Since(start)) // the pipe fills and the scanner waits
		}
	}
}

func (s *stderr) report(ctx context.Context, dropped int) {
	if dropped > 0 {
		s.log.WarnContext(ctx, "scanner logs too much, lines were dropped", "lines", dropped)
	}
}

func (s *stderr) keep(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail = append(s.tail, b...)
	if over := len(s.tail) - tailSize; over > 0 {
		s.tail = append(s.tail[:0], s.tail[over:]...)
	}
}

// last returns the end of what was written, on one line and escaped.
func (s *stderr) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return printable.Escape(strings.TrimSpace(string(s.tail)), tailSize)
}

// line logs one line. JSON as hclog and our SDK write it keeps its level and
// message; whatever else it is, it is text.
func (s *stderr) line(ctx context.Context, raw []byte) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return
	}
	level, message, fields := slog.LevelInfo, string(raw), ""
	var entry map[string]json.RawMessage
	if raw[0] == '{' && len(raw) <= maxLine && json.Unmarshal(raw, &entry) == nil {
		if text, ok := takeString(entry, "@message"); ok {
			message = text
			if name, ok := takeString(entry, "@level"); ok {
				level = levelOf(name)
			}
			takeString(entry, "@timestamp")
			fields = flatten(entry)
		}
	}
	if !s.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("text", printable.Escape(message, maxLine))}
	if fields != "" {
		attrs = append(attrs, slog.String("fields", printable.Escape(fields, maxLine)))
	}
	s.log.LogAttrs(ctx, level, "scanner says", attrs...)
}

// takeString removes a member and returns it if it is a string.
func takeString(entry map[string]json.RawMessage, name string) (string, bool) {
	raw, ok := entry[name]
	delete(entry, name)
	var text string
	if !ok || len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return "", false
	}
	return text, true
}

// flatten renders what else an entry holds as one JSON object, or "".
func flatten(entry map[string]json.RawMessage) string {
	if len(entry) == 0 {
		return ""
	}
	raw, err := json.Marshal(entry)
	if err != nil {
		return ""
	}
	return string(raw)
}

func levelOf(name string) slog.Level {
	switch name {
	case "trace", "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}
