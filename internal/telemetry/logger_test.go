package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/mcp-relay/relay/internal/telemetry"
)

const hostile = "a\x1b]52;c;eA==\x07\r\nlevel=ERROR forged\u202e\u009b\xff"

type named struct{ Name string }

type lazy struct{}

func (lazy) LogValue() slog.Value { return slog.StringValue(hostile) }

func TestForeignStringsAreHarmless(t *testing.T) {
	for _, format := range []telemetry.Format{telemetry.Text, telemetry.JSON} {
		t.Run(string(format), func(t *testing.T) {
			var out bytes.Buffer
			log, err := telemetry.NewLogger(&out, format, "debug")
			if err != nil {
				t.Fatal(err)
			}
			log.With("with", hostile).WithGroup("group").Debug(hostile,
				"string", hostile, "error", errors.New(hostile), "bytes", []byte(hostile), "struct", named{hostile},
				"lazy", lazy{}, "slice", []string{hostile}, slog.Group("inner", "string", hostile), "took", time.Second)
			line, isLine := strings.CutSuffix(out.String(), "\n")
			if !isLine || strings.Contains(line, "\n") {
				t.Fatalf("not one line: %q", out.String())
			}
			for _, r := range line {
				if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
					t.Fatalf("%U in the log: %q", r, line)
				}
			}
			if n := strings.Count(line, "forged"); n != 9 {
				t.Errorf("%d of 9 strings were logged: %s", n, line)
			}
		})
	}
}

func TestLongTextIsCut(t *testing.T) {
	var out bytes.Buffer
	log, err := telemetry.NewLogger(&out, telemetry.JSON, "info")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("long", "text", strings.Repeat("x", 1<<20))
	if out.Len() > 4096 {
		t.Errorf("a line of %d bytes", out.Len())
	}
	var record struct{ Level, Msg, Text string }
	if err := json.Unmarshal(out.Bytes(), &record); err != nil || record.Level != "INFO" || !strings.HasSuffix(record.Text, "x…") {
		t.Errorf("record %+v, %v", record, err)
	}
}

func TestLevel(t *testing.T) {
	var out bytes.Buffer
	log, err := telemetry.NewLogger(&out, telemetry.Text, "warn")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("hidden")
	log.Warn("shown")
	if got := out.String(); strings.Contains(got, "hidden") || !strings.Contains(got, "shown") {
		t.Errorf("logged %q", got)
	}
}

func TestUnknownChoices(t *testing.T) {
	if _, err := telemetry.NewLogger(nil, telemetry.Text, "loud\x1b"); err == nil || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("level: %v", err)
	}
	if _, err := telemetry.NewLogger(nil, "xml", "info"); err == nil {
		t.Error("format: no error")
	}
}
