package guard

import "testing"

func TestEscapes(t *testing.T) {
	tables := newTables()
	for text, want := range map[string]string{
		"%2e%2E%2f":            "../",
		"%252e%252e/":          "../",
		"&#60;b&#x3e;&lt;":     "<b><",
		"\\u0069gnore \\x41":   "ignore A",
		"100%, a&b, C:\\up":    "100%, a&b, C:\\up",
		"%u0069&#103&#x6E;ore": "ignore",
		"\\x69\\147\\u{6e}ore": "ignore",
		"\\ud835\\udc22gnore":  "ignore",
		"x\\n\\nignore\\tall":  "x\n\nignore\tall",
		"a&lpar;b&rpar;&shy;":  "a(b)",
		"%e4%b8%ad":            "中",
		"&#1114112; &#x; &;%":  "&#1114112; &#x; &;%",
	} {
		if v := tables.fold(text, true); v.text != want {
			t.Errorf("%q becomes %q, want %q", text, v.text, want)
		}
	}
}

func TestFold(t *testing.T) {
	tables := newTables()
	for text, want := range map[string]string{
		"plain":                      "plain",
		"\uff29\uff47nore":           "Ignore",
		"p\u0430ypal":                "paypal",
		"in\u200bvi\u00adsible":      "invisible",
		"caf\u00e9 na\u0131\u0308ve": "cafe na\u0131ve",
		"a\u00a0b\u2003c":            "a b c",
		"\u201cquoted\u201d":         `"quoted"`,
		"\U0001d422gnore":            "ignore",
	} {
		if v := tables.fold(text, false); v.text != want {
			t.Errorf("%q folds to %q, want %q", text, v.text, want)
		}
	}
}
