package verdict

import (
	"slices"
	"strconv"
)

// Withheld tells which elements of the array under member the findings of a
// block speak of, in ascending order. It reports false when there is no finding
// or one lies elsewhere: then the whole content is blocked. The member's name is
// one that needs no escaping in a JSON Pointer.
func Withheld(findings []Finding, member string) (indexes []int, ok bool) {
	for i := range findings {
		name, rest, inside := descend(findings[i].Location.Pointer)
		if !inside || name != member {
			return nil, false
		}
		token, _, inside := descend(rest)
		if !inside {
			return nil, false
		}
		index, err := strconv.Atoi(token)
		if err != nil || strconv.Itoa(index) != token || index < 0 {
			return nil, false
		}
		indexes = append(indexes, index)
	}
	slices.Sort(indexes)
	indexes = slices.Compact(indexes)
	return indexes, len(indexes) > 0
}

// descend is cutToken for any string.
func descend(pointer string) (token, rest string, ok bool) {
	if pointer == "" || !validPointer(pointer) {
		return "", "", false
	}
	token, rest = cutToken(pointer)
	return token, rest, true
}
