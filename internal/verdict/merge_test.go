package verdict

import (
	"reflect"
	"testing"
)

func TestMergeAction(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   []Action
		want Action
	}{
		{nil, ActionUnspecified},
		{[]Action{Allow}, Allow},
		{[]Action{Allow, Flag}, Flag},
		{[]Action{Redact, Flag}, Redact},
		{[]Action{Allow, Block, Redact}, Block},
		{[]Action{Allow, ActionUnspecified}, ActionUnspecified},
		{[]Action{Redact, Block + 1}, ActionUnspecified},
		{[]Action{ActionUnspecified, Block}, Block},
	} {
		var verdicts []Verdict
		for _, a := range tt.in {
			verdicts = append(verdicts, Verdict{Action: a})
		}
		if got := Merge(verdicts...); got.Action != tt.want {
			t.Errorf("%v: got %v, want %v", tt.in, got.Action, tt.want)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	first := Verdict{
		Action: Flag, Findings: []Finding{edited(at("/a", 0, 1)), at("/b", 0, 0)},
		Uninspected: []Uninspected{{"/x", "size"}}, ScannerTime: 3, Reference: "flag",
	}
	second := Verdict{
		Action: Redact, Findings: []Finding{edited(at("/c", 0, 1))},
		Uninspected: []Uninspected{{"/x", "size"}, {"/x", "depth"}}, ScannerTime: 4, Reference: "redact",
	}
	got := Merge(first, second)
	want := Verdict{
		Action:      Redact,
		Findings:    []Finding{at("/a", 0, 1), at("/b", 0, 0), edited(at("/c", 0, 1))},
		Uninspected: []Uninspected{{"/x", "size"}, {"/x", "depth"}},
		ScannerTime: 7, Reference: "redact",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if first.Findings[0].Edit == nil {
		t.Error("the argument was changed")
	}
}

func TestWithheld(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		pointers []string
		want     []int
		ok       bool
	}{
		{"none", nil, nil, false},
		{"one", []string{"/tools/3/description"}, []int{3}, true},
		{"sorted, each once", []string{"/tools/10", "/tools/2/name", "/tools/10/x"}, []int{2, 10}, true},
		{"one elsewhere", []string{"/tools/3", "/nextCursor"}, nil, false},
		{"whole content", []string{"/tools/3", ""}, nil, false},
		{"the array itself", []string{"/tools"}, nil, false},
		{"name that begins alike", []string{"/toolsx/1"}, nil, false},
		{"no index", []string{"/tools/"}, nil, false},
		{"zero before the index", []string{"/tools/01"}, nil, false},
		{"sign", []string{"/tools/-1"}, nil, false},
		{"plus", []string{"/tools/+1"}, nil, false},
		{"overflow", []string{"/tools/99999999999999999999"}, nil, false},
		{"no pointer", []string{"tools/1"}, nil, false},
		{"escaped name", []string{"/t~0ools/1"}, nil, false},
	} {
		var findings []Finding
		for _, p := range tt.pointers {
			findings = append(findings, at(p, 0, 0))
		}
		got, ok := Withheld(findings, "tools")
		if ok != tt.ok || (ok && !reflect.DeepEqual(got, tt.want)) {
			t.Errorf("%s: got %v %v", tt.name, got, ok)
		}
	}
}
