package guard

import (
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

// TestHabitsOfCalls: what people and agents write every day is let through, and
// what is only spoken of is not blocked.
func TestHabitsOfCalls(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, call string
		action     scanner.Action
	}{
		{"a sentence with commands in it", `{"name":"tap","arguments":{"device":"pizza; open late; near me"}}`, scanner.ActionAllow},
		{"a question about a command", `{"name":"web_search","arguments":{"query":"cat /etc/passwd format meaning"}}`, scanner.ActionAllow},
		{"a statement where products are searched", `{"name":"search_products","arguments":{"query":"x' UNION SELECT a,b FROM users--"}}`, scanner.ActionBlock},
		{"talk of a statement", `{"name":"set","arguments":{"hint":"please escape strings such as ' or 1=1 -- everywhere"}}`, scanner.ActionFlag},
		{"a name", `{"name":"get","arguments":{"user_name":"van 't Hoff, Jan"}}`, scanner.ActionAllow},
		{"an expression over a document", `{"name":"xpath","arguments":{"expression":"//a[@b='c' or @d='e']/@f"}}`, scanner.ActionAllow},
		{"a voucher", `{"name":"redeem","arguments":{"code":"1'/**/uNiOn/**/sElEcT/**/1,2#"}}`, scanner.ActionBlock},
		{"a program", `{"name":"run_python","arguments":{"code":"os.system('ls')"}}`, scanner.ActionAllow},
		{"a table of selectors", "{\"name\":\"put\",\"arguments\":{\"data\":\"x = /[a\ufe00-\ufe0f\U000e0100-\U000e01ef]/\"}}", scanner.ActionAllow},
		{"data of another kind", `{"name":"put","arguments":{"a":{"mimeType":"text","data":"{\"a\":1}"}}}`, scanner.ActionAllow},
	} {
		v := scanned(t, jsonContent(scanner.PhaseRequest, tt.call))
		if v.Action != tt.action || len(v.Uninspected) > 0 {
			t.Errorf("%s: %s, %v, uninspected %v", tt.name, v.Action, v.Findings, v.Uninspected)
		}
	}
}
