package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mcp-relay/relay/internal/audit"
)

// step is something that a person may do, with what goes into the configuration
// for it.
type step struct {
	Text string `json:"text"`
	YAML string `json:"yaml,omitempty"`
}

// maxExceptions bounds the exceptions that are proposed.
const maxExceptions = 10

// nextSteps proposes what can be done about a scan.
func (x *explanation) nextSteps() []step {
	var steps []step
	var exceptions []string
	for i := range x.Records {
		e := &x.Records[i]
		switch {
		case e.Event == audit.Drift:
			steps = append(steps, step{Text: "relay tools diff shows what changed, relay tools approve accepts it."})
		case e.Event == audit.Decision:
			if text := decisionSteps[e.Reason]; text != "" {
				steps = append(steps, step{Text: text})
			}
		case e.Event != audit.Verdict:
		case e.Cause != "":
			steps = append(steps, failureStep(e))
		case e.Scanner == relayScanner && e.ScannerSHA256 == "" && e.Reason != crossServerSecret:
			steps = append(steps, ownStep(e))
		case e.Action != "allow":
			for j := range e.Findings {
				if f := &e.Findings[j]; !f.Excepted {
					exceptions = append(exceptions, x.exceptionFor(e, f))
				}
			}
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return strings.Compare(a.Text, b.Text) })
	steps = slices.Compact(steps)
	slices.Sort(exceptions)
	exceptions = slices.Compact(exceptions)
	if len(exceptions) == 0 {
		return steps
	}
	text := "If this is a false alarm, take it out for these rules and places, and nothing else. Into the list relay.exceptions:"
	if len(exceptions) > maxExceptions {
		exceptions = exceptions[:maxExceptions]
		text = fmt.Sprintf("If this is a false alarm: the first %d exceptions of those that it takes. Into the list relay.exceptions:",
			maxExceptions)
	}
	return append(steps, step{Text: text, YAML: "relay:\n  exceptions:\n" + strings.Join(exceptions, "")})
}

var decisionSteps = map[string]string{
	"hidden_mode":      "Remove hidden_mode from the server's entry to have it scanned.",
	"allow_unscanned":  "Take the phase out of relay.allow_unscanned and let a scanner in mode enforce cover it.",
	"uncovered":        "Add the phase and the server to a scanner in mode enforce, or the phase to relay.allow_unscanned.",
	"too_much_at_once": "Call the server less often at a time, or ask for smaller answers.",
}

// crossServerSecret is the reason of the one rule of the relay's own that takes
// exceptions.
const crossServerSecret = "cross_server_secret"

// ownStep is about what the relay itself refused.
func ownStep(e *audit.Entry) step {
	if e.Reason == "uninspected" {
		return step{
			Text: "Parts that no scanner can inspect follow relay.uninspected; an override of a scanner changes that for single " +
				"servers and tools.",
		}
	}
	return step{
		Text: "This rule keeps agents from the relay's own files and clients' configurations; no scanner setting turns it off. " +
			"Where the call was meant, make the change yourself; relay.allow_self_edit gives the protection up for everybody.",
	}
}

func failureStep(e *audit.Entry) step {
	name := "scanner " + strconv.Quote(e.Scanner)
	if e.Cause == "outage" {
		return step{
			Text: "Find out why " + name + " does not work: relay doctor, and what the relay says on standard error. With " +
				"on_error: fallback another scanner judges meanwhile.",
		}
	}
	switch e.Reason {
	case "timeout":
		return step{Text: "If such content is expected, give " + name + " more time (timeout), or ask the server for less at a time."}
	case "oversize":
		return step{Text: "Content above 8 MiB cannot be judged: ask the server for less at a time."}
	case "unsupported":
		return step{Text: "Set the phases of " + name + " to those that it judges, and let another scanner cover the rest."}
	default:
		return step{Text: "Somebody who writes such content can make " + name + " fail: look at what the server sent, and report it to " +
			"the scanner's author."}
	}
}

// exceptionFor proposes an exception for a finding, and for no more than it.
func (x *explanation) exceptionFor(e *audit.Entry, f *audit.EntryFinding) string {
	pointer, tools := f.Pointer, []string(nil)
	if e.Target != "" {
		tools = []string{e.Target}
	}
	if e.Phase == "definition" {
		pointer, tools = anyItem(pointer), x.withheld()
	}
	pointer = strings.TrimSuffix(pointer, "/...")
	if pointer != f.Pointer && strings.HasSuffix(f.Pointer, "/...") {
		pointer += "/**"
	}
	var b strings.Builder
	line := func(key, value string) {
		b.WriteString("      " + key + ": " + value + "\n")
	}
	b.WriteString("    - rule: " + literal(f.Rule) + "\n")
	if e.Scanner != relayScanner || e.ScannerSHA256 != "" { // the relay is no scanner that could be named
		line("scanners", "["+strconv.QuoteToASCII(e.Scanner)+"]")
	}
	if e.Server != "" {
		line("servers", "["+literal(e.Server)+"]")
	}
	if len(tools) > 0 {
		for i := range tools {
			tools[i] = literal(tools[i])
		}
		line("tools", "["+strings.Join(tools, ", ")+"]")
	}
	line("phases", "["+e.Phase+"]")
	if pointer != "" {
		line("pointer", strconv.QuoteToASCII(pointer))
	}
	line("reason", `"say why this is fine"`)
	return b.String()
}

// literal writes a string of somebody else's as a pattern, in quotes, that means
// it alone.
func literal(s string) string {
	return strconv.QuoteToASCII(patternSigns.Replace(s))
}

var patternSigns = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// anyItem replaces the place of an item in a catalogue by a star: it is another
// one when the server offers something new.
func anyItem(pointer string) string {
	parts := strings.Split(pointer, "/")
	if len(parts) < 3 {
		return pointer
	}
	if _, err := strconv.Atoi(parts[2]); err == nil {
		parts[2] = "*"
	}
	return strings.Join(parts, "/")
}

// withheld returns the names of what is not offered because of the scan.
func (x *explanation) withheld() []string {
	var names []string
	for i := range x.Records {
		if e := &x.Records[i]; e.Event == audit.Withheld && e.Target != "" {
			names = append(names, e.Target)
		}
	}
	return names
}
