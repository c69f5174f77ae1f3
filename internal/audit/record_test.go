package audit

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

var moment = time.Date(2026, 11, 22, 8, 30, 0, 123456789, time.FixedZone("", 3600))

func full() *Record {
	return &Record{
		Time: moment, Event: Verdict, ScanID: "s-1", Call: "c-1",
		Session: "s", Principal: "stdio", Client: "cli ent", Server: "files",
		Method: "tools/call", Target: "read_file", Phase: verdict.Response,
		Scanner: "airs", ScannerSHA256: "9f86", Mode: "enforce",
		Action: verdict.Redact, Reason: "timeout", Cause: verdict.CauseContent,
		Findings: []verdict.Finding{
			{
				Rule: "aws", Category: "secret.aws_key", Severity: verdict.High, Message: "CONTENT",
				Location: verdict.Location{Pointer: "/content/0/text", Start: 3, End: 23}, Edit: &verdict.Edit{HasText: true, Text: "CONTENT"},
			},
			{Rule: "r2", Location: verdict.Location{Pointer: ""}},
		},
		Uninspected: []verdict.Uninspected{{Pointer: "/content/1", Reason: "media type"}},
		Reference:   "rep-1", Link: "https://console.example/r?id=rep-1", Overlapped: true, ScannerTime: 1500 * time.Microsecond, RelayTime: 2 * time.Millisecond,
	}
}

func TestRecordLine(t *testing.T) {
	const want = `{"time":"2026-11-22T07:30:00.123456Z","event":"verdict","scan_id":"s-1","call":"c-1",` +
		`"session":"s","principal":"stdio","client":"cli ent","server":"files","method":"tools/call","target":"read_file",` +
		`"phase":"response","scanner":"airs","scanner_sha256":"9f86","mode":"enforce","action":"redact","reason":"timeout","cause":"content",` +
		`"findings":[{"rule":"aws","category":"secret.aws_key","severity":"high","pointer":"/content/0/text","start":3,"end":23},` +
		`{"rule":"r2","severity":"unspecified","pointer":""}],` +
		`"uninspected":[{"pointer":"/content/1","reason":"media type"}],"reference":"rep-1","link":"https://console.example/r?id=rep-1","overlapped":true,"scanner_us":1500,"relay_us":2000}` + "\n"
	if got := string(appendRecord(nil, full(), time.Time{})); got != want {
		t.Errorf("record is\n%s\nwant\n%s", got, want)
	}
	const empty = `{"time":"2026-11-22T07:30:00.123456Z"}` + "\n"
	if got := string(appendRecord(nil, &Record{}, moment)); got != empty {
		t.Errorf("the empty record is %s, want %s", got, empty)
	}
}

func TestRecordOfAPolicy(t *testing.T) {
	r := &Record{
		Event: Verdict, Scanner: "local", Mode: "enforce", Stage: 1, Action: verdict.Block, Effective: verdict.Flag,
		Outcome: "passed", InsteadOf: "airs",
		Findings: []verdict.Finding{{Rule: "r1"}, {Rule: "r2"}}, Excepted: []int{1},
	}
	const want = `{"time":"2026-11-22T07:30:00.123456Z","event":"verdict","scanner":"local","mode":"enforce","stage":1,` +
		`"action":"block","effective":"flag","outcome":"passed","instead_of":"airs",` +
		`"findings":[{"rule":"r1","severity":"unspecified","pointer":""},{"rule":"r2","severity":"unspecified","pointer":"","excepted":true}]}` + "\n"
	if got := string(appendRecord(nil, r, moment)); got != want {
		t.Errorf("record is\n%s\nwant\n%s", got, want)
	}
	failure := &Record{Reason: "unavailable", Cause: verdict.CauseOutage, Fallback: "local"}
	const tells = `"reason":"unavailable","cause":"outage","fallback":"local"`
	if got := string(appendRecord(nil, failure, moment)); !strings.Contains(got, tells) {
		t.Errorf("record is %s, want %s in it", got, tells)
	}
}

func TestManyFindingsAreCut(t *testing.T) {
	r := &Record{Findings: make([]verdict.Finding, 1000), Uninspected: make([]verdict.Uninspected, 33)}
	line := appendRecord(nil, r, moment)
	var got struct {
		Findings           []json.RawMessage `json:"findings"`
		FindingsOmitted    int               `json:"findings_omitted"`
		UninspectedOmitted int               `json:"uninspected_omitted"`
	}
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Findings) != maxFindings || got.FindingsOmitted != 1000-maxFindings || got.UninspectedOmitted != 1 {
		t.Errorf("%d findings, %d and %d omitted", len(got.Findings), got.FindingsOmitted, got.UninspectedOmitted)
	}
}

func TestTargetsLoseSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"read_file":                             "read_file",
		"ns:tool":                               "ns:tool",
		"file:///home/a/b.txt":                  "file:///home/a/b.txt",
		"https://u:p@example.com/a?token=x#y":   "https://example.com/a",
		"https://u:p@q@example.com":             "https://example.com",
		"https://example.com?u@v":               "https://example.com",
		"https://example.com/@scope/pkg":        "https://example.com/@scope/pkg",
		`https:\\u:p@example.com\x`:             `https:\\example.com\x`,
		"https:u:p@example.com/a":               "https:example.com/a",
		"postgres://user:pw@db:5432/main?ssl=1": "postgres://db:5432/main",
		"data:text/plain,secret":                "data:",
		"DATA:;base64,c2VjcmV0":                 "DATA:",
		"/relative?token=x":                     "/relative",
		"u:p@host":                              "u:host",
		"":                                      "",
		":x":                                    ":x",
	} {
		if got := withoutSecrets(in); got != want {
			t.Errorf("withoutSecrets(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPointersShowNamesOnly(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   `""`,
		"/content/0/text":                    `"/content/0/text"`,
		"/tools/12/inputSchema/$defs/a_b-c1": `"/tools/12/inputSchema/$defs/a_b-c1"`,
		"/":                                  `"/*"`,
		"/AKIAIOSFODNN7EXAMPLE":              `"/*"`,
		"/arguments/ghp_0123456789abcdef":    `"/arguments/*"`,
		"/arguments/user@example.com/x":      `"/arguments/*/x"`,
		"/arguments/4111111111111111":        `"/arguments/*"`,
		"/a~1b/4x":                           `"/*/*"`,
		"/a\n\x1b\"/b":                       `"/*/b"`,
		"nonsense":                           `"/nonsense"`,
		strings.Repeat("/a", 20):             `"` + strings.Repeat("/a", maxPointer) + `/..."`,
		"/" + strings.Repeat("x", maxName+1): `"/*"`,
	} {
		if got := string(appendPointer(nil, in)); got != want {
			t.Errorf("pointer %q is shown as %s, want %s", in, got, want)
		}
	}
}

// TestNoContent puts a canary wherever content or a secret could come from.
func TestNoContent(t *testing.T) {
	r := full()
	r.Target = "https://CANARY:CANARY@h/p?CANARY#CANARY"
	r.Findings[0].Message = "CANARY"
	r.Findings[0].Edit = &verdict.Edit{HasText: true, Text: "CANARY"}
	r.Findings[0].Location.Pointer = "/CANARY 1"
	r.Uninspected[0].Pointer = "/CANARY"
	if line := string(appendRecord(nil, r, moment)); strings.Contains(line, "CANARY") {
		t.Errorf("the record shows content: %s", line)
	}
}

func FuzzRecord(f *testing.F) {
	for _, seed := range []string{
		"", "name", "\"}\n{\"event\":\"forged\"", "\x1b]52;c;x\x07", "\u202e\u009b\u2028\U000E0041", "\xff\xfe\xf0\x9f", "😀",
		strings.Repeat("é", 200), strings.Repeat("\x00", 300),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := &Record{
			Event: Event(s), ScanID: s, Call: s, Session: s, Principal: s, Client: s, Server: s, Method: s, Target: s,
			Scanner: s, ScannerSHA256: s, Mode: s, Reason: s, Reference: s, Link: s,
			Findings:    []verdict.Finding{{Rule: s, Category: s, Location: verdict.Location{Pointer: s}}},
			Uninspected: []verdict.Uninspected{{Pointer: s, Reason: s}},
		}
		line := appendRecord(nil, r, moment)
		body, isLine := strings.CutSuffix(string(line), "\n")
		if !isLine {
			t.Fatal("the record does not end its line")
		}
		for i := range len(body) {
			if body[i] < ' ' || body[i] > '~' {
				t.Fatalf("byte %#x in the record", body[i])
			}
		}
		var back struct {
			Client string `json:"client"`
			Event  string `json:"event"`
		}
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatalf("not JSON: %v: %s", err, line)
		}
		if len(s) <= maxString && !sameRunes(back.Client, s) {
			t.Fatalf("client %q came back as %q", s, back.Client)
		}
		if limit := 20*(6*maxString+64) + 6*maxLink; len(line) > limit {
			t.Fatalf("%d bytes", len(line))
		}
	})
}

// sameRunes compares as range does, with one U+FFFD per invalid byte.
func sameRunes(a, b string) bool { return string([]rune(a)) == string([]rune(b)) }

func BenchmarkRecord(b *testing.B) {
	r := full()
	r.Findings, r.Uninspected = nil, nil
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = appendRecord(buf[:0], r, moment)
	}
}
