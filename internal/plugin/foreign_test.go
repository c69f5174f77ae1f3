package plugin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/mcp-relay/relay/internal/verdict"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

func FuzzVerdictFrom(f *testing.F) {
	for _, p := range []*scannerv1.ScanResponse{
		{},
		{ScanId: "1", Verdict: &scannerv1.Verdict{Action: 1}},
		{ScanId: "1", Verdict: &scannerv1.Verdict{Action: 3, Findings: []*scannerv1.Finding{{
			Rule: "r", Category: "c", Edit: &scannerv1.Edit{}, Location: &scannerv1.Location{Pointer: "/a", Start: 1, End: 2},
		}}}},
		{ScanId: "1", Verdict: &scannerv1.Verdict{Action: 5, Findings: []*scannerv1.Finding{{
			Rule: "r", Category: "c", Severity: -1, Confidence: 2, Location: &scannerv1.Location{Start: 1 << 31},
		}}}},
	} {
		raw, err := proto.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	c := &verdict.Content{Phase: verdict.Response, Kind: verdict.JSON, Data: []byte(`{"a":"secret"}`)}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p scannerv1.ScanResponse
		if proto.Unmarshal(raw, &p) != nil {
			return
		}
		v, err := verdictFrom(&p, "1", c, false)
		if err != nil {
			if v.Action != verdict.ActionUnspecified {
				t.Error("an error came with an action")
			}
			return
		}
		if p.GetScanId() != "1" || !v.Action.Valid() {
			t.Errorf("accepted %+v", &p)
		}
		for _, finding := range v.Findings {
			if finding.Edit != nil && (finding.Edit.HasText || v.Action != verdict.Redact) {
				t.Errorf("edit %+v with action %s", finding.Edit, v.Action)
			}
		}
	})
}

func TestInfoFrom(t *testing.T) {
	t.Parallel()
	good := func() *scannerv1.DescribeResponse { return &scannerv1.DescribeResponse{Name: "a.b-c_1", Version: "1"} }
	if _, err := infoFrom(good()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*scannerv1.DescribeResponse){
		"no name":         func(p *scannerv1.DescribeResponse) { p.Name = "" },
		"path":            func(p *scannerv1.DescribeResponse) { p.Name = "../x" },
		"dots":            func(p *scannerv1.DescribeResponse) { p.Name = "a..b" },
		"upper case":      func(p *scannerv1.DescribeResponse) { p.Name = "A" },
		"no version":      func(p *scannerv1.DescribeResponse) { p.Version = "" },
		"long version":    func(p *scannerv1.DescribeResponse) { p.Version = strings.Repeat("1", 65) },
		"schema":          func(p *scannerv1.DescribeResponse) { p.ConfigSchema = "{" },
		"phases of later": func(p *scannerv1.DescribeResponse) { p.Phases = []scannerv1.Phase{77, 0, -1, 256 + 1} },
		"kinds of later":  func(p *scannerv1.DescribeResponse) { p.Kinds = []scannerv1.Kind{77, 0, 256 + 1} },
	} {
		p := good()
		spoil(p)
		if info, err := infoFrom(p); err == nil {
			t.Errorf("%s: accepted as %+v", name, info)
		}
	}
	p := good()
	p.Phases, p.Kinds = []scannerv1.Phase{1, 77}, []scannerv1.Kind{1}
	info, err := infoFrom(p)
	if err != nil || !info.Covers(verdict.Definition, verdict.JSON) || info.Covers(verdict.Request, verdict.JSON) || info.Covers(verdict.Definition, verdict.Text) {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestForeignStringsFitTheWire(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in    string
		limit int
		want  string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"aé", 2, "a"}, {"\xff", 3, "\uFFFD"}, {"\xff", 2, ""}, {"", 0, ""}} {
		if got := wire(test.in, test.limit); got != test.want {
			t.Errorf("wire(%q, %d) = %q, want %q", test.in, test.limit, got, test.want)
		}
	}
}

// chunks is a reader that returns one chunk per call.
type chunks [][]byte

func (c *chunks) Read(p []byte) (int, error) {
	if len(*c) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*c)[0])
	*c = (*c)[1:]
	return n, nil
}

func TestStderrIsThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := &stderr{log: slog.New(slog.NewTextHandler(&out, nil))}
		start := time.Now()
		s.follow(t.Context(), io.LimitReader(endless{}, 3*bytesPerBeat+1))
		if took := time.Since(start); took != 3*beat {
			t.Errorf("12 MiB took %s", took)
		}
		if lines := bytes.Count(out.Bytes(), []byte("\n")); lines > 4*(linesPerBeat+1)+1 {
			t.Errorf("%d lines were logged", lines)
		}
		if len(s.tail) > tailSize {
			t.Errorf("%d bytes were kept", len(s.tail))
		}
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "noise\n"[i%6]
	}
	return len(p), nil
}

func FuzzStderr(f *testing.F) {
	for _, seed := range []string{
		`{"@message":1}`, `{"@message":"m","@level":"error","a":[1]}`, "{", "plain", "\x1b]52;c;x\a", "\xff\x9b\u202e", strings.Repeat("x", 3*maxLine), "a\r\nb", "\x00",
	} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, raw []byte, size int) {
		size = 1 + int(uint(size)%64)
		var in chunks
		for rest := raw; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			in = append(in, rest[:min(size, len(rest))])
		}
		var texts collect
		s := &stderr{log: slog.New(&texts)}
		s.follow(t.Context(), &in)
		for _, text := range append(texts, s.last()) {
			if len(text) > 4*max(maxLine, tailSize)+16 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("logged %q", text)
			}
		}
	})
}

// collect is a handler that keeps what foreign text the records hold.
type collect []string

func (c *collect) Enabled(context.Context, slog.Level) bool { return true }
func (c *collect) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *collect) WithGroup(string) slog.Handler            { return c }

func (c *collect) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		*c = append(*c, a.Value.String())
		return true
	})
	return nil
}

func TestBytesField(t *testing.T) {
	t.Parallel()
	var m []byte
	m = protowire.AppendTag(m, 1, protowire.VarintType)
	m = protowire.AppendVarint(m, 2)
	m = protowire.AppendTag(m, 2, protowire.BytesType)
	m = protowire.AppendBytes(m, []byte("data"))
	if got := bytesField(m, 2); string(got) != "data" {
		t.Errorf("got %q", got)
	}
	for i := range m {
		_ = bytesField(m[:i], 2) // must not panic
	}
	if bytesField(m, 3) != nil {
		t.Error("found a field that is not there")
	}
}

func TestErrorsTellApart(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&ErrProtocol{Have: 2, Want: 1}, &AddressError{}, &DigestError{}, &PermissionError{}, &ConfigError{},
	} {
		if !permanent(&StartError{Scanner: "x", Err: errors.Join(io.EOF, err)}) {
			t.Errorf("%T is tried again", err)
		}
	}
	if permanent(&StartError{Err: &HandshakeError{}}) {
		t.Error("a broken handshake is given up at once")
	}
}
