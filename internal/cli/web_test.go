package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// web is a running relay that serves HTTP clients.
type web struct {
	*program
	t     *testing.T
	url   string // without a path
	token string // the first one; empty when none is asked for
	http  *http.Client
}

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

var serving = regexp.MustCompile(`msg="serving HTTP clients" address=(\S+)`)

// startWeb starts the relay on a free port, with more flags of run.
func startWeb(t *testing.T, flags []string, config map[string]any, env ...string) *web {
	t.Helper()
	if !strings.Contains(strings.Join(flags, " "), "--listen") {
		flags = append([]string{"--listen", "127.0.0.1:0"}, flags...)
	}
	p := startWith(t, flags, config, env...)
	w := &web{program: p, t: t, http: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(w.http.CloseIdleConnections)
	w.url = "http://" + w.awaitLog(serving)[1]
	if text, err := os.ReadFile(filepath.Join(p.home, "mcp-relay", "token")); err == nil {
		w.token = strings.TrimSpace(string(text))
	}
	return w
}

// awaitLog waits until the log has what matches.
func (p *program) awaitLog(pattern *regexp.Regexp) []string {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if m := pattern.FindStringSubmatch(p.stderr.String()); m != nil {
			return m
		}
	}
	panic(fmt.Sprintf("the log never had %s:\n%s", pattern, p.stderr))
}

// overSocket has the client connect to a unix socket.
func (w *web) overSocket(path string) {
	w.url = "http://localhost"
	w.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
}

// request makes a request with the first token. Headers come in pairs; one with
// an empty value is left out.
func (w *web) request(method, path, body string, headers ...string) *http.Request {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	w.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, w.url+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if w.token != "" {
		r.Header.Set("Authorization", "Bearer "+w.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		switch {
		case headers[i+1] == "":
			r.Header.Del(headers[i])
		case headers[i] == "Host":
			r.Host = headers[i+1]
		default:
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return r
}

// stream is an answer that is read message by message.
type stream struct {
	status int
	header http.Header
	body   io.ReadCloser
	lines  *bufio.Reader
	event  string // of the last message
}

// open sends a request.
func (w *web) open(r *http.Request) (*stream, error) {
	resp, err := w.http.Do(r)
	if err != nil {
		return nil, err
	}
	return &stream{status: resp.StatusCode, header: resp.Header, body: resp.Body, lines: bufio.NewReader(resp.Body)}, nil
}

func (s *stream) close() { _ = s.body.Close() }

// data returns the next event's data, or the whole body when it is no stream of
// events. At the end it is io.EOF.
func (s *stream) data() (string, error) {
	if !strings.HasPrefix(s.header.Get("Content-Type"), "text/event-stream") {
		text, err := io.ReadAll(s.lines)
		if err == nil && len(text) == 0 {
			err = io.EOF
		}
		return string(text), err
	}
	data := ""
	s.event = ""
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return "", err
		}
		field, value, _ := strings.Cut(strings.TrimRight(line, "\n"), ": ")
		switch {
		case line == "\n" && data != "":
			return data, nil
		case field == "event":
			s.event = value
		case field == "data":
			data += value
		}
	}
}

// next returns the next message.
func (s *stream) next() (jsonrpc.Message, error) {
	text, err := s.data()
	if err != nil {
		return jsonrpc.Message{}, err
	}
	return jsonrpc.Parse([]byte(text), nil)
}

// answer is a whole answer.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request and reads its answer.
func (w *web) do(method, path, body string, headers ...string) answer {
	w.t.Helper()
	resp, err := w.http.Do(w.request(method, path, body, headers...))
	if err != nil {
		w.t.Errorf("%s %s: %v", method, path, err)
		return answer{}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Errorf("%s %s: %v", method, path, err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// modernHeaders are those of a modern request.
func modernHeaders(method, name string) []string {
	headers := []string{protocol.HeaderVersion, protocol.LatestModern, "Mcp-Method", method}
	if name != "" {
		headers = append(headers, "Mcp-Name", name)
	}
	return headers
}

// modernMeta is the member _meta of a modern request.
const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
	`"io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},` +
	`"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}},"sampling":{},"roots":{}}}`

// modernCall is the body of a call of a tool without arguments.
func modernCall(id, tool string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"` + tool + `","arguments":{},` + modernMeta + `}}`
}

// initialize is the body of the first request of the legacy era.
const initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",` +
	`"capabilities":{"elicitation":{"form":{}},"sampling":{},"roots":{}},"clientInfo":{"name":"test","version":"1"}}}`
