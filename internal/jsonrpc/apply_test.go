package jsonrpc

import (
	"bytes"
	"testing"
)

// FuzzApply: Apply does what SetMember and DeleteMember do one after the other.
func FuzzApply(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":2,"c":3}`), uint8(0))
	f.Add([]byte(` { "a" : 1 , "b" : 2 , "c":{} , "d":4 } `), uint8(7))
	f.Add([]byte(`{}`), uint8(9))
	f.Add([]byte(`{"a":1}`), uint8(1))
	f.Add([]byte(`[1]`), uint8(255))
	f.Fuzz(func(t *testing.T, object []byte, which uint8) {
		if Validate(object, nil) != nil {
			return
		}
		var edits []Edit
		want := bytes.Clone(object)
		for i, name := range []string{"a", "b", "c"} {
			switch which >> (2 * i) & 3 {
			case 1:
				edits = append(edits, Edit{Name: name})
				want = DeleteMember(want, name)
			case 2:
				edits = append(edits, Edit{Name: name, Value: []byte("true")})
				want = SetMember(want, name, []byte("true"))
			}
		}
		before := bytes.Clone(object)
		if got := Apply(object, edits...); !Equal(got, want) || Validate(got, nil) != nil {
			t.Errorf("%s %d: got %s, want %s", object, which, got, want)
		}
		if !bytes.Equal(before, object) {
			t.Error("the object was changed")
		}
	})
}
