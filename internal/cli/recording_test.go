package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/protocol"
)

// recording is the configuration of a speaker that writes down what it gets.
func recording(t *testing.T, era string) (server map[string]any, received string) {
	t.Helper()
	received = t.TempDir() + "/received"
	server = hostileProgram(era)
	server["env"] = object("RECEIVED", received)
	return server, received
}

// listening opens a subscription and waits until it is acknowledged.
func (w *web) listening() *stream {
	w.t.Helper()
	s, err := w.open(w.request("POST", "/mcp", listenBody, modernHeaders(protocol.Listen, "")...))
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.stderr)
	}
	if m, err := s.next(); err != nil || m.Method != protocol.Acknowledged {
		w.t.Fatalf("%s %v\n%s", m.Method, err, w.stderr)
	}
	return s
}

// begin sends a call, and waits until the server has it. The answer comes from
// the channel.
func (w *web) begin(received, tool string, headers []string, body string) <-chan answer {
	got := make(chan answer, 1)
	before := strings.Count(contents(received), `"name":"`+tool+`"`)
	go func() { got <- w.do("POST", "/mcp", body, headers...) }()
	await(w.t, "the call of "+tool, func() bool { return strings.Count(contents(received), `"name":"`+tool+`"`) > before })
	return got
}

func contents(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

// drained reads to the end of a stream.
func drained(s *stream) error {
	for {
		if _, err := s.data(); err != nil {
			return err
		}
	}
}
