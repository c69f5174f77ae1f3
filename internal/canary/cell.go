package canary

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Way is how the client of a conversation reached the server.
type Way struct {
	Transport string `json:"transport"` // of the server: stdio, http or sse
	Modern    bool   `json:"modern"`
}

// String returns the way's name in tables.
func (w Way) String() string {
	if w.Modern {
		return w.Transport + " modern"
	}
	return w.Transport + " legacy"
}

// Ways are all ways.
var Ways = []Way{{"stdio", false}, {"stdio", true}, {"http", false}, {"http", true}, {"sse", false}}

// State says what became of the texts of one step.
type State string

// The states, the later the worse.
const (
	Missing  State = "-"        // it was not carried: nothing asked for a verdict, and nothing arrived
	Judged   State = "judged"   // an enforcing scanner gave a verdict on it
	Held     State = "held"     // no scanner gave a verdict, and it did not arrive
	Observed State = "observed" // only scanners that do not count were asked
	Unjudged State = "UNJUDGED" // it arrived without a verdict that counts
)

var severity = []State{Missing, Judged, Held, Observed, Unjudged}

// Cell is what became of one step on one way to one server.
type Cell struct {
	Server   string   `json:"server"`
	Way      Way      `json:"way"`
	Step     string   `json:"step"`
	Phase    string   `json:"phase"`
	Method   string   `json:"method"`
	State    State    `json:"state"`
	Scanners []string `json:"scanners,omitempty"` // who was shown it, and what they said to the bad text
	BadCame  bool     `json:"bad_arrived"`        // the bad text arrived, with whatever was taken out of it
}

// Records says how the audit record has what was judged: the mode in which a
// scanner's word was taken; empty: there is no record.
type Records interface {
	Mode(server, scanner string, phase verdict.Phase, method string) string
}

// Conversation is what is known when a run has ended.
type Conversation struct {
	Server           string
	Way              Way
	Run              Run
	AtClient, AtHost *Arrivals // what arrived at the client and at the fake server
	// Silent are the methods of questions that the server may not ask clients.
	Silent []string
	Err    error // why it ended early
}

// Cells returns what became of each step.
func (c *Conversation) Cells(w *Witness, records Records) []Cell {
	out := make([]Cell, 0, len(Steps))
	for i := range Steps {
		s := &Steps[i]
		cell := Cell{Server: c.Server, Way: c.Way, Step: s.Name, Phase: s.Phase.String(), Method: s.Method, State: Missing}
		words := map[string]string{}
		for _, v := range []Variant{Plain, Bad} {
			if v == Plain && s.Once {
				continue
			}
			m := Mark{i, v}
			came := c.AtClient.Came(m)
			if s.ToServer {
				came = c.AtHost.Came(m)
			}
			cell.BadCame = cell.BadCame || v == Bad && came
			state, said := c.judge(w.Opinions(c.Run, m), came, records)
			cell.State = worsen(cell.State, state)
			maps.Copy(words, said) // what is said to the bad one is more telling
		}
		for _, name := range slices.Sorted(maps.Keys(words)) {
			cell.Scanners = append(cell.Scanners, words[name])
		}
		out = append(out, cell)
	}
	return out
}

// worsen keeps the worse of two states. Two that were not carried make a step that
// was not; one says nothing: a scanner may have refused what leads there.
func worsen(a, b State) State {
	switch {
	case a == Missing:
		return b
	case b == Missing:
		return a
	}
	return severity[max(slices.Index(severity, a), slices.Index(severity, b))]
}

// judge says what became of one text, and what each scanner that was shown it said.
func (c *Conversation) judge(opinions []Opinion, came bool, records Records) (State, map[string]string) {
	who := map[string]string{}
	counts, observed, failed := false, false, false
	for _, o := range opinions {
		switch mode := records.Mode(c.Server, o.Scanner, o.Phase, o.Method); {
		case o.Failure != "":
			failed = true
			who[o.Scanner] = o.Scanner + ":" + o.Failure
		case mode == "enforce":
			counts = true
			who[o.Scanner] = o.Scanner + ":" + o.Action.String()
		case mode != "":
			observed = true
			who[o.Scanner] = "(" + o.Scanner + ":" + o.Action.String() + ")"
		default:
			who[o.Scanner] = o.Scanner + ":not recorded"
		}
	}
	switch {
	case counts:
		return Judged, who
	case came && observed:
		return Observed, who
	case came:
		return Unjudged, who
	case observed:
		return Observed, who
	case failed, len(opinions) > 0:
		return Held, who
	default:
		return Missing, who
	}
}

// expected reports whether a step that was not carried is to be.
func (c *Conversation) expected(s *Step) bool {
	return !slices.ContainsFunc(c.Silent, func(method string) bool { return strings.HasPrefix(s.Name, method) })
}
