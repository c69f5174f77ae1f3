package protocol

import (
	"slices"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

func TestFilter(t *testing.T) {
	tests := []struct {
		params string
		ok     bool
		want   Filter
		object string
	}{
		{`{"notifications":{}}`, true, Filter{}, `{}`},
		{`{"notifications":{"toolsListChanged":true,"promptsListChanged":false,"x":1}}`, true, Filter{Tools: true}, `{"toolsListChanged":true}`},
		{
			`{"notifications":{"taskIds":["1"],"resourceSubscriptions":["file:///\u0061","b\""],"resourcesListChanged":true,"promptsListChanged":true}}`, true,
			Filter{Prompts: true, Resources: true, URIs: []string{"file:///a", `b"`}, Tasks: []string{"1"}},
			`{"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["file:///a","b\""],"taskIds":["1"]}`,
		},
		{``, false, Filter{}, `{}`},
		{`{}`, false, Filter{}, `{}`},
		{`{"notifications":[]}`, false, Filter{}, `{}`},
		{`{"notifications":{"toolsListChanged":1}}`, false, Filter{}, `{}`},
		{`{"notifications":{"toolsListChanged":true,"resourceSubscriptions":"x"}}`, false, Filter{}, `{}`},
		{`{"notifications":{"resourceSubscriptions":[1]}}`, false, Filter{}, `{}`},
		{`{"notifications":{"resourceSubscriptions":["a"` + strings.Repeat(`,"a"`, MaxSubscriptions) + `]}}`, false, Filter{}, `{}`},
	}
	for _, tt := range tests {
		f, err := FilterOf([]byte(tt.params))
		if (err == nil) != tt.ok || !sameFilter(f, tt.want) || f.IsEmpty() != (tt.object == "{}") {
			t.Errorf("%.80s: %+v, %v", tt.params, f, err)
		}
		if got := string(f.Append([]byte("x"))); got != "x"+tt.object {
			t.Errorf("%.80s: %s", tt.params, got)
		}
	}
}

func TestSubscriptionID(t *testing.T) {
	for _, id := range []jsonrpc.ID{jsonrpc.IntID(7), jsonrpc.StringID("é\"")} {
		for params, want := range map[string]string{
			``:                               `{"_meta":{"io.modelcontextprotocol/subscriptionId":ID}}`,
			`{"uri":"x"}`:                    `{"uri":"x","_meta":{"io.modelcontextprotocol/subscriptionId":ID}}`,
			`{"_meta":{"a":1.0},"uri":"x" }`: `{"_meta":{"a":1.0,"io.modelcontextprotocol/subscriptionId":ID},"uri":"x" }`,
		} {
			set := SetSubscriptionID([]byte(params), id)
			if string(set) != strings.ReplaceAll(want, "ID", id.Raw()) {
				t.Errorf("got %s", set)
			}
			if got, ok := SubscriptionID(set); !ok || got != id {
				t.Errorf("%s belongs to %v", set, got)
			}
			if back := string(SetSubscriptionID(set, jsonrpc.ID{})); back != params && back != "{}" {
				t.Errorf("%s became %s", params, back)
			}
		}
	}
	for _, params := range []string{``, `[]`, `{"_meta":{}}`, `{"_meta":{"io.modelcontextprotocol/subscriptionId":{}}}`, `{"_meta":{"io.modelcontextprotocol/subscriptionId":null}}`} {
		if id, ok := SubscriptionID([]byte(params)); ok || !id.IsZero() {
			t.Errorf("%s belongs to %v", params, id)
		}
	}
}

// FuzzFilter: what is read is written again, and read alike.
func FuzzFilter(f *testing.F) {
	f.Add([]byte(`{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a"],"taskIds":[]}}`))
	f.Add([]byte(`{"notifications":{"promptsListChanged":null}}`))
	f.Fuzz(func(t *testing.T, params []byte) {
		if jsonrpc.Validate(params, nil) != nil {
			t.Skip()
		}
		filter, err := FilterOf(params)
		if err != nil {
			return
		}
		out := append(filter.Append([]byte(`{"notifications":`)), '}')
		if again, err := FilterOf(out); err != nil || !sameFilter(filter, again) || jsonrpc.Validate(out, nil) != nil {
			t.Fatalf("%s: %+v, then %+v, %v", out, filter, again, err)
		}
	})
}

func sameFilter(a, b Filter) bool {
	return a.Tools == b.Tools && a.Prompts == b.Prompts && a.Resources == b.Resources && slices.Equal(a.URIs, b.URIs) && slices.Equal(a.Tasks, b.Tasks)
}
