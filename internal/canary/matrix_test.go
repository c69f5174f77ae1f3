package canary

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/verdict"
)

// modeOf has every scanner's word count in the mode that its name says.
type modeOf struct{}

func (modeOf) Mode(_, scanner string, _ verdict.Phase, _ string) string {
	mode, _, _ := strings.Cut(scanner, "-")
	if mode == "unrecorded" {
		return ""
	}
	return mode
}

type fixed struct {
	verdict verdict.Verdict
	err     error
}

func (f fixed) Scan(context.Context, verdict.Content) (verdict.Verdict, error) {
	return f.verdict, f.err
}

var (
	blocks = fixed{verdict: verdict.Verdict{Action: verdict.Block}}
	allows = fixed{verdict: verdict.Verdict{Action: verdict.Allow}}
	fails  = fixed{err: &verdict.Failure{Reason: "timeout"}}
	breaks = fixed{err: errors.New("what")}
)

// played returns the matrix of one conversation in which every text was shown to
// the scanners of its phase, and arrived when leaks says so.
func played(t *testing.T, scanners map[string]fixed, leaks bool, p Policy, except ...verdict.Phase) *Matrix {
	t.Helper()
	w, run := NewWitness(), NewRun()
	w.Follow(run)
	c := Conversation{Server: "s", Way: Ways[0], Run: run, AtClient: NewArrivals(run), AtHost: NewArrivals(run)}
	for i := range Steps {
		for _, v := range []Variant{Plain, Bad} {
			text := []byte(run.text(i, v))
			skip := false
			for _, phase := range except {
				skip = skip || phase == Steps[i].Phase
			}
			for name, s := range scanners {
				if !skip {
					content := verdict.Content{Phase: Steps[i].Phase, Data: text, Origin: verdict.Origin{Method: Steps[i].Method}}
					_, _ = w.Watch(name, s).Scan(t.Context(), content)
				}
			}
			if leaks || v == Plain && !skip {
				c.AtClient.Note(text)
				c.AtHost.Note(text)
			}
		}
	}
	m := NewMatrix([]Conversation{c}, w, modeOf{}, p)
	m.Scans["enforce"] = w.Scans("enforce")
	return m
}

// The matrix can fail: each way in which something is not judged is found.
func TestMatrixFindsHoles(t *testing.T) {
	for _, c := range []struct {
		name     string
		scanners map[string]fixed
		leaks    bool
		policy   Policy
		except   []verdict.Phase
		want     string // in a problem; empty: there is none
	}{
		{"all is judged", map[string]fixed{"enforce": blocks}, false, Policy{}, nil, ""},
		{"beside an observer", map[string]fixed{"enforce": blocks, "observe": allows}, false, Policy{}, nil, ""},
		{"one fails beside another", map[string]fixed{"enforce": blocks, "enforce-2": fails}, false, Policy{}, nil, ""},
		{"nobody judges", nil, true, Policy{}, nil, "tools/call passed unjudged"},
		{"nobody judges one phase", map[string]fixed{"enforce": blocks}, true, Policy{}, []verdict.Phase{verdict.Notification}, "notifications/message passed unjudged"},
		{"one phase is held back", map[string]fixed{"enforce": blocks}, false, Policy{}, []verdict.Phase{verdict.Response}, "phase response went unjudged"},
		{"only observers", map[string]fixed{"observe": blocks}, true, Policy{}, nil, "tools/list is only observed"},
		{"a failure lets pass", map[string]fixed{"enforce": fails}, true, Policy{}, nil, "tools/list passed unjudged"},
		{"a failure holds back", map[string]fixed{"enforce": breaks}, false, Policy{}, nil, "got no verdict and was held back"},
		{"no record", map[string]fixed{"unrecorded": allows}, true, Policy{}, nil, "passed unjudged"},
		{"hidden", nil, true, Policy{Hidden: []string{"s"}}, nil, "hidden_mode"},
		{"hidden, as expected", nil, true, Policy{Hidden: []string{"s"}, ExpectHidden: []string{"s"}}, nil, ""},
		{"not hidden, though expected", map[string]fixed{"enforce": blocks}, false, Policy{ExpectHidden: []string{"s"}}, nil, "is expected to be hidden"},
	} {
		m := played(t, c.scanners, c.leaks, c.policy, c.except...)
		all := strings.Join(m.Problems, "\n")
		if c.want == "" && m.Failed() || c.want != "" && !strings.Contains(all, c.want) {
			t.Errorf("%s: want %q in:\n%s", c.name, c.want, all)
		}
		var out strings.Builder
		if err := m.Print(&out); err != nil || strings.Contains(out.String(), "every phase") == m.Failed() {
			t.Errorf("%s: %v\n%s", c.name, err, out.String())
		}
	}
}

// What a scanner lets pass that judged it is a note, and no hole.
func TestMatrixNotes(t *testing.T) {
	m := played(t, map[string]fixed{"enforce": allows}, true, Policy{})
	if m.Failed() || len(m.Notes) != len(Steps) || m.Scans["enforce"] != 2*len(Steps) {
		t.Errorf("%s %s %v", m.Problems, m.Notes, m.Scans)
	}
}

func TestMatrixSaysWhyItEnded(t *testing.T) {
	w, run := NewWitness(), NewRun()
	c := Conversation{Server: "s", Way: Ways[0], Run: run, AtClient: NewArrivals(run), AtHost: NewArrivals(run), Err: errGone}
	if m := NewMatrix([]Conversation{c}, w, modeOf{}, Policy{}); !m.Failed() || !strings.Contains(m.Problems[0], "ended early") {
		t.Errorf("%s", m.Problems)
	}
}
