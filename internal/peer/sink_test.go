package peer

import (
	"errors"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

func TestFrames(t *testing.T) {
	id, none := jsonrpc.StringID("a"), jsonrpc.ID{}
	request, response := AppendRequest, AppendResponse
	tests := []struct {
		name   string
		append func([]byte, jsonrpc.ID, Cleared) ([]byte, error)
		id     jsonrpc.ID
		c      Cleared
		want   string // "": refused
	}{
		{"request", request, id, Clear(Params, "m", []byte(`{"a":1}`)), `{"jsonrpc":"2.0","id":"a","method":"m","params":{"a":1}}`},
		{"request without params", request, id, Clear(Params, "m", nil), `{"jsonrpc":"2.0","id":"a","method":"m"}`},
		{"notification", request, none, Clear(Params, "m", []byte(`[]`)), `{"jsonrpc":"2.0","method":"m","params":[]}`},
		{"result", response, id, Clear(Result, "m", []byte(`{}`)), `{"jsonrpc":"2.0","id":"a","result":{}}`},
		{"error", response, id, Clear(Error, "m", []byte(`{"code":1}`)), `{"jsonrpc":"2.0","id":"a","error":{"code":1}}`},
		{"error without id", response, none, Clear(Error, "", []byte(`{"code":1}`)), `{"jsonrpc":"2.0","id":null,"error":{"code":1}}`},
		{"a result is no request", request, id, Clear(Result, "m", []byte(`{}`)), ""},
		{"an error is no request", request, id, Clear(Error, "m", []byte(`{}`)), ""},
		{"params are no response", response, id, Clear(Params, "m", []byte(`{}`)), ""},
		{"nothing judged, no request", request, id, Cleared{}, ""},
		{"nothing judged, no response", response, id, Cleared{}, ""},
		{"no part that there is", response, id, Clear(Error+1, "m", []byte(`{}`)), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.append([]byte("before"), tt.id, tt.c)
			if string(got) != "before"+tt.want || errors.Is(err, ErrNotCleared) != (tt.want == "") {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

func TestZeroClearedIsNotValid(t *testing.T) {
	if (Cleared{}).Valid() {
		t.Error("the zero value passes for judged content")
	}
	c := Clear(Result, "m", []byte("{}"))
	if !c.Valid() || c.Part() != Result || c.Method() != "m" || string(c.Body()) != "{}" {
		t.Errorf("%+v", c)
	}
}
