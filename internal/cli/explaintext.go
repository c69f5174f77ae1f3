package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/bundled"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/printable"
)

// print says in plain words what the records of a scan say. Everything in them
// may be of others' making.
func (x *explanation) print(out io.Writer) {
	first := &x.Records[0]
	fmt.Fprintf(out, "scan %s: %s\n\n", x.ScanID, x.outcome()+x.early())
	fmt.Fprintf(out, "when     %s\n", first.Time.UTC().Format(time.DateTime+" UTC"))
	fmt.Fprintf(out, "what     %s\n", what(first))
	if who := who(first); who != "" {
		fmt.Fprintf(out, "who      %s\n", who)
	}
	for i := range x.Records {
		x.printRecord(out, &x.Records[i])
	}
	if len(x.Steps) == 0 {
		return
	}
	fmt.Fprint(out, "\nWhat you can do\n")
	for i := range x.Steps {
		fmt.Fprintf(out, "\n- %s\n", x.Steps[i].Text)
		for line := range strings.Lines(x.Steps[i].YAML) {
			fmt.Fprint(out, "    "+line)
		}
	}
}

// outcome says what became of the message.
func (x *explanation) outcome() string {
	words := map[string]string{
		"blocked": "it was blocked", "held_back": "it was held back, because there was no verdict",
		"passed": "it passed", "passed_in_part": "it passed in part",
	}
	for i := range x.Records {
		if word, ok := words[x.Records[i].Outcome]; ok {
			return word
		}
	}
	for i := range x.Records {
		switch e := &x.Records[i]; {
		case e.Event == audit.Withheld:
			return "something is not offered"
		case e.Event != audit.Decision:
		case e.Action == "allow":
			return "it passed without a verdict"
		case e.Action == "redact":
			return "it passed without its text"
		default:
			return "it was held back"
		}
	}
	return "only observers looked at it"
}

// early says when the server had the message before its verdict.
func (x *explanation) early() string {
	for i := range x.Records {
		if x.Records[i].Overlapped {
			return "; the server had it before the verdict, as relay.overlap names it"
		}
	}
	return ""
}

// what names the message.
func what(e *audit.Entry) string {
	kind := map[string]string{
		"definition": "definitions", "request": "a request to", "response": "an answer of",
		"server_request": "a question of", "notification": "a notification of",
	}[e.Phase]
	server := "server " + printable.String(e.Server)
	if e.Server == "" {
		server = "the relay"
	}
	if e.Phase == "definition" {
		server = "of " + server
	}
	text := strings.TrimSpace(kind + " " + server)
	if e.Method != "" {
		text += ", " + printable.String(e.Method)
	}
	if e.Target != "" && e.Event != audit.Withheld {
		text += " " + printable.String(e.Target)
	}
	return text
}

// who names the client, as far as it is known.
func who(e *audit.Entry) string {
	if e.Principal == "" && e.Session == "" {
		return ""
	}
	text := "principal " + printable.String(e.Principal)
	if e.Client != "" {
		text += ", a client that calls itself " + printable.String(e.Client)
	}
	if e.Session != "" {
		text += ", session " + printable.String(e.Session)
	}
	return text
}

func (x *explanation) printRecord(out io.Writer, e *audit.Entry) {
	switch e.Event {
	case audit.Verdict:
		x.printVerdict(out, e)
	case audit.Drift:
		fmt.Fprintf(out, "\nchanged since it was last offered: %s (%s), %s\n", printable.String(e.Target),
			printable.Escape(e.Reason, printable.MaxBytes), printable.String(e.Outcome))
	case audit.Withheld:
		fmt.Fprintf(out, "\nnot offered: %s (%s)\n", printable.String(e.Target), printable.Escape(e.Reason, printable.MaxBytes))
	default:
		text := decisionTexts[e.Reason]
		if text == "" {
			text = printable.Escape(e.Reason, printable.MaxBytes)
		}
		fmt.Fprintf(out, "\nthe relay, without a scanner: %s: %s\n", printable.String(e.Action), text)
	}
}

var decisionTexts = map[string]string{
	"hidden_mode":      "the server has hidden_mode, so nothing of it is scanned",
	"allow_unscanned":  "relay.allow_unscanned lets this phase pass without a scanner",
	"uncovered":        "no scanner enforces this phase for this server",
	"too_much_at_once": "too much of this server waited for a verdict at the same time",
}

func (x *explanation) printVerdict(out io.Writer, e *audit.Entry) {
	head := "scanner " + printable.String(e.Scanner)
	if e.Scanner == relayScanner && e.ScannerSHA256 == "" {
		head = "the relay's own rule " + printable.String(e.Reason)
	}
	switch e.Mode {
	case "", config.ModeEnforce:
	case config.ModeObserve:
		head += " (observes: its verdict changes nothing)"
	default:
		head += " (" + printable.String(e.Mode) + ")"
	}
	if e.InsteadOf != "" {
		head += ", in place of " + printable.String(e.InsteadOf)
	}
	fmt.Fprintf(out, "\n%s: %s\n", head, said(e))
	if e.Effective != "" {
		fmt.Fprintf(out, "  counted as %s, by its threshold, an exception or the policy for requests\n", printable.String(e.Effective))
	}
	for i := range e.Findings {
		f := &e.Findings[i]
		fmt.Fprintf(out, "  - %s, %s, severity %s, at %s\n",
			printable.String(f.Rule), printable.String(f.Category), printable.String(f.Severity), spot(f))
		if f.Excepted {
			fmt.Fprintln(out, "    an exception takes it out: it did not count")
		}
		if title, reason := bundled.Explain(x.plugin(e.Scanner), f.Rule); title != "" {
			fmt.Fprintf(out, "    %s\n", strings.TrimSpace(strings.TrimSuffix(title, ".")+". "+reason))
		}
	}
	if e.FindingsOmitted > 0 {
		fmt.Fprintf(out, "  and %d findings more, which the record leaves out\n", e.FindingsOmitted)
	}
	for i := range e.Uninspected {
		fmt.Fprintf(out, "  not inspected: %s (%s)\n",
			place(e.Uninspected[i].Pointer), printable.Escape(e.Uninspected[i].Reason, printable.MaxBytes))
	}
	if e.Reference != "" {
		fmt.Fprintf(out, "  the scanner's own id of this scan: %s\n", printable.String(e.Reference))
	}
	if e.Link != "" {
		fmt.Fprintf(out, "  where the scanner says that more is found: %s\n", printable.Escape(e.Link, longestLink))
	}
	if e.ScannerUS > 0 {
		fmt.Fprintf(out, "  it took %s\n", time.Duration(e.ScannerUS)*time.Microsecond)
	}
}

// longestLink is how much of an address is shown: part of one leads nowhere.
const longestLink = 1 << 10

// relayScanner is the scanner of records about the relay's own rules.
const relayScanner = "relay"

// plugin returns what a scanner runs. Without a configuration that knows it, it
// may be the embedded one.
func (x *explanation) plugin(scanner string) string {
	if x.cfg != nil {
		for i := range x.cfg.Relay.Scanners {
			if s := &x.cfg.Relay.Scanners[i]; s.Name == scanner {
				return s.Plugin
			}
		}
	}
	return "guard"
}

// said says what a scanner said, or why it did not.
func said(e *audit.Entry) string {
	switch {
	case e.Cached:
		return printable.String(e.Action) + ", as it said of the same content before"
	case e.Reason == "not_needed":
		return "stopped, because another had blocked the message"
	case e.Cause != "" && e.Fallback != "":
		return "no verdict, " + failure(e) + "; " + printable.String(e.Fallback) + " judged instead"
	case e.Cause != "":
		return "no verdict, " + failure(e)
	default:
		return printable.String(e.Action)
	}
}

func failure(e *audit.Entry) string {
	text := failureTexts[e.Reason]
	if text == "" {
		text = printable.Escape(e.Reason, printable.MaxBytes)
	}
	if e.Cause == "outage" {
		return "through no fault of the content: " + text
	}
	return "because of the content: " + text
}

var failureTexts = map[string]string{
	"oversize":        "it, or the scanner's answer to it, is above the limit",
	"unsupported":     "the scanner does not judge this phase or kind of content",
	"timeout":         "there was no answer in time",
	"cancelled":       "nobody waited for the verdict any more",
	"overloaded":      "too many scans waited",
	"crash":           "the scanner ended while it judged this",
	"convicted":       "this content crashed the scanner before",
	"quarantined":     "content of this server crashed the scanner too often",
	"breaker_open":    "the scanner keeps failing for this server",
	"invalid_verdict": "the answer was no verdict on this content",
	"unavailable":     "the scanner does not run, or cannot be reached",
	"rate_limited":    "the service behind the scanner refuses more",
	"unauthenticated": "the service behind the scanner does not take its key",
	"not_configured":  "the scanner lacks a configuration",
}

// spot names the place of a finding.
func spot(f *audit.EntryFinding) string {
	if f.End > 0 {
		return fmt.Sprintf("%s bytes %d to %d", place(f.Pointer), f.Start, f.End)
	}
	return place(f.Pointer)
}

func place(pointer string) string {
	if pointer == "" {
		return "the message as a whole"
	}
	return printable.String(pointer)
}
