package protocol

import (
	"bytes"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

func TestCapabilitiesOf(t *testing.T) {
	for raw, want := range map[string]CapabilitySet{
		``: 0, `{}`: 0, `[]`: 0, `null`: 0,
		`{"sampling":{}}`: Capabilities(Sampling),
		`{"sampling":{"tools":{},"context":{}},"roots":{"listChanged":true}}`: Capabilities(Sampling, SamplingTools, SamplingContext, Roots),
		`{"elicitation":{}}`:                   Capabilities(ElicitForm),
		`{"elicitation":{"form":{}}}`:          Capabilities(ElicitForm),
		`{"elicitation":{"url":{}}}`:           Capabilities(ElicitURL),
		`{"elicitation":{"url":{},"form":{}}}`: Capabilities(ElicitURL, ElicitForm),
		`{"elicitation":{"acme":{}}}`:          Capabilities(ElicitForm),
		`{"sampling":true,"roots":null}`:       0,
		`{"experimental":{"sampling":{}}}`:     0,
		`{"sampling":{"tools":true}}`:          Capabilities(Sampling),
	} {
		if got := CapabilitiesOf([]byte(raw)); got != want {
			t.Errorf("%s: got %b, want %b", raw, got, want)
		}
	}
	for c := Sampling; c <= SamplingContext; c++ {
		if !AllCapabilities.Has(c) || CapabilitySet(0).Has(c) || Capabilities(c).Has(c+1) {
			t.Errorf("%d: the sets are wrong", c)
		}
	}
}

func TestAllows(t *testing.T) {
	tests := []struct {
		method, params string
		needs          CapabilitySet
		missing        string
	}{
		{CreateMessage, `{"messages":[]}`, Capabilities(Sampling), `{"sampling":{}}`},
		{CreateMessage, `{"includeContext":"thisServer"}`, Capabilities(Sampling), `{"sampling":{}}`},
		{CreateMessage, `{"tools":[]}`, Capabilities(Sampling, SamplingTools), `{"sampling":{}}`},
		{CreateMessage, `{"toolChoice":{}}`, Capabilities(Sampling, SamplingTools), `{"sampling":{}}`},
		{Elicit, `{"message":"x"}`, Capabilities(ElicitForm), `{"elicitation":{"form":{}}}`},
		{Elicit, `{"mode":"form"}`, Capabilities(ElicitForm), `{"elicitation":{"form":{}}}`},
		{Elicit, `{"mode":"url"}`, Capabilities(ElicitURL), `{"elicitation":{"url":{}}}`},
		{ListRoots, ``, Capabilities(Roots), `{"roots":{}}`},
		{Ping, ``, 0, ``},
		{"acme/ask", `{"mode":"url"}`, 0, ``},
	}
	for _, tt := range tests {
		params := []byte(tt.params)
		if !tt.needs.Allows(tt.method, params) || tt.needs.Missing(tt.method, params) != nil {
			t.Errorf("%s %s is not allowed with what it needs", tt.method, params)
		}
		if got := string(CapabilitySet(0).Missing(tt.method, params)); got != tt.missing {
			t.Errorf("%s %s misses %s", tt.method, params, got)
		}
		for c := Sampling; c <= SamplingContext; c++ {
			if tt.needs.Has(c) && (AllCapabilities&^Capabilities(c)).Allows(tt.method, params) {
				t.Errorf("%s %s is allowed without %d", tt.method, params, c)
			}
		}
	}
	for _, mode := range []string{`"URL"`, `"other"`, `1`, `null`, `""`} {
		if AllCapabilities.Allows(Elicit, []byte(`{"mode":`+mode+`}`)) {
			t.Errorf("mode %s is allowed", mode)
		}
	}
	if got := Capabilities(Sampling).Missing(CreateMessage, []byte(`{"tools":[]}`)); string(got) != `{"sampling":{"tools":{}}}` {
		t.Errorf("misses %s", got)
	}
}

func TestRestrict(t *testing.T) {
	const all = `{"roots":{"listChanged":true}, "sampling":{"tools":{},"context":{}},"elicitation":{"form":{}, "url":{}},"experimental":{"sampling":{}},` +
		`"tasks":{"list":{},"requests":{"sampling":{"createMessage":{}},"elicitation":{"create":{}}}}}`
	tests := []struct {
		raw     string
		allowed CapabilitySet
		want    string
	}{
		{all, AllCapabilities, all},
		{all, 0, `{"experimental":{"sampling":{}},"tasks":{"list":{},"requests":{}}}`},
		{all, Capabilities(ElicitForm), `{"elicitation":{"form":{}},"experimental":{"sampling":{}},"tasks":{"list":{},"requests":{"elicitation":{"create":{}}}}}`},
		{all, Capabilities(ElicitURL, Roots, Sampling),
			`{"roots":{"listChanged":true}, "sampling":{},"elicitation":{"url":{}},"experimental":{"sampling":{}},` +
				`"tasks":{"list":{},"requests":{"sampling":{"createMessage":{}},"elicitation":{"create":{}}}}}`},
		{`{"elicitation":{}}`, Capabilities(ElicitURL), `{}`},
		{`{"elicitation":{}}`, Capabilities(ElicitForm), `{"elicitation":{}}`},
		{`{"elicitation":{"url":{}}}`, Capabilities(ElicitForm), `{}`}, // {} would mean form mode, which it does not have
		{`{"elicitation":{"url":{}}}`, Capabilities(ElicitURL), `{"elicitation":{"url":{}}}`},
		{`{"sampling":true,"elicitation":7}`, 0, `{}`},
		{`{"sampling":{"tools":{}}}`, Capabilities(SamplingTools), `{}`},
		{``, 0, ``},
	}
	for _, tt := range tests {
		if got := string(Restrict([]byte(tt.raw), tt.allowed)); got != tt.want {
			t.Errorf("%s to %b: got %s", tt.raw, tt.allowed, got)
		}
	}
}

// FuzzRestrict: exactly what was declared and is allowed is left.
func FuzzRestrict(f *testing.F) {
	f.Add([]byte(`{"sampling":{"tools":{}},"elicitation":{"url":{}}}`), uint8(1))
	f.Add([]byte(`{"elicitation":{"form":7},"tasks":{"requests":{"elicitation":1}}}`), uint8(2))
	f.Fuzz(func(t *testing.T, raw []byte, allowed uint8) {
		if jsonrpc.Validate(raw, nil) != nil {
			t.Skip()
		}
		set := CapabilitySet(allowed) & AllCapabilities
		want := CapabilitiesOf(raw) & set
		if !set.Has(Sampling) {
			want &^= Capabilities(SamplingTools, SamplingContext)
		}
		out := Restrict(raw, set)
		if got := CapabilitiesOf(out); got != want {
			t.Fatalf("%s to %b: %s is %b", raw, set, out, got)
		}
		if err := jsonrpc.Validate(out, nil); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if again := Restrict(out, set); !bytes.Equal(again, out) {
			t.Fatalf("%s, then %s", out, again)
		}
		if !bytes.Equal(Restrict(raw, AllCapabilities), raw) {
			t.Fatal("changed with all allowed")
		}
	})
}
