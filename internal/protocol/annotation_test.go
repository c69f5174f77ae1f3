package protocol

import "testing"

func TestRepeatable(t *testing.T) {
	const both = `"readOnlyHint":true,"idempotentHint":true`
	for definition, want := range map[string]bool{
		`{"annotations":{` + both + `}}`:                                                true,
		`{"annotations":{` + both + `,"destructiveHint":false,"openWorldHint":true}}`:   true,
		`{"annotations":{` + both + `},"execution":{}}`:                                 true,
		`{"annotations":{` + both + `},"execution":{"taskSupport":"forbidden"}}`:        true,
		`{"annotations":{` + both + `},"execution":{"taskSupport":"optional"}}`:         false,
		`{"annotations":{` + both + `},"execution":{"taskSupport":"required"}}`:         false,
		`{"annotations":{` + both + `},"execution":null}`:                               false,
		`{"annotations":{` + both + `,"destructiveHint":true}}`:                         false,
		`{"annotations":{` + both + `,"destructiveHint":null}}`:                         false,
		`{"annotations":{"readOnlyHint":true}}`:                                         false,
		`{"annotations":{"idempotentHint":true,"description":"\"readOnlyHint\":true"}}`: false,
		`{"annotations":{"readOnlyHint":1,"idempotentHint":true}}`:                      false,
		`{"annotations":null,"readOnlyHint":true,"idempotentHint":true}`:                false,
		`{"annotations":[{` + both + `}]}`:                                              false,
		`{` + both + `}`:                                                                false,
		`["readOnlyHint"]`:                                                              false,
		``:                                                                              false,
	} {
		if got := Repeatable([]byte(definition)); got != want {
			t.Errorf("%s: %v", definition, got)
		}
	}
}
