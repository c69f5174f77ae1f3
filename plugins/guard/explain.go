package guard

import "strings"

// Explain says in a sentence or two what a rule looks for and why that matters.
// Both are empty for a rule that there is not, and the reason for one that has
// none. It reads the embedded rules anew: it is for people who ask, not for
// scans.
func Explain(rule string) (title, reason string) {
	if rule == instructionRule {
		return "Text that gives orders to the model", "Several marks of an instruction to a model stand together, " +
			"such as an address, an order, a secret to fetch or a demand for silence."
	}
	if strings.HasPrefix(rule, secretPrefix) || strings.HasPrefix(rule, tokenPrefix) {
		f, err := loadSecrets()
		if err != nil {
			return "", ""
		}
		for i := range f.Rules {
			if f.Rules[i].name == rule {
				return f.Rules[i].Title, "The text has the form of a secret of this kind."
			}
		}
		return "", ""
	}
	rules, err := loadRules()
	if err != nil {
		return "", ""
	}
	for i := range rules {
		if rules[i].ID == rule {
			return rules[i].Title, rules[i].Explain
		}
	}
	return "", ""
}
