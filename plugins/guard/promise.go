package guard

import (
	"encoding/json"
	"strconv"
)

// readOnlyHint is the annotation with which a tool says that it changes nothing.
const readOnlyHint = "readOnlyHint"

// promised looks at the tools of a catalogue that say they change nothing: what
// would be ordinary in another tool contradicts that. The strings were read in
// their own roles before and do not count again.
func (s *scan) promised(data []byte) {
	// Members are read one by one: that a hostile catalogue has one of another type
	// is no reason not to read the others.
	var catalogue struct {
		Tools []map[string]json.RawMessage `json:"tools"`
	}
	if json.Unmarshal(data, &catalogue) != nil {
		return
	}
	for i, tool := range catalogue.Tools {
		var claims map[string]json.RawMessage
		if json.Unmarshal(tool["annotations"], &claims) != nil || string(claims[readOnlyHint]) != "true" {
			continue
		}
		for _, member := range []string{"name", "description"} {
			var text string
			if json.Unmarshal(tool[member], &text) != nil {
				continue
			}
			f := field{pointer: "/tools/" + strconv.Itoa(i) + "/" + member, text: text, role: roleReadOnly}
			folded := s.tables.fold(text[:runeSpan(text, span{0, min(len(text), pieceSize)}).end], false)
			s.look(f, 0, &folded, asFolded)
		}
	}
}
