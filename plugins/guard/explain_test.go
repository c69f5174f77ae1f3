package guard

import "testing"

func TestExplain(t *testing.T) {
	e, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{instructionRule}
	for i := range e.rules {
		ids = append(ids, e.rules[i].ID)
	}
	for i := range e.secrets.Rules {
		ids = append(ids, e.secrets.Rules[i].name)
	}
	// The rules are read anew for each.
	const some = 40
	for i := 0; i < len(ids); i += some {
		id := ids[i]
		if title, _ := Explain(id); title == "" {
			t.Errorf("nothing is said about %s", id)
		}
	}
	for _, id := range []string{"", "guard/none", "gitleaks/none"} {
		if title, reason := Explain(id); title != "" || reason != "" {
			t.Errorf("%q is %q, %q", id, title, reason)
		}
	}
}
