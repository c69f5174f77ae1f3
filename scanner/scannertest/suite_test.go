package scannertest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

// faultVariable names the fault of the scanner that a second run of this test
// binary is to judge.
const faultVariable = "SCANNERTEST_FAULT"

// faulty has one fault, or none.
type faulty struct{ fault string }

func (f *faulty) Describe() scanner.Info {
	return scanner.Info{Name: "faulty", Version: "1", Kinds: []scanner.Kind{scanner.KindText}}
}

func (f *faulty) Configure(_ context.Context, config []byte) error {
	if string(config) == "{}" || f.fault == "takes any configuration" {
		return nil
	}
	if f.fault == "error instead of problems" {
		return errors.New("bad")
	}
	return scanner.Problems{{Message: "there is nothing to configure"}}
}

func (f *faulty) Scan(ctx context.Context, c scanner.Content) (scanner.Verdict, error) {
	if err := ctx.Err(); err != nil && f.fault != "ignores the end of its context" {
		return scanner.Verdict{}, err
	}
	switch {
	case f.fault == "ignores the end of its context" && ctx.Err() != nil:
		time.Sleep(1100 * time.Millisecond)
	case f.fault == "panics" && len(c.Data) == 0:
		panic("empty")
	case f.fault == "location outside" && len(c.Data) > 0:
		return scanner.Redact(scanner.Finding{
			Rule: "r", Category: "c", Redact: true, Location: scanner.Location{Start: 0, End: len(c.Data) + 1},
		}), nil
	case f.fault == "changes content" && len(c.Data) > 0:
		c.Data[0]++
	case f.fault == "error without a reason":
		return scanner.Verdict{}, errors.New("no")
	case f.fault == "no action":
		return scanner.Verdict{}, nil
	}
	return scanner.Allow(), nil
}

func (f *faulty) Drain(context.Context) error {
	if f.fault == "cannot drain" {
		return errors.New("no")
	}
	return nil
}

// TestFaulty is what the second run runs.
func TestFaulty(t *testing.T) {
	fault, ok := os.LookupEnv(faultVariable)
	if !ok {
		t.Skip("run by TestSuiteFindsFaults")
	}
	Run(t, &faulty{fault})
}

func TestSuiteFindsFaults(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for fault, check := range map[string]string{
		"":                               "",
		"takes any configuration":        "bad-configuration",
		"error instead of problems":      "bad-configuration",
		"ignores the end of its context": "returns-when-cancelled",
		"panics":                         "empty",
		"location outside":               "locations",
		"changes content":                "content-unchanged",
		"error without a reason":         "phases-and-kinds",
		"no action":                      "phases-and-kinds",
		"cannot drain":                   "drain",
	} {
		cmd := exec.Command(binary, "-test.run=^TestFaulty$", "-test.v")
		cmd.Env = append(os.Environ(), faultVariable+"="+fault)
		out, err := cmd.CombinedOutput()
		if fault == "" {
			if err != nil {
				t.Errorf("a good scanner fails: %s", out)
			}
			continue
		}
		if err == nil || !strings.Contains(string(out), "--- FAIL: TestFaulty/"+check) {
			t.Errorf("%s: check %s does not find it: %s", fault, check, out)
		}
	}
}
