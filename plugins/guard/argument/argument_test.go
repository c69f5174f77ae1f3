package argument

import (
	"strings"
	"testing"
)

func TestDecodeUndoesEncodings(t *testing.T) {
	for text, want := range map[string]string{
		"plain":             "plain",
		"100%":              "100%",
		"a%2fb":             "a/b",
		"%252e%252e%252f":   "../",
		"..%c0%afx":         "../x",
		"%c0%ae%c0%ae/":     "../",
		"%e0%80%afx":        "/x",
		"..%u2215x":         "../x",
		`..\u2215x`:         "../x",
		"1%27+or+1":         "1' or 1",
		"a+b c%20d":         "a+b c d",
		"%zz%4":             "%zz%4",
		"%25252525252541":   "%25252541",
		`C:\users\u12\x`:    `C:\users\u12\x`,
		"..%ef%bc%8fetc":    "..／etc",
		"%00":               "\x00",
		"%uff0e%uff0e/x":    "../x",
		"caf%C3%A9 %E2%82":  "café \xe2\x82",
		"%C0":               "\xc0",
		"%E0%80":            "\xe0\x80",
		"trailing percent%": "trailing percent%",
	} {
		if got := Decode(text); got != want {
			t.Errorf("Decode(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestPlainReadsAsShellAndDatabaseDo(t *testing.T) {
	for text, want := range map[string]string{
		"1/**/or/**/1":       "1 or 1",
		"/*!50000union*/ x":  " union x",
		"cat${IFS}/x":        "cat /x",
		"cat$IFS$9/x":        "cat /x",
		"{cat,/etc/hosts}":   "cat /etc/hosts",
		"wh''oami":           "whoami",
		`c\at x`:             "cat x",
		`wh"o"ami`:           "whoami",
		"c^md":               "cmd",
		"a  b":               "a b",
		"Rock 'n' roll":      "Rock 'n' roll",
		"it's":               "it's",
		"select a, b from c": "select a, b from c",
	} {
		if got := Plain(text); got != want {
			t.Errorf("Plain(%q) = %q, want %q", text, got, want)
		}
	}
	long := strings.Repeat("c''at ", maxPlain)
	if Plain(long) != long {
		t.Error("a long text is no value, but was read as one")
	}
}

func TestTraversalTellsHowPathsClimb(t *testing.T) {
	for text, want := range map[string]Escape{
		"a/b.txt":                     Stays,
		"../a":                        Stays,
		"../../../../a/b":             Stays,
		"../../../../../a":            Climbs,
		`..\..\..\a`:                  Climbs,
		"a/../b":                      Stays,
		"a/../../b":                   Climbs,
		"/srv/x/../y":                 Stays,
		"/srv/../../x":                Climbs,
		"/a/b/../../c":                Climbs,
		"/../x":                       Climbs,
		"%2e%2e/x":                    Encoded,
		"..%2fx":                      Encoded,
		"....//x":                     Encoded,
		"..;/x":                       Encoded,
		"․․/x":                        Encoded,
		"..／x":                        Encoded,
		"a...b":                       Stays,
		"wait... and/or":              Stays,
		"https://h.test/a/b?c=../d":   Stays,
		"My%20Documents/a%2fb":        Stays,
		"":                            Stays,
		"C:/a/../../x":                Climbs,
		"files/../../../../etc/hosts": Climbs,
	} {
		if got := Traversal(text); got != want {
			t.Errorf("Traversal(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestOddHost(t *testing.T) {
	for text, want := range map[string]bool{
		"h.test":            false,
		"h.test:80":         false,
		"[2001:db8::1]:80":  false,
		"10.0.0.0/24":       false,
		"a.test, b.test":    false,
		"*.h.test":          false,
		"Finance (retail)":  false,
		"":                  false,
		"10.0.0.1;id":       true,
		"h.test|x":          true,
		"h.test\nid":        true,
		"10.0.0.1cat /x":    true,
		"localhostcat /x":   true,
		"h.test /bin/ls":    true,
		"-oProxyCommand=id": true,
		"$(id)":             true,
		"http://h.test/;a":  false,
	} {
		if _, got := OddHost(text); got != want {
			t.Errorf("OddHost(%q) = %t, want %t", text, got, want)
		}
	}
}

func TestOddIdentifier(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "7": false, "a-b_c": false, "o'neil": false, `a, "b c"`: false, "order 7": false, "android 4": false,
		"7'": true, `"x`: true, "or 3": true, "|| 3": true, "union select 1": true,
	} {
		if got := OddIdentifier(text); got != want {
			t.Errorf("OddIdentifier(%q) = %t, want %t", text, got, want)
		}
	}
}

func TestAddressReadsAsProgramsDo(t *testing.T) {
	for text, want := range map[string]Reach{
		"https://h.test/":                       Outside,
		"http://1.1.1.1/":                       Outside,
		"https://h.test/2130706433":             Outside,
		"http://localhost:3000/":                Local,
		"http://192.168.1.2/a":                  Local,
		"http://127.0.0.1:6379/":                Internal,
		"http://10.0.0.1/admin":                 Internal,
		"https://kubernetes.default.svc/x":      Internal,
		"http://2130706433/":                    Disguised,
		"http://0x7f.1/":                        Disguised,
		"http://0177.0.0.1":                     Disguised,
		"http://127.1":                          Disguised,
		"http://0/":                             Disguised,
		"http://[::ffff:127.0.0.1]/":            Disguised,
		"http://a@127.0.0.1/":                   Disguised,
		"http:127.0.0.1/":                       Disguised,
		"http://①②⑦.⓪.⓪.①/":                     Disguised,
		"http://10.0.0.1.nip.io/":               Disguised,
		"http://169.254.169.254/x":              Metadata,
		"http://169.254.43518/":                 Metadata,
		"http://0xA9.0xFE.0xA9.0xFE/":           Metadata,
		"http://0251.0376.0251.0376/":           Metadata,
		"http://425.510.425.510/":               Metadata,
		"http://[::ffff:a9fe:a9fe]/":            Metadata,
		"http://[fd00:ec2::254]/":               Metadata,
		"http://h.test#@169.254.169.254/":       Metadata,
		"http://a@b@169.254.169.254":            Metadata,
		"metadata.google.internal":              Metadata,
		"169.254.169.254":                       Metadata,
		"http%3A%2F%2F169.254.169.254%2F":       Metadata,
		"what is 169.254.169.254":               Outside,
		"metadata":                              Outside,
		"ftp://127.0.0.1/":                      Outside,
		"http://user@h.test/":                   Outside,
		"":                                      Outside,
		"http://":                               Outside,
		"http://08.08.08.08/":                   Outside,
		"https://h.test/?u=http://127.0.0.1:22": Outside,
	} {
		if got := Address(text); got != want {
			t.Errorf("Address(%q) = %d, want %d", text, got, want)
		}
	}
}

// FuzzArgument holds every reader to its promise: no panic, and nothing that
// grows without bound.
func FuzzArgument(f *testing.F) {
	for _, s := range []string{"", "%", "%u", "..%c0%af", "http://[::1", "http://@", `\u00`, "{a,b}", "/*!", "%e0%80", "h.test;id", "http://0x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(Decode(text)) > 3*len(text) || len(Plain(text)) > 4*len(text)+4 {
			t.Error("decoding made the text longer")
		}
		Traversal(text)
		OddIdentifier(text)
		Address(text)
		if at, odd := OddHost(text); odd && at > len(text) {
			t.Error("the place is behind the text")
		}
	})
}
