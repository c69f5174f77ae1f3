package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

func TestInputRequired(t *testing.T) {
	request := `"a":{"method":"elicitation/create","params":{"message":"x"}}`
	var many []string
	for i := range MaxInputRequests + 1 {
		many = append(many, fmt.Sprintf(`"%d":{"method":"roots/list"}`, i))
	}
	tests := []struct {
		name, result string
		ok           bool
		err          error
		want         Input
	}{
		{"complete", `{"resultType":"complete","inputRequests":7}`, false, nil, Input{}},
		{"without type", `{"inputRequests":{` + request + `}}`, false, nil, Input{}},
		{"array", `[{"resultType":"input_required"}]`, false, nil, Input{}},
		{
			"both", `{"resultType":"input_required","requestState":"s\n\u0041","inputRequests":{` + request + `,"b":{"method":"roots/list"}}}`, true, nil,
			Input{Requests: []InputRequest{{"a", Elicit, []byte(`{"message":"x"}`)}, {"b", ListRoots, nil}}, State: "s\nA", HasState: true},
		},
		{"state", `{"resultType":"input_required","requestState":""}`, true, nil, Input{HasState: true}},
		{"requests", `{"resultType":"input_required","inputRequests":{"":{"method":"sampling/createMessage","params":{}}}}`, true, nil,
			Input{Requests: []InputRequest{{"", CreateMessage, []byte(`{}`)}}}},
		{"most", `{"resultType":"input_required","requestState":"s","inputRequests":{` + strings.Join(many[1:], ",") + `}}`, true, nil, Input{HasState: true, State: "s"}},
		{"nothing", `{"resultType":"input_required"}`, true, errInputNothing, Input{}},
		{"no requests", `{"resultType":"input_required","inputRequests":{}}`, true, errInputNothing, Input{}},
		{"too many", `{"resultType":"input_required","inputRequests":{` + strings.Join(many, ",") + `}}`, true, errInputMany, Input{}},
		{"list", `{"resultType":"input_required","inputRequests":[` + request[4:] + `]}`, true, errInputRequest, Input{}},
		{"no object", `{"resultType":"input_required","inputRequests":{"a":"elicitation/create"}}`, true, errInputRequest, Input{}},
		{"unknown method", `{"resultType":"input_required","inputRequests":{"a":{"method":"tools/call","params":{}}}}`, true, errInputRequest, Input{}},
		{"case of the method", `{"resultType":"input_required","inputRequests":{"a":{"method":"Roots/list"}}}`, true, errInputRequest, Input{}},
		{"no params", `{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create"}}}`, true, errInputRequest, Input{}},
		{"params in a list", `{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list","params":[]}}}`, true, errInputRequest, Input{}},
		{"state of another type", `{"resultType":"input_required","requestState":{}}`, true, errInputState, Input{}},
		{"lone surrogate", `{"resultType":"input_required","requestState":"\ud800"}`, true, errInputState, Input{}},
		{"replacement characters", `{"resultType":"input_required","requestState":"` + "\uFFFD" + `\uFffD"}`, true, nil, Input{State: "\uFFFD\uFFFD", HasState: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, ok, err := InputRequired([]byte(tt.result))
			if ok != tt.ok || !errors.Is(err, tt.err) {
				t.Fatalf("got %v, %v", ok, err)
			}
			if tt.name == "most" {
				if len(in.Requests) != MaxInputRequests {
					t.Errorf("%d requests", len(in.Requests))
				}
				in.Requests = nil
			}
			if !sameInput(in, tt.want) {
				t.Errorf("got %+v", in)
			}
		})
	}
}

func TestWithInputRequired(t *testing.T) {
	const result = `{"_meta":{"x":1},"inputRequests":{"a":{"params":{"message":"m"}, "method":"elicitation/create","z":1.0},"b":{"method":"roots/list"}},"resultType":"input_required","requestState":"theirs"}`
	in := Input{
		Requests: []InputRequest{{"a", Elicit, []byte(`{"message":"[w] m"}`)}, {"b", ListRoots, []byte(`{"_meta":{}}`)}, {"c", ListRoots, []byte(`{}`)}},
		State:    "ours", HasState: true,
	}
	const want = `{"_meta":{"x":1},"inputRequests":{"a":{"params":{"message":"[w] m"}, "method":"elicitation/create","z":1.0},"b":{"method":"roots/list","params":{"_meta":{}}}},"resultType":"input_required","requestState":"ours"}`
	if got := string(WithInputRequired([]byte(result), in)); got != want {
		t.Errorf("got %s", got)
	}
	if got := string(WithInputRequired([]byte(`{"requestState":"x","resultType":"input_required"}`), Input{})); got != `{"resultType":"input_required"}` {
		t.Errorf("got %s", got)
	}
}

func TestWithInput(t *testing.T) {
	const params = `{"name":"x","arguments":{"a":1.0}}`
	responses := []InputResponse{{"a\"", []byte(`{"action":"accept"}`)}, {"b", []byte(`{"roots":[]}`)}}
	got := WithInput([]byte(params), responses, "s\u2028", true)
	const want = `{"name":"x","arguments":{"a":1.0},"inputResponses":{"a\"":{"action":"accept"},"b":{"roots":[]}},"requestState":"s` + "\u2028" + `"}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
	answers, ok := InputResponses(got)
	if !ok || len(answers) != 2 || string(answers[`a"`]) != `{"action":"accept"}` {
		t.Errorf("answers: %v", answers)
	}
	if state, ok := RequestState(got); !ok || state != "s\u2028" {
		t.Errorf("state: %q", state)
	}
	if back := string(WithoutInput(got)); back != params {
		t.Errorf("got %s", back)
	}
	if next := string(WithInput(got, nil, "", false)); next != params {
		t.Errorf("old answers stay: %s", next)
	}
	for _, bad := range []string{``, `[]`, `{}`, `{"inputResponses":[],"requestState":7}`, `{"inputResponses":null,"requestState":"\udc00"}`} {
		if _, ok := InputResponses([]byte(bad)); ok {
			t.Errorf("%s has answers", bad)
		}
		if _, ok := RequestState([]byte(bad)); ok {
			t.Errorf("%s has a state", bad)
		}
	}
}

func TestHasLoneSurrogate(t *testing.T) {
	for raw, want := range map[string]bool{
		`""`: false, `"\ud83d\ude00"`: false, `"\uD83D\uDE00x\ud83d\ude00"`: false, `"\\ud800"`: false, `"\ufffd\ud7ff\ue000"`: false, `"d8\n"`: false,
		`"\ud800"`: true, `"\udc00"`: true, `"\ud800x\udc00"`: true, `"\ud800\ud800\udc00"`: true, `"\ud800\n"`: true, `"\\ufffd\uDFFF"`: true,
		`"\ud83d\ude00\ude00"`: true,
	} {
		if hasLoneSurrogate([]byte(raw)) != want {
			t.Errorf("%s: should be %v", raw, want)
		}
	}
}

func TestCheckAnswer(t *testing.T) {
	tests := []struct {
		method, result string
		ok             bool
	}{
		{CreateMessage, `{"role":"assistant","content":{"type":"text","text":"x"},"model":"m"}`, true},
		{CreateMessage, `{"role":"assistant","content":[{"type":"text","text":"x"}],"model":"m"}`, true},
		{CreateMessage, `{"role":"assistant","content":{"type":"text","text":"x","Text":"y"}}`, false},
		{CreateMessage, `{"role":"assistant","content":[{"type":"text","Text":"y"}]}`, false},
		{CreateMessage, `{"role":"assistant","content":{"type":"tool_result","content":[{"Text":1}]}}`, false},
		{CreateMessage, `{"Role":"assistant"}`, false},
		{CreateMessage, `{"content":{"type":"tool_use","input":{"Text":1}}}`, true},
		{Elicit, `{"action":"accept","content":{"Text":"y"}}`, true},
	}
	for _, tt := range tests {
		if err := CheckAnswer(tt.method, []byte(tt.result)); (err == nil) != tt.ok {
			t.Errorf("%s %s: %v", tt.method, tt.result, err)
		}
	}
}

// FuzzInput: what is read is written again, and read alike.
func FuzzInput(f *testing.F) {
	f.Add([]byte(`{"resultType":"input_required","requestState":"s","inputRequests":{"a":{"method":"elicitation/create","params":{"message":"x"}}}}`))
	f.Add([]byte(`{"inputResponses":{"a":{}},"requestState":"\\ufffd\ud800"}`))
	f.Fuzz(func(t *testing.T, object []byte) {
		if jsonrpc.Validate(object, nil) != nil {
			t.Skip()
		}
		in, ok, err := InputRequired(object)
		if ok && err == nil {
			for _, out := range [][]byte{AppendInputRequired(nil, in), WithInputRequired(object, in)} {
				again, ok, err := InputRequired(out)
				if !ok || err != nil || !sameInput(in, again) {
					t.Fatalf("%s: %+v, then %+v, %v", out, in, again, err)
				}
				if err := jsonrpc.Validate(out, nil); err != nil {
					t.Fatalf("%s: %v", out, err)
				}
			}
		}
		answers, _ := InputResponses(object)
		state, hasState := RequestState(object)
		var responses []InputResponse
		for key, result := range answers {
			responses = append(responses, InputResponse{key, result})
		}
		if !isObject(object) {
			return
		}
		out := WithInput(object, responses, state, hasState)
		if err := jsonrpc.Validate(out, nil); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if again, has := RequestState(out); again != state || has != hasState {
			t.Fatalf("%s: %q, then %q", out, state, again)
		}
		if again, _ := InputResponses(out); len(again) != len(answers) {
			t.Fatalf("%s: %v, then %v", out, answers, again)
		}
		if clean := WithoutInput(out); !bytes.Equal(WithoutInput(clean), clean) || jsonrpc.Validate(clean, nil) != nil {
			t.Fatalf("%s has input", clean)
		}
	})
}

func sameInput(a, b Input) bool {
	return a.State == b.State && a.HasState == b.HasState && slices.EqualFunc(a.Requests, b.Requests, func(a, b InputRequest) bool {
		return a.Key == b.Key && a.Method == b.Method && bytes.Equal(a.Params, b.Params)
	})
}
