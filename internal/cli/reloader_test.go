package cli

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/config"
)

// testFile is a configuration file that the test writes, broken without a path,
// and a relay that goes by it.
type testFile struct {
	config.Config

	refusal error // of the relay to go by the file
	adopted []*config.Config
	records []string // target, reason and outcome
}

// Write implements relay.Recorder.
func (f *testFile) Write(r *audit.Record) error {
	f.records = append(f.records, strings.TrimSpace(r.Target+" "+r.Reason+" "+r.Outcome))
	return nil
}

// follow returns what has the relay follow the file, and its log.
func (f *testFile) follow() (*reloader, *bytes.Buffer) {
	first, log := f.Config, &bytes.Buffer{}
	return &reloader{
		read: func() (*config.Config, error) {
			if f.Path == "" {
				return nil, errors.New("it is broken")
			}
			now := f.Config
			return &now, nil
		},
		adopt: func(_ context.Context, to *config.Config) error {
			if f.refusal == nil {
				f.adopted = append(f.adopted, to)
			}
			return f.refusal
		},
		audit: f, log: slog.New(slog.NewTextHandler(log, nil)), running: &first,
	}, log
}

// TestAYesIsToWhatWasShown: a file that changed since, or that is broken by now,
// is not taken over, and neither is what does not work.
func TestAYesIsToWhatWasShown(t *testing.T) {
	file := &testFile{Config: config.Config{Path: "/c", Digest: "1", Relay: config.Relay{Naming: "prefix"}}}
	r, log := file.follow()
	file.Digest, file.Relay.AllowSelfEdit, file.Relay.Naming = "2", true, "bare"
	shown, err := r.Pending(t.Context())
	if err != nil || shown.Digest != "2" || len(shown.Changes) != 2 {
		t.Fatalf("%+v, %v", shown, err)
	}
	file.Digest, file.Servers = "3", []config.Server{{Name: "new"}}
	if _, err := r.Reload(t.Context(), shown.Digest); !errors.Is(err, errAnother) {
		t.Errorf("another file: %v", err)
	}
	if _, err := r.Reload(t.Context(), ""); !errors.Is(err, errAnother) {
		t.Errorf("no digest: %v", err)
	}
	file.Path = ""
	if _, err := r.Reload(t.Context(), "3"); err == nil {
		t.Error("a broken file was taken over")
	}
	if p, err := r.Pending(t.Context()); err != nil || len(p.Problems) != 1 {
		t.Errorf("a broken file: %+v, %v", p, err)
	}
	file.Path, file.refusal = "/c", errors.New("not ready")
	if _, err := r.Reload(t.Context(), "3"); !errors.Is(err, file.refusal) {
		t.Errorf("what does not work: %v", err)
	}
	if len(file.adopted) != 0 || r.Status().Reloads != 0 {
		t.Fatalf("adopted %d", len(file.adopted))
	}
	file.refusal = nil
	rest, err := r.Reload(t.Context(), "3")
	if err != nil || len(rest.Changes) != 1 || rest.Changes[0].Path != "relay.naming" || rest.Changes[0].Effect != "restart" {
		t.Errorf("left: %+v, %v", rest, err)
	}
	if len(file.adopted) != 1 || r.Status().Reloads != 1 || file.adopted[0].Relay.Naming != "prefix" || len(file.adopted[0].Servers) != 1 {
		t.Errorf("adopted %+v", file.adopted)
	}
	if got := strings.Join(file.records, "; "); got != "mcpServers.new executes accepted; relay.naming restart held; relay.allow_self_edit weakens accepted" {
		t.Errorf("recorded %s", got)
	}
	// What needs a restart was said, and holds nothing up that is said again.
	log.Reset()
	r.look(t.Context())
	if log.Len() != 0 {
		t.Errorf("said again: %s", log)
	}
}

// TestLookSaysThingsOnce: the watch and signals come again and again.
func TestLookSaysThingsOnce(t *testing.T) {
	file := &testFile{Config: config.Config{Path: "/c", Digest: "1", Relay: config.Relay{LogLevel: "info"}}}
	r, log := file.follow()
	looks := func(want int, words string) {
		t.Helper()
		log.Reset()
		for range 3 {
			r.look(t.Context())
		}
		if n := strings.Count(log.String(), words); n != want {
			t.Errorf("said %d times %q:\n%s", n, words, log)
		}
	}
	looks(0, "msg")
	file.Digest, file.Relay.AllowSelfEdit, file.Relay.LogLevel = "2", true, "debug"
	looks(1, saidNothingOf)
	file.Path = ""
	looks(1, "it is broken")
	file.Path = "/c"
	looks(1, saidNothingOf)
	file.Digest, file.Relay.AllowSelfEdit, file.refusal = "3", false, errors.New("not ready")
	looks(1, "not ready")
	if len(file.adopted) != 0 {
		t.Error("something was adopted")
	}
	file.refusal = nil
	looks(1, "took the changed configuration file over")
	const held = "relay.allow_self_edit weakens held; relay.log_level harmless held"
	if got := strings.Join(file.records, "; "); got != held+"; unusable held; "+held+"; relay.log_level harmless applied" {
		t.Errorf("recorded %s", got)
	}
	if len(file.adopted) != 1 || file.adopted[0].Relay.LogLevel != "debug" {
		t.Errorf("adopted %+v", file.adopted)
	}
}

const saidNothingOf = "nothing of the changed configuration file is taken over"
