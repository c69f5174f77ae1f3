package cli

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// speaker is an MCP server on its standard streams that speaks one era only.
// What it does is up to the tool that is called.
type speaker struct {
	modern bool

	mu     sync.Mutex
	asked  int64
	open   map[string]chan string // questions by id
	listen jsonrpc.ID             // the newest subscription
}

// speak runs a speaker until its input ends.
func speak(modern bool) int {
	s := &speaker{modern: modern, open: map[string]chan string{}}
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return exitOK
		}
		(&hostile{}).record(line)
		m, err := jsonrpc.Parse([]byte(strings.TrimSpace(line)), nil)
		if err != nil {
			continue
		}
		switch m.Kind() {
		case jsonrpc.Request:
			go s.request(&m)
		case jsonrpc.Response:
			s.answered(&m)
		default:
		}
	}
}

func (s *speaker) line(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(os.Stdout, text)
}

func (s *speaker) result(id jsonrpc.ID, result string) {
	if s.modern {
		result = string(jsonrpc.SetMember([]byte(result), "resultType", []byte(`"complete"`)))
	}
	s.line(string(jsonrpc.AppendResult(nil, id, []byte(result))))
}

func (s *speaker) notify(method, params string) {
	s.line(`{"jsonrpc":"2.0","method":"` + method + `","params":` + params + `}`)
}

// text answers a call.
func (s *speaker) text(id jsonrpc.ID, text string) {
	s.result(id, `{"content":[{"type":"text","text":`+string(jsonrpc.AppendString(nil, text))+`}]}`)
}

func (s *speaker) request(m *jsonrpc.Message) {
	const announced = `"capabilities":{"tools":{"listChanged":true},"logging":{}},"serverInfo":{"name":"speaker","version":"1"}`
	switch {
	case m.Method == protocol.Initialize && !s.modern:
		s.result(m.ID, `{"protocolVersion":"2025-11-25",`+announced+`}`)
	case m.Method == protocol.Discover && s.modern:
		s.result(m.ID, `{"supportedVersions":["2026-07-28"],`+announced+`,"ttlMs":0,"cacheScope":"private"}`)
	case m.Method == protocol.ToolsList:
		s.result(m.ID, speakerTools)
	case m.Method == protocol.ToolsCall:
		s.call(m)
	case m.Method == protocol.Listen && s.modern:
		s.mu.Lock()
		s.listen = m.ID
		s.mu.Unlock()
		s.notify(protocol.Acknowledged, string(protocol.SetSubscriptionID([]byte(`{"notifications":{"toolsListChanged":true}}`), m.ID)))
	default:
		s.line(string(jsonrpc.AppendError(nil, m.ID, []byte(`{"code":-32601,"message":"method not found"}`))))
	}
}

var speakerTools = func() string {
	var b strings.Builder
	for _, name := range []string{
		"echo", "pid", "elicit", "imitate", "sample", "roots", "many", "reuse", "again", "progress", "storm", "wait", "gate", "die", "big",
	} {
		fmt.Fprintf(&b, `,{"name":%q,"description":"Does a thing.","inputSchema":{"type":"object"}}`, name)
	}
	return `{"tools":[` + b.String()[1:] + `]}`
}()

// What the tools ask.
const (
	elicitation = `{"message":"Which name?","requestedSchema":{"type":"object","properties":{"name":{"type":"string"}}}}`
	sampling    = `{"messages":[{"role":"user","content":{"type":"text","text":"Say a word."}}],"maxTokens":10,"includeContext":"allServers"}`
)

// bomb is how many questions many asks at a time, and how many notifications
// the tools that flood send.
const bomb = 10_000

func (s *speaker) call(m *jsonrpc.Message) {
	raw, _ := jsonrpc.Member(m.Params, "name")
	name, _ := jsonrpc.Unquote(raw)
	token, _ := protocol.ProgressToken(m.Params)
	switch name {
	case "pid":
		s.text(m.ID, strconv.Itoa(os.Getpid()))
	case "elicit":
		s.interview(m, protocol.Elicit, elicitation)
	case "imitate": // speaks for another server
		s.interview(m, protocol.Elicit, strings.Replace(elicitation, "Which", "[old] \\u202e[new] \\u001b[31m [old] Which", 1))
	case "sample":
		s.interview(m, protocol.CreateMessage, sampling)
	case "roots":
		s.interview(m, protocol.ListRoots, `{}`)
	case "many":
		s.many(m)
	case "reuse":
		s.reuse(m)
	case "again": // wants to be asked again, for ever
		if !s.modern {
			s.text(m.ID, "fine")
			return
		}
		s.line(string(jsonrpc.AppendResult(nil, m.ID, protocol.AppendInputRequired(nil, protocol.Input{
			Requests: []protocol.InputRequest{{Key: "k", Method: protocol.Elicit, Params: []byte(elicitation)}}, State: "s", HasState: true,
		}))))
	case "progress":
		for i := range bomb {
			s.notify(protocol.Progress, fmt.Sprintf(`{"progressToken":%s,"progress":%d,"message":"step"}`, token, i))
		}
		s.text(m.ID, "fine")
	case "storm":
		for range bomb {
			params := []byte("{}")
			if s.modern {
				s.mu.Lock()
				params = protocol.SetSubscriptionID(params, s.listen)
				s.mu.Unlock()
			}
			s.notify(protocol.ToolsListChanged, string(params))
		}
		s.text(m.ID, "fine")
	case "wait":
	case "gate": // waits for a file
		for ; !exists(os.Getenv("RECEIVED") + ".open"); time.Sleep(5 * time.Millisecond) {
		}
		s.text(m.ID, "fine")
	case "die":
		os.Exit(1)
	case "big":
		s.text(m.ID, strings.Repeat("b", 1<<20))
	default:
		s.result(m.ID, `{"content":[{"type":"text","text":"echo"}],"structuredContent":`+string(m.Params)+`}`)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// interview asks the client something and answers with what it said.
func (s *speaker) interview(m *jsonrpc.Message, method, params string) {
	if !s.modern {
		s.text(m.ID, <-s.ask(method, params))
		return
	}
	if answers, ok := protocol.InputResponses(m.Params); ok {
		state, _ := protocol.RequestState(m.Params)
		s.text(m.ID, string(answers["question"])+state)
		return
	}
	s.line(string(jsonrpc.AppendResult(nil, m.ID, protocol.AppendInputRequired(nil, protocol.Input{
		Requests: []protocol.InputRequest{{Key: "question", Method: method, Params: []byte(params)}}, State: "kept", HasState: true,
	}))))
}

// ask sends a question of the legacy era, and returns where its answer comes.
func (s *speaker) ask(method, params string) <-chan string {
	s.mu.Lock()
	s.asked++
	id := strconv.FormatInt(s.asked, 10)
	answer := make(chan string, 1)
	s.open[id] = answer
	s.mu.Unlock()
	s.line(`{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `","params":` + params + `}`)
	return answer
}

func (s *speaker) answered(m *jsonrpc.Message) {
	s.mu.Lock()
	answer := s.open[m.ID.Raw()]
	delete(s.open, m.ID.Raw())
	s.mu.Unlock()
	if answer == nil {
		return
	}
	if m.Error != nil {
		answer <- "error"
		return
	}
	answer <- string(m.Result)
}

// many asks more than anybody wants to answer, and says how much was refused.
func (s *speaker) many(m *jsonrpc.Message) {
	if s.modern {
		in := protocol.Input{}
		for i := range bomb {
			in.Requests = append(in.Requests, protocol.InputRequest{Key: strconv.Itoa(i), Method: protocol.Elicit, Params: []byte(elicitation)})
		}
		s.line(string(jsonrpc.AppendResult(nil, m.ID, protocol.AppendInputRequired(nil, in))))
		return
	}
	answers := make([]<-chan string, bomb)
	for i := range answers {
		answers[i] = s.ask(protocol.Elicit, elicitation)
	}
	refused := 0
	for _, a := range answers {
		if <-a == "error" {
			refused++
		}
	}
	s.text(m.ID, "refused "+strconv.Itoa(refused))
}

// reuse asks two things under one id.
func (s *speaker) reuse(m *jsonrpc.Message) {
	if s.modern {
		s.text(m.ID, "fine")
		return
	}
	first := s.ask(protocol.Elicit, elicitation)
	s.mu.Lock()
	id := strconv.FormatInt(s.asked, 10)
	s.mu.Unlock()
	s.line(`{"jsonrpc":"2.0","id":` + id + `,"method":"` + protocol.CreateMessage + `","params":` + sampling + `}`)
	s.text(m.ID, <-first)
}
