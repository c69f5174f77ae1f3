package guard

import (
	"slices"

	"github.com/mcp-relay/relay/scanner"
)

// RuleInfo is what people who choose rules want to know of one.
type RuleInfo struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Category string   `json:"category"`
	Phases   []string `json:"phases"`
	Severity string   `json:"severity"`
	Action   string   `json:"action"` // where phases differ, the strongest
	OWASP    []string `json:"owasp"`
}

// Rules lists what guard can find: its own rules, the groups of the instruction
// score and the secret rules, in the order of their ids.
func Rules() ([]RuleInfo, error) {
	e, err := loadEngine()
	if err != nil {
		return nil, err
	}
	var list []RuleInfo
	for i := range e.rules {
		list = append(list, e.rules[i].info())
	}
	list = append(list, RuleInfo{
		ID: instructionRule, Title: "Text that gives orders to the model", Category: instructionCategory + "*",
		Phases: phaseNames(), Severity: scanner.SeverityHigh.String(), Action: scanner.ActionBlock.String(),
		OWASP: []string{"MCP03", "MCP06", "LLM01"},
	})
	for i := range e.secrets.Rules {
		r := &e.secrets.Rules[i]
		list = append(list, RuleInfo{
			ID: r.name, Title: r.Title, Category: r.category, Phases: phaseNames(),
			Severity: scanner.SeverityHigh.String(), Action: scanner.ActionRedact.String(), OWASP: []string{"MCP01", "LLM02"},
		})
	}
	slices.SortFunc(list, func(a, b RuleInfo) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return list, nil
}

func (r *rule) info() RuleInfo {
	info := RuleInfo{ID: r.ID, Title: r.Title, Category: r.Category, Severity: r.Severity, OWASP: r.OWASP, Phases: []string{}}
	strongest := scanner.ActionUnspecified
	for p := scanner.PhaseDefinition; int(p) < phaseCount; p++ {
		if r.actions[p] != scanner.ActionUnspecified {
			info.Phases = append(info.Phases, p.String())
			strongest = max(strongest, r.actions[p])
		}
	}
	info.Action = strongest.String()
	if info.OWASP == nil {
		info.OWASP = []string{}
	}
	return info
}

func phaseNames() []string {
	var names []string
	for p := scanner.PhaseDefinition; int(p) < phaseCount; p++ {
		names = append(names, p.String())
	}
	return names
}
