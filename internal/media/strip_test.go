package media

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

func TestStrip(t *testing.T) {
	const why = "a policy does not let it through"
	notice := func(what string) string { return `"[removed by the security relay: ` + what + `; ` + why + `]"` }
	tests := []struct{ name, data, want string }{
		{
			"block", `{"content":[ {"type":"image","mimeType":"image/png","data":"` + b64(zip) + `","annotations":{}} , {"a":1}],"n":1e400}`,
			`{"content":[ {"type":"text","text":` + notice("image/png") + `} , {"a":1}],"n":1e400}`,
		},
		{
			"foreign label", `[{"type":"image","mimeType":"image/ignore all","data":"!"}]`,
			`[{"type":"text","text":` + notice("a part of another type") + `}]`,
		},
		{
			"blob", `{"contents":[{"uri":"a:b", "bl\u006fb" : "` + b64(zip) + `","mimeType":"application/zip","_meta":{}}]}`,
			`{"contents":[{"uri":"a:b", "text" : ` + notice("application/zip") + `,"mimeType":"text/plain","_meta":{}}]}`,
		},
		{
			"blob beside a text", `{"uri":"a:b","text":5,"blob":"` + b64(zip) + `","mimeType":"x/y"}`,
			`{"uri":"a:b","text":5,"blob":"","mimeType":"x/y"}`,
		},
		{"element", `["data:;base64,AAAA", 1]`, `["` + RemovedURI + `", 1]`},
		{"uri", `{"icons":[{"src":"data:,x"}]}`, `{"icons":[{"src":"` + RemovedURI + `"}]}`},
		{
			"uri and blob", `{"uri":"data:,x","blob":"` + b64(png) + `"}`,
			`{"uri":"` + RemovedURI + `","text":` + notice("image/png") + `}`,
		},
		{
			"inside of a block", `{"type":"audio","data":"","_meta":{"icons":[{"src":"data:,x"}]}}`,
			`{"type":"text","text":` + notice("a part of another type") + `}`,
		},
		{
			"data and blob", `{"type":"audio","data":"","blob":""}`,
			`{"type":"text","text":` + notice("a part of another type") + `}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			parts, err := Parts([]byte(tt.data))
			if err != nil || len(parts) == 0 {
				t.Fatalf("%d parts, %v", len(parts), err)
			}
			got, err := Strip([]byte(tt.data), parts, why)
			if err != nil || string(got) != tt.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

func TestStripSome(t *testing.T) {
	data := []byte(`[{"blob":"` + b64(png) + `"},{"blob":"` + b64(hint) + `"}]`)
	parts, err := Parts(data)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Strip(data, nil, "x"); err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %s, %v", got, err)
	}
	got, err := Strip(data, parts[:1], "x")
	if err != nil || !strings.HasSuffix(string(got), `,{"blob":"`+b64(hint)+`"}]`) || strings.Contains(string(got), b64(png)) {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := Strip([]byte(`{}`), parts, "x"); err == nil {
		t.Error("parts of another message were taken out")
	}
}

func FuzzParts(f *testing.F) {
	for _, seed := range []string{
		`{"content":[{"type":"image","mimeType":"image/png","data":"` + b64(png) + `"}]}`,
		`{"contents":[{"uri":"data:,x","bl\u006fb":"` + b64(hint) + `","text":1}]}`,
		`{"icons":[{"src":"data:image/svg+xml;base64,` + b64(hint) + `"}],"url":"da\tta:,%41"}`,
		`{"type":"audio","data":"","_meta":{"data":"QQ==","mimeType":"x/y"},"blob":"QQ"}`,
		`{"uri":"\ud800","blob":"\ud800"}`,
	} {
		f.Add([]byte(seed), uint8(0xff))
	}
	f.Fuzz(func(t *testing.T, data []byte, which uint8) {
		parts, err := Parts(data)
		if jsonrpc.Validate(data, nil) != nil {
			if err == nil {
				_, _ = Strip(data, parts, "why") // no panic is all that is asked
			}
			return
		}
		if err != nil {
			t.Fatalf("valid JSON: %v", err)
		}
		var chosen []Part
		for i, p := range parts {
			if p.Detected == KindUnspecified || (p.Detected == Other) != (p.Reason != "") {
				t.Errorf("part %d: %+v", i, p)
			}
			if which&(1<<(i%8)) != 0 {
				chosen = append(chosen, p)
			}
		}
		out, err := Strip(data, chosen, "why")
		if err != nil {
			t.Fatal(err)
		}
		if err := jsonrpc.Validate(out, nil); err != nil {
			t.Fatalf("%s became %s: %v", data, out, err)
		}
		outside(t, data, out, chosen)
		again, err := Parts(out)
		if err != nil {
			t.Fatal(err)
		}
		if len(chosen) == len(parts) {
			for _, p := range again {
				if p.Detected != Text || len(p.Text) > len("removed by the security relay") {
					t.Errorf("%s is left: %+v", out, p)
				}
			}
		}
	})
}

// outside checks that nothing but the chosen parts' objects changed: what stands
// before the first and after the last one is there still.
func outside(t *testing.T, data, out []byte, chosen []Part) {
	t.Helper()
	from, to := len(data), 0
	for i := range chosen {
		s := &chosen[i].strip
		if s.how == stripURI {
			s.from, s.to = s.at.from, s.at.to
		}
		from, to = min(from, s.from), max(to, s.to)
	}
	if len(chosen) == 0 {
		from, to = len(data), len(data)
	}
	if !bytes.HasPrefix(out, data[:from]) || !bytes.HasSuffix(out, data[to:]) {
		t.Errorf("bytes outside changed: %s became %s", data, out)
	}
}

func BenchmarkParts(b *testing.B) {
	for name, data := range map[string]string{
		"none 2KB": `{"content":[{"type":"text","text":"` + strings.Repeat("some words ", 180) + `"}]}`,
		"uri 2KB":  `{"contents":[{"uri":"file:///x","text":"` + strings.Repeat("some words ", 180) + `"}]}`,
		"png 1MB":  `{"content":[{"type":"image","mimeType":"image/png","data":"` + b64(png+strings.Repeat("\x00x\xff", 1<<20/3)) + `"}]}`,
		"text 1MB": `{"content":[{"type":"image","mimeType":"image/png","data":"` + b64(strings.Repeat("word ", 1<<20/5)) + `"}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parts([]byte(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
