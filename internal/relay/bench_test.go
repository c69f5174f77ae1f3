package relay

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
)

// echoing is a connection whose server answers at once, with the same result.
type echoing struct {
	*fakeConn

	result []byte
	head   []byte // of result; the answer is the relay's own, to do with as it likes
	calls  int64
}

type echoingCall struct{ id jsonrpc.ID }

func (c echoingCall) ID() jsonrpc.ID { return c.id }
func (echoingCall) Abandon(error)    {}

// Call implements Connection.
func (c *echoing) Call(cl peer.Cleared, by peer.Caller) peer.Call {
	if cl.Method() != protocol.ToolsCall {
		return c.fakeConn.Call(cl, by)
	}
	c.calls++
	copy(c.result, c.head)
	by.Answered(peer.Reply{Result: c.result})
	return echoingCall{jsonrpc.IntID(c.calls)}
}

// counting is a sink that makes the frames and keeps how many bytes they had.
type counting struct {
	buf   []byte
	bytes int
}

func (s *counting) Respond(id jsonrpc.ID, c peer.Cleared) error {
	frame, err := peer.AppendResponse(s.buf[:0], id, c)
	s.buf, s.bytes = frame, s.bytes+len(frame)
	return err
}

func (*counting) Notify(jsonrpc.ID, peer.Cleared) error              { return nil }
func (*counting) Request(jsonrpc.ID, jsonrpc.ID, peer.Cleared) error { return nil }

type noRecords struct{}

func (noRecords) Write(*audit.Record) error { return nil }

// BenchmarkCall is the relay's own work on one tools/call and its answer,
// without a scan, a transport or a record: by the eras of the client and of the
// server.
func BenchmarkCall(b *testing.B) {
	for _, size := range []int{200, 1 << 20} {
		for _, bb := range []struct {
			name           string
			client, server bool // modern
		}{
			{"legacy-legacy", false, false}, {"legacy-modern", false, true},
			{"modern-legacy", true, false}, {"modern-modern", true, true},
		} {
			b.Run(bb.name+"/"+strconv.Itoa(size), func(b *testing.B) {
				benchmarkCall(b, bb.client, bb.server, size)
			})
		}
	}
}

func benchmarkCall(b *testing.B, modernClient, modernServer bool, size int) {
	server := &fakeServer{modern: modernServer, tools: []string{"echo"}}
	result := `{"content":[{"type":"text","text":"` + strings.Repeat("x", size) + `"}],"isError":false}`
	if modernServer {
		result = `{"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}},` + result[1:]
	}
	dial := func(ctx context.Context, h peer.Handler) (Connection, error) {
		c, err := server.dial(ctx, h)
		if err != nil {
			return nil, err
		}
		conn, _ := c.(*fakeConn)
		return &echoing{fakeConn: conn, result: []byte(result), head: []byte(result[:150])}, nil
	}
	log := slog.New(slog.DiscardHandler)
	gate := scan.New(scan.Options{
		Panel:    scan.Panel{Members: []scan.Member{{Scanner: &judge{}, Policy: scan.Policy{Name: "j"}}}},
		Recorder: noRecords{}, Log: log,
	})
	defer gate.Close()
	relay := New(Options{
		Version: "1", MaxName: 50, MaxTools: 100, StartTimeout: 10 * time.Second, CallTimeout: time.Minute,
		Gate: gate, Audit: noRecords{}, Log: log,
		Servers: []Server{{Name: "s0", Dialer: DialFunc(dial), Speech: server.spoken(), MayAsk: protocol.AllCapabilities, Hidden: true}},
	})
	defer relay.Close()
	out := &counting{}
	client := relay.Connect(b.Context(), peer.Hello{Session: "s", Principal: "local"}, out)
	defer client.Close()
	relay.Start(b.Context())
	relay.waitUntil(b.Context(), relay.settled)

	send := func(frame string) {
		m, err := jsonrpc.Parse([]byte(frame), protocol.Message())
		if err != nil {
			b.Fatal(err)
		}
		client.Message(m)
	}
	params := `"name":"s0__echo","arguments":{"text":"` + strings.Repeat("x", 200) + `"}`
	if modernClient {
		params += `,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
			`"io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	} else {
		send(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`)
	}
	frame := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + params + `}}`
	out.bytes = 0
	send(frame)
	if out.bytes < size {
		b.Fatalf("the answer has %d bytes: %s", out.bytes, out.buf)
	}
	b.ReportAllocs()
	for b.Loop() {
		send(frame)
	}
}
