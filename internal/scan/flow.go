package scan

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/verdict"
)

// What the record says of a secret that is on its way from one server to another.
const (
	crossReason = "cross_server_secret"
	crossRule   = "relay/cross-server-secret"
)

// Bounds on what counts as a secret, in bytes: anything shorter says too little,
// anything longer is no key.
const (
	shortestSecret = 8
	longestSecret  = 16 << 10
)

// secret is a text that a scanner calls one, and where it stands. It lives no
// longer than the deliberation.
type secret struct {
	text    []byte
	finding *verdict.Finding
	// opaque: it stands in an opaque part, in which nothing is edited.
	opaque bool
}

// isSecret reports whether a category is that of secrets.
func isSecret(category string) bool {
	return category == "secret" || strings.HasPrefix(category, "secret.")
}

// secretsIn returns the secrets that enforcing scanners located in strings of
// the content, whatever they made of them, without those that are excepted or that
// one of the edits takes out.
func (d *deliberation) secretsIn(opinions []opinion, edits []verdict.Finding) []secret {
	now := time.Now()
	var found []*verdict.Finding
	for i := range opinions {
		o := &opinions[i]
		if o.failure != nil {
			continue
		}
		for j := range o.verdict.Findings {
			if f := &o.verdict.Findings[j]; isSecret(f.Category) && !edited(edits, &f.Location) && !d.excepts(o.seat, f, now) {
				found = append(found, f)
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	var secrets []secret
	for i, text := range d.textsAt(found) {
		if text = cut(text, &found[i].Location); len(text) >= shortestSecret && len(text) <= longestSecret {
			secrets = append(secrets, secret{text: text, finding: found[i], opaque: d.asText})
		}
	}
	return secrets
}

// textsAt returns the decoded strings that findings are about; nil for what is no
// string.
func (d *deliberation) textsAt(found []*verdict.Finding) [][]byte {
	switch d.content.Kind {
	case verdict.JSON:
		pointers := make([]string, len(found))
		for i := range found {
			pointers[i] = found[i].Location.Pointer
		}
		return verdict.Texts(d.content.Data, pointers)
	case verdict.Text:
		return slices.Repeat([][]byte{d.content.Data}, len(found))
	default:
		return make([][]byte, len(found))
	}
}

// cut returns what a location names of a string, without quotes and white space
// around it, which some rules take along.
func cut(text []byte, at *verdict.Location) []byte {
	if !everything(at) {
		if at.Start < 0 || at.Start >= at.End || at.End > len(text) {
			return nil
		}
		text = text[at.Start:at.End]
	}
	return bytes.Trim(text, " \t\r\n\"'`")
}

func everything(at *verdict.Location) bool { return at.Start == 0 && at.End == 0 }

// edited reports whether an edit takes out something of a place.
func edited(edits []verdict.Finding, at *verdict.Location) bool {
	return slices.ContainsFunc(edits, func(e verdict.Finding) bool {
		by := &e.Location
		return by.Pointer == at.Pointer &&
			(everything(by) || everything(at) || by.Start < at.End && at.Start < by.End)
	})
}

// follow blocks what would take a secret of one server to another. What goes to a
// client is noted: whether it gets there is not known yet.
func (d *deliberation) follow(secrets []secret) Outcome {
	if len(secrets) == 0 {
		return Passed
	}
	if !d.s.toServer() {
		d.noted = append(d.noted, secrets...)
		return Passed
	}
	origin := &d.s.Content.Origin
	var found []verdict.Finding
	var from string
	for i := range secrets {
		other, ok := d.gate.flow.elsewhere(origin.Principal, origin.Server, secrets[i].text)
		if !ok {
			continue
		}
		f := *secrets[i].finding
		f.Rule, f.Message, f.Edit = crossRule, "a secret that another server gave out", nil
		found, from = append(found, f), other
	}
	if len(found) == 0 {
		return Passed
	}
	return d.refuseCrossing(found, from)
}

// refuseCrossing blocks the content, unless exceptions take out all of the
// findings, and records it.
func (d *deliberation) refuseCrossing(found []verdict.Finding, from string) Outcome {
	now, origin := time.Now(), &d.s.Content.Origin
	rec := d.gate.record(d.s, d.id)
	rec.Event, rec.Scanner, rec.Mode = audit.Verdict, ownName, modeNames[Enforce]
	rec.Action, rec.Reason, rec.Findings = verdict.Block, crossReason, found
	by := &seat{exceptions: d.panel.exceptionsFor(ownName, origin.Server, d.s.Content.Phase)}
	for i := range found {
		if d.excepts(by, &found[i], now) {
			rec.Excepted = append(rec.Excepted, i)
		}
	}
	out := Blocked
	if len(rec.Excepted) == len(found) {
		rec.Effective, out = verdict.Allow, Passed
	}
	d.own = append(d.own, rec)
	d.gate.log.Warn("a secret of one server is on its way to another", slog.String("scan_id", d.id),
		slog.String("server", origin.Server), slog.String("from", from), slog.Bool("passed", out == Passed))
	return out
}

// remember keeps the fingerprints of the secrets that a client now gets to see.
// What its own request held already is no secret of the server's.
func (d *deliberation) remember() {
	if len(d.noted) == 0 {
		return
	}
	origin := &d.s.Content.Origin
	var now [][]byte // where the secrets stood; only when that can differ
	if d.changed {
		found := make([]*verdict.Finding, len(d.noted))
		for i := range d.noted {
			found[i] = d.noted[i].finding
		}
		now = d.textsAt(found)
	}
	for i := range d.noted {
		n := &d.noted[i]
		index, _, inItem := item(d.s.Catalogue, n.finding.Location.Pointer)
		_, gone := slices.BinarySearch(d.withheld, index)
		switch {
		case inItem && gone:
		case now != nil && !n.opaque && !bytes.Contains(now[i], n.text):
		case bytes.Contains(d.s.Content.Request, n.text):
		default:
			d.gate.flow.remember(origin.Principal, origin.Server, n.text)
		}
	}
}
