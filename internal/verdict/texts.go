package verdict

// Texts returns the decoded strings that JSON Pointers name in JSON content, in
// UTF-8. What is no string there, or nothing at all, is nil.
func Texts(data []byte, pointers []string) [][]byte {
	texts := make([][]byte, len(pointers))
	valid, index := make([]string, 0, len(pointers)), make([]int, 0, len(pointers))
	for i, p := range pointers {
		if validPointer(p) {
			valid, index = append(valid, p), append(index, i)
		}
	}
	// An error ends the walk; what was found until then was found.
	_ = locate(data, valid, func(p place) error {
		if p.kind == '"' {
			text := p.decoded()
			for _, i := range p.named {
				texts[index[i]] = text
			}
		}
		return nil
	})
	return texts
}
