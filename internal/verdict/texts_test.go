package verdict

import "testing"

func TestTexts(t *testing.T) {
	const data = `{"a":"x\ny","b":{"c/d":["p",1,{"e":""}]},"n":null}`
	tests := map[string]struct {
		text string
		ok   bool
	}{
		"/a": {"x\ny", true}, "/b/c~1d/0": {"p", true}, "/b/c~1d/2/e": {"", true},
		"": {}, "/b": {}, "/b/c~1d/1": {}, "/n": {}, "/nowhere": {}, "no pointer": {}, "/a~": {},
	}
	var pointers []string
	for p := range tests {
		pointers = append(pointers, p)
	}
	for i, text := range Texts([]byte(data), pointers) {
		want := tests[pointers[i]]
		if string(text) != want.text || (text != nil) != want.ok {
			t.Errorf("%q: %q", pointers[i], text)
		}
	}
	if got := Texts([]byte(`{"a":"x","b":`), []string{"/a", "/b"}); string(got[0]) != "x" || got[1] != nil {
		t.Errorf("of what is cut: %q", got)
	}
}
