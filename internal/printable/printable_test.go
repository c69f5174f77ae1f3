package printable_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/mcp-relay/relay/internal/printable"
)

func TestString(t *testing.T) {
	long := strings.Repeat("a", printable.MaxBytes)
	for _, tt := range []struct{ name, in, want string }{
		{"word", "files__read", "files__read"},
		{"letters of any script", "wetter_münchen", "wetter_münchen"},
		{"empty", "", `""`},
		{"space", "a b", `"a b"`},
		{"quote", `a"b`, `"a\"b"`},
		{"backslash", `a\b`, `"a\\b"`},
		{"escape", "\x1b[31mred", `"\x1b[31mred"`},
		{"line feed", "a\nb", `"a\nb"`},
		{"c1", "a\u009bb", `"a\u009bb"`},
		{"bidi", "a\u202eb", `"a\u202eb"`},
		{"isolate", "a\u2066b", `"a\u2066b"`},
		{"zero width", "a\u200bb", `"a\u200bb"`},
		{"tag", "a\U000E0041b", `"a\U000e0041b"`},
		{"no-break space", "a\u00a0b", `"a\u00a0b"`},
		{"bad utf-8", "a\xffb", `"a\xffb"`},
		{"replacement character", "a\ufffdb", "a\ufffdb"},
		{"longest", long, long},
		{"too long", long + "b", long + "…"},
		{"cut between characters", long[1:] + "é", long[1:] + "…"},
		{"cut in bad utf-8", long + "\x80\x80\x80\x80\x80", long[1:] + "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := printable.String(tt.in); got != tt.want {
				t.Errorf("String(%q) = %s, want %s", tt.in, got, tt.want)
			}
		})
	}
}

func TestEscape(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		limit          int
	}{
		{"plain", `say "hi" \o/`, `say "hi" \o/`, 99},
		{"control", "a\x1b]52;c;eA==\x07b\r\n", `a\x1b]52;c;eA==\ab\r\n`, 99},
		{"c1 and bidi", "\u009b\u202e", `\u009b\u202e`, 99},
		{"bad utf-8", "\xff", `\xff`, 99},
		{"cut", "abcdef", "abc…", 3},
		{"nothing left", "abc", "…", 0},
		{"negative limit", "abc", "…", -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := printable.Escape(tt.in, tt.limit); got != tt.want {
				t.Errorf("Escape(%q, %d) = %s, want %s", tt.in, tt.limit, got, tt.want)
			}
		})
	}
}

func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"", "name", "\x1b[0m", "\u202e\u009b", "\xf0\x9f\x98", strings.Repeat("é", 200), `"\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{printable.String(s), printable.Escape(s, printable.MaxBytes)} {
			if !utf8.ValidString(got) {
				t.Fatalf("%q became invalid UTF-8", s)
			}
			for _, r := range got {
				if !unicode.IsPrint(r) {
					t.Fatalf("%q still shows %U", s, r)
				}
			}
			// One byte becomes at most four (\xff), or a rune of 2 bytes six.
			if len(got) > 4*printable.MaxBytes+16 {
				t.Fatalf("%d bytes became %d", len(s), len(got))
			}
		}
	})
}
