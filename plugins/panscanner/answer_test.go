package panscanner

import (
	"strings"
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

func TestParseAnswer(t *testing.T) {
	const complete = `"category":"benign","timeout":false,"error":false,"errors":[]`
	tests := map[string]struct {
		body    string
		want    scanner.Action // of the verdict; unspecified: an error
		reason  scanner.Reason
		content bool
	}{
		"allow":               {`{"action":"allow",` + complete + `}`, scanner.ActionAllow, 0, false},
		"allow, little said":  {`{"action":"allow"}`, scanner.ActionAllow, 0, false},
		"allow, nulls":        {`{"action":"allow","category":"benign","errors":null,"error":null,"tool_detected":null,"prompt_detected":null}`, scanner.ActionAllow, 0, false},
		"allow, null lists":   {`{"action":"allow","tool_detected":{"verdict":"benign","summary":{"threats":null},"output_detected":{"detection_entries":null}}}`, scanner.ActionAllow, 0, false},
		"unknown members":     {`{"action":"allow","new":{"a":[1]},"tool_detected":{"new":1,"summary":{"detections":{"new":false}}}}`, scanner.ActionAllow, 0, false},
		"block":               {`{"action":"block",` + complete + `}`, scanner.ActionBlock, 0, false},
		"block, incomplete":   {`{"action":"block","category":"timeout","timeout":true}`, scanner.ActionBlock, 0, false},
		"alert":               {`{"action":"allow","category":"malicious"}`, scanner.ActionFlag, 0, false},
		"alert by verdict":    {`{"action":"allow","category":"benign","tool_detected":{"verdict":"malicious"}}`, scanner.ActionFlag, 0, false},
		"alert by flag":       {`{"action":"allow","category":"benign","prompt_detected":{"injection":true}}`, scanner.ActionFlag, 0, false},
		"alert by odd flag":   {`{"action":"allow","category":"benign","prompt_detected":{"injection":"false"}}`, scanner.ActionFlag, 0, false},
		"alert by entry":      {`{"action":"allow","tool_detected":{"output_detected":{"detection_entries":[{"detections":{"dlp":true}}]}}}`, scanner.ActionFlag, 0, false},
		"unknown category":    {`{"action":"allow","category":"suspicious"}`, scanner.ActionFlag, 0, false},
		"timeout":             {`{"action":"allow","timeout":true}`, 0, scanner.ReasonTimeout, true},
		"error":               {`{"action":"allow","error":true}`, 0, scanner.ReasonInternal, true},
		"error as a string":   {`{"action":"allow","error":"failed"}`, 0, scanner.ReasonInternal, true},
		"error as an object":  {`{"action":"allow","error":{"message":"failed"}}`, 0, scanner.ReasonInternal, true},
		"timeout as a string": {`{"action":"allow","timeout":"false"}`, 0, scanner.ReasonTimeout, true},
		"errors":              {`{"action":"allow","errors":[{"feature":"dlp","status":"error"}]}`, 0, scanner.ReasonInternal, true},
		"errors as an object": {`{"action":"allow","errors":{}}`, 0, scanner.ReasonInternal, true},
		"category error":      {`{"action":"allow","category":"error"}`, 0, scanner.ReasonInternal, true},
		"category timeout":    {`{"action":"allow","category":"timeout"}`, 0, scanner.ReasonTimeout, true},
		"unknown action":      {`{"action":"warn",` + complete + `}`, 0, scanner.ReasonInternal, true},
		"upper case":          {`{"action":"ALLOW",` + complete + `}`, 0, scanner.ReasonInternal, true},
		"spaces":              {`{"action":"allow "}`, 0, scanner.ReasonInternal, true},
		"other member":        {`{"Action":"allow",` + complete + `}`, 0, scanner.ReasonInternal, true},
		"no action":           {`{` + complete + `}`, 0, scanner.ReasonInternal, true},
		"null action":         {`{"action":null}`, 0, scanner.ReasonInternal, true},
		"action as a list":    {`{"action":["allow"]}`, 0, scanner.ReasonInternal, true},
		"two actions":         {`{"action":"block","action":"allow"}`, 0, scanner.ReasonInternal, true},
		"array":               {`[{"action":"allow"}]`, 0, scanner.ReasonInternal, true},
		"string":              {`"allow"`, 0, scanner.ReasonInternal, true},
		"null":                {`null`, 0, scanner.ReasonInternal, true},
		"flags as a list":     {`{"action":"allow","prompt_detected":["injection"]}`, 0, scanner.ReasonInternal, true},
		"empty":               {``, 0, scanner.ReasonUnavailable, false},
		"html":                {`<html>Bad Gateway</html>`, 0, scanner.ReasonUnavailable, false},
		"truncated":           {`{"action":"allow","cat`, 0, scanner.ReasonUnavailable, false},
		"two answers":         {`{"action":"allow"}{"action":"block"}`, 0, scanner.ReasonUnavailable, false},
		"invalid UTF-8":       {"{\"action\":\"allow\",\"x\":\"\xff\"}", 0, scanner.ReasonUnavailable, false},
		"byte order mark":     {"\ufeff{\"action\":\"allow\"}", 0, scanner.ReasonUnavailable, false},
		"deep":                {`{"action":"allow","x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, 0, scanner.ReasonUnavailable, false},
	}
	p := &piece{src: &projection{}}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, failure := parseAnswer([]byte(test.body))
			var v scanner.Verdict
			if failure == nil {
				v, failure = p.decide(a)
			}
			if test.want != 0 {
				if failure != nil || v.Action != test.want {
					t.Fatalf("verdict %+v, error %v", v, failure)
				}
				if v.Action != scanner.ActionAllow && len(v.Findings) == 0 {
					t.Error("no finding says why")
				}
				return
			}
			if failure == nil {
				t.Fatalf("verdict %+v, want an error", v)
			}
			if failure.Reason != test.reason || failure.ContentCaused != test.content {
				t.Errorf("error %+v", failure)
			}
		})
	}
}

// FuzzParseAnswer checks that no answer passes content unless it says allow.
func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"action":"allow","category":"benign","timeout":false,"error":false,"errors":[],"report_id":"R1"}`))
	f.Add([]byte(`{"action":"block","tool_detected":{"output_detected":{"detection_entries":[{"tool_invoked":"a","detections":{"dlp":true},"masked_data":{"data":"[]"}}]}}}`))
	f.Add([]byte(`{"action":"allow","errors":[null]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, failure := parseAnswer(body)
		if failure != nil {
			return
		}
		set := &toolset{names: []string{"a", "b"}}
		for _, p := range []*piece{{src: &projection{}}, {src: &projection{}, tools: set}} {
			v, failure := p.decide(a)
			if failure != nil {
				continue
			}
			if (v.Action == scanner.ActionAllow || v.Action == scanner.ActionFlag) && (a.action != "allow" || a.incomplete) {
				t.Fatalf("%v for %+v", v.Action, a)
			}
			if v.Action == scanner.ActionUnspecified || len(v.Reference) > 64 {
				t.Fatalf("verdict %+v", v)
			}
		}
	})
}

func TestCatalogueFindings(t *testing.T) {
	list := `{"tools":[{"name":"a"},{"name":"b"},{"name":"a"},{"description":"no name"}]}`
	b, failure := testConfig().split(scanner.Content{Phase: scanner.PhaseDefinition, Kind: scanner.KindJSON, Data: []byte(list)})
	if failure != nil || len(b.pieces) != 1 {
		t.Fatal(failure)
	}
	tests := map[string]struct {
		answer answer
		want   string
	}{
		"one":               {answer{output: []entry{{tool: "b", raised: []string{"injection"}}, {tool: "a"}}, summary: []string{"injection"}}, "/tools/1 "},
		"both of that name": {answer{output: []entry{{tool: "a", raised: []string{"injection"}}}}, "/tools/0 /tools/2 "},
		"two detectors":     {answer{output: []entry{{tool: "b", raised: []string{"agent", "injection"}}}}, "/tools/1 /tools/1 "},
		"unknown tool":      {answer{output: []entry{{tool: "x", raised: []string{"injection"}}}}, " "},
		"known and unknown": {answer{output: []entry{{tool: "b", raised: []string{"dlp"}}, {tool: "x", raised: []string{"dlp"}}}}, " "},
		"nameless tool":     {answer{output: []entry{{tool: "", raised: []string{"injection"}}}}, " "},
		"no tool":           {answer{}, " "},
		"summary says more": {answer{output: []entry{{tool: "b", raised: []string{"dlp"}}}, summary: []string{"dlp", "injection"}}, "  "},
		"prompt says more":  {answer{output: []entry{{tool: "b", raised: []string{"dlp"}}}, prompt: []string{"injection"}}, "  "},
		"incomplete":        {answer{output: []entry{{tool: "b", raised: []string{"dlp"}}}, incomplete: true}, "  "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.answer.action = actionBlock
			v, failure := b.pieces[0].decide(test.answer)
			if failure != nil || v.Action != scanner.ActionBlock {
				t.Fatalf("verdict %+v, error %v", v, failure)
			}
			got := ""
			for _, f := range v.Findings {
				got += f.Location.Pointer + " "
			}
			if got != test.want {
				t.Errorf("located at %q, want %q", got, test.want)
			}
		})
	}
}

// TestSum checks that a content passes only when every part of it was judged.
func TestSum(t *testing.T) {
	outage := &scanner.Error{Reason: scanner.ReasonUnavailable}
	caused := &scanner.Error{Reason: scanner.ReasonTimeout, ContentCaused: true}
	block := scanner.Block(scanner.Finding{Rule: "airs/dlp"})
	part, tool := piece{}, piece{tools: &toolset{}}
	tests := map[string]struct {
		pieces   []piece
		verdicts []scanner.Verdict
		failures []*scanner.Error
		want     scanner.Action
		failure  *scanner.Error
	}{
		"nothing":           {nil, nil, nil, scanner.ActionAllow, nil},
		"all pass":          {[]piece{part, part}, []scanner.Verdict{scanner.Allow(), scanner.Flag()}, []*scanner.Error{nil, nil}, scanner.ActionFlag, nil},
		"one fails":         {[]piece{part, part}, []scanner.Verdict{scanner.Allow(), {}}, []*scanner.Error{nil, outage}, 0, outage},
		"the content's":     {[]piece{part, part}, []scanner.Verdict{{}, {}}, []*scanner.Error{outage, caused}, 0, caused},
		"skipped":           {[]piece{part, part}, []scanner.Verdict{{}, {}}, []*scanner.Error{outage, nil}, 0, outage},
		"block and failure": {[]piece{part, part}, []scanner.Verdict{{}, block}, []*scanner.Error{outage, nil}, scanner.ActionBlock, nil},
		"tool and failure":  {[]piece{tool, tool}, []scanner.Verdict{{}, block}, []*scanner.Error{outage, nil}, 0, outage},
		"tools":             {[]piece{tool, tool}, []scanner.Verdict{scanner.Allow(), block}, []*scanner.Error{nil, nil}, scanner.ActionBlock, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v, failure := sum(test.pieces, test.verdicts, test.failures)
			if v.Action != test.want || failure != test.failure {
				t.Errorf("verdict %+v, error %v", v, failure)
			}
		})
	}
	if _, failure := sum([]piece{part}, make([]scanner.Verdict, 1), make([]*scanner.Error, 1)); failure == nil {
		t.Error("a part that was never asked about passes")
	}
}
