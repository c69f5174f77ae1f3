package jsonrpc

// ObjectMember returns a member that is an object. Of what is no object itself
// there is none.
func ObjectMember(object []byte, name string) ([]byte, bool) {
	if len(object) == 0 || object[0] != '{' {
		return nil, false
	}
	raw, ok := Member(object, name)
	return raw, ok && len(raw) > 0 && raw[0] == '{'
}

// StringMember returns the value of a member that is a string, else "".
func StringMember(object []byte, name string) string {
	if len(object) == 0 || object[0] != '{' {
		return ""
	}
	raw, ok := Member(object, name)
	if !ok {
		return ""
	}
	value, _ := Unquote(raw)
	return value
}
