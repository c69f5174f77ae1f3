package measure

import (
	"errors"
	"fmt"

	"github.com/mcp-relay/relay/bench/internal/client"
)

// Errors counts failed calls by kind and keeps a few samples.
type Errors struct {
	Transport int      `json:"transport,omitempty"` // no response: closed, timed out, HTTP error
	RPC       int      `json:"rpc,omitempty"`       // JSON-RPC error response
	Tool      int      `json:"tool,omitempty"`      // result with isError
	Content   int      `json:"content,omitempty"`   // wrong, truncated or another call's content
	Stray     int      `json:"stray,omitempty"`     // messages that answered no pending call
	Samples   []string `json:"samples,omitempty"`
}

// Total is the number of failures.
func (e *Errors) Total() int { return e.Transport + e.RPC + e.Tool + e.Content + e.Stray }

// String is the number of failures, by kind when there are any.
func (e *Errors) String() string {
	if e.Total() == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (transport %d, rpc %d, tool %d, content %d, stray %d)",
		e.Total(), e.Transport, e.RPC, e.Tool, e.Content, e.Stray)
}

func (e *Errors) add(err error) {
	var rpc *client.RPCError
	switch {
	case errors.As(err, &rpc):
		e.RPC++
	case errors.Is(err, errTool):
		e.Tool++
	case errors.Is(err, errContent):
		e.Content++
	default:
		e.Transport++
	}
	if len(e.Samples) < 3 {
		e.Samples = append(e.Samples, err.Error())
	}
}

func (e *Errors) merge(o *Errors) {
	e.Transport += o.Transport
	e.RPC += o.RPC
	e.Tool += o.Tool
	e.Content += o.Content
	e.Stray += o.Stray
	if room := 3 - len(e.Samples); room > 0 {
		e.Samples = append(e.Samples, o.Samples[:min(room, len(o.Samples))]...)
	}
}

var (
	errTool    = errors.New("tool error")
	errContent = errors.New("wrong content")
)
