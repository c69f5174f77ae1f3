package relay

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/verdict"
)

// judge is a scanner whose verdict depends on words in the content.
type judge struct {
	mu      sync.Mutex
	seen    []string // phase, target and content
	methods []string
	outage  bool
	delay   time.Duration
	cut     int      // scans that were ended
	bad     []string // definitions that have one of these are blocked
	unsure  string   // there is no verdict about definitions that have this
	hello   string   // greetings that have this meet an action
	action  verdict.Action
	secret  string // is redacted in notifications
	phrase  string // notifications that say this, in however many pieces, are blocked
}

func (j *judge) Scan(ctx context.Context, c verdict.Content) (verdict.Verdict, error) {
	j.mu.Lock()
	j.seen = append(j.seen, c.Phase.String()+" "+c.Origin.Target+" "+string(c.Data))
	j.methods = append(j.methods, c.Origin.Method)
	outage, delay := j.outage, j.delay
	j.mu.Unlock()
	if delay > 0 && strings.Contains(string(jsonrpc.DeleteMember(c.Data, before)), "SLOW") {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			j.mu.Lock()
			j.cut++
			j.mu.Unlock()
			return verdict.Verdict{}, &verdict.Failure{Reason: "cancelled", Cause: verdict.CauseContent}
		}
	}
	if outage {
		return verdict.Verdict{}, &verdict.Failure{Reason: "unavailable", Cause: verdict.CauseOutage}
	}
	if j.phrase != "" && c.Phase == verdict.Notification && strings.Contains(inOneGo(c.Data), j.phrase) {
		return verdict.Verdict{Action: verdict.Block}, nil
	}
	if v, ok := j.redacted(c); ok {
		return v, nil
	}
	if v, ok, err := j.definition(c); ok {
		return v, err
	}
	if c.Phase == verdict.Definition {
		var findings []verdict.Finding
		list, _ := jsonrpc.Member(c.Data, "tools")
		i := 0
		for item := range jsonrpc.Elements(list) {
			if strings.Contains(string(item), "evil") {
				findings = append(findings, verdict.Finding{Location: verdict.Location{Pointer: fmt.Sprintf("/tools/%d", i)}})
			}
			i++
		}
		if findings != nil {
			return verdict.Verdict{Action: verdict.Block, Findings: findings}, nil
		}
	} else if strings.Contains(string(c.Data), "EVIL") {
		return verdict.Verdict{Action: verdict.Block}, nil
	}
	return verdict.Verdict{Action: verdict.Allow}, nil
}

// dawdle has the scanner take its time over content that says SLOW.
func (j *judge) dawdle(delay time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.delay = delay
}

func (j *judge) saw() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.seen...)
}

// cutShort returns how many scans were ended before their time.
func (j *judge) cutShort() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.cut
}

// blocks has definitions blocked that hold one of the words.
func (j *judge) blocks(words ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.bad = words
}

// withholds has no verdict given about definitions that hold a word.
func (j *judge) withholds(word string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.unsure = word
}

// definition judges definitions of every kind.
func (j *judge) definition(c verdict.Content) (v verdict.Verdict, ok bool, err error) {
	j.mu.Lock()
	bad, unsure, hello, action := j.bad, j.unsure, j.hello, j.action
	j.mu.Unlock()
	if text := jsonrpc.StringMember(c.Data, "instructions"); c.Phase == verdict.Definition && hello != "" && strings.Contains(text, hello) {
		at := strings.Index(text, hello)
		f := verdict.Finding{Rule: "r", Category: "secret.key", Severity: verdict.High, Location: verdict.Location{Pointer: "/instructions", Start: at, End: at + len(hello)}}
		if action == verdict.Redact {
			f.Edit = &verdict.Edit{}
		}
		return verdict.Verdict{Action: action, Findings: []verdict.Finding{f}}, true, nil
	}
	if c.Phase != verdict.Definition || bad == nil && unsure == "" {
		return v, false, nil
	}
	if unsure != "" && strings.Contains(string(c.Data), unsure) {
		return v, true, &verdict.Failure{Reason: "unavailable", Cause: verdict.CauseOutage}
	}
	v.Action = verdict.Allow
	for _, kind := range []string{"tools", "prompts", "resources", "resourceTemplates"} {
		list, _ := jsonrpc.Member(c.Data, kind)
		i := 0
		for item := range jsonrpc.Elements(list) {
			for _, word := range bad {
				if strings.Contains(string(item), word) {
					v.Action = verdict.Block
					v.Findings = append(v.Findings, verdict.Finding{Location: verdict.Location{Pointer: fmt.Sprintf("/%s/%d", kind, i)}})
					break
				}
			}
			i++
		}
	}
	return v, true, nil
}

// greeting has greetings that hold a word meet an action.
func (j *judge) greeting(word string, action verdict.Action) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.hello, j.action = word, action
}

// redacts has a word redacted where notifications have it as their data.
func (j *judge) redacts(word string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.secret = word
}

func (j *judge) redacted(c verdict.Content) (v verdict.Verdict, ok bool) {
	j.mu.Lock()
	secret := j.secret
	j.mu.Unlock()
	if secret == "" || c.Phase != verdict.Notification {
		return v, false
	}
	found := func(data, pointer string) {
		if data == secret {
			v.Findings = append(v.Findings, verdict.Finding{
				Rule: "r", Category: "secret.key", Severity: verdict.High, Edit: &verdict.Edit{},
				Location: verdict.Location{Pointer: pointer + "/data", End: len(secret)},
			})
		}
	}
	found(jsonrpc.StringMember(c.Data, "data"), "")
	list, _ := jsonrpc.Member(c.Data, together)
	i := 0
	for note := range jsonrpc.Elements(list) {
		params, _ := jsonrpc.Member(note, "params")
		found(jsonrpc.StringMember(params, "data"), fmt.Sprintf("/%s/%d/params", together, i))
		i++
	}
	v.Action = verdict.Redact
	return v, v.Findings != nil
}
