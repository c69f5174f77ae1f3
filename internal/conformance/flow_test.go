package conformance

import (
	"encoding/json"
	"strings"
	"testing"
)

// flow is one part of one message on its way from one end to the other: the
// params of a request or notification, or the result or error of an answer.
type flow struct {
	name     string
	part     string // params, result, error
	method   string
	toClient bool
	docs     []*node // what a sender may write there, generated from the schema
	// play sends doc and returns what arrived at the other end; nil: nothing did.
	play func(r *rig, doc string) *string
}

// fitting makes what was generated fit the rig: names lead to targets that exist,
// and what the relay itself gives out is not made up.
func fitting(method string, params *node, era string) *node {
	if era == modern {
		if meta := params.get("_meta"); meta != nil && meta.get(versionKey) != nil {
			meta.set(versionKey, `"`+firstModern+`"`)
			meta.set("io.modelcontextprotocol/clientCapabilities", abilities)
		}
		params.drop("requestState").drop("inputResponses")
	}
	params.drop("cursor")
	if meta := params.get("_meta"); meta != nil && strings.HasPrefix(method, "notifications/") {
		meta.drop("io.modelcontextprotocol/subscriptionId")
	}
	switch method {
	case "notifications/tasks/status", "tasks/get", "tasks/result", "tasks/cancel":
		params.set("taskId", `"`+aTask+`"`)
	case "tools/call":
		params.set("name", `"`+aTool+`"`).drop("task")
	case "prompts/get":
		params.set("name", `"`+aPrompt+`"`)
	case "resources/read", "resources/subscribe", "resources/unsubscribe", "notifications/resources/updated":
		params.set("uri", `"`+aResource+`"`)
	case "completion/complete":
		params.set("ref", `{"type":"ref/prompt","name":"`+aPrompt+`"}`)
	case "subscriptions/listen":
		params.set("notifications", `{"toolsListChanged":true}`)
	}
	return params
}

// usual are params of a request that lead somewhere.
func (r *rig) usual(method string) string {
	switch method {
	case "tools/call":
		return r.params(`{"name":"` + aTool + `"}`)
	case "prompts/get":
		return r.params(`{"name":"` + aPrompt + `"}`)
	case "resources/read":
		return r.params(`{"uri":"` + aResource + `"}`)
	case "tasks/get", "tasks/result", "tasks/cancel":
		return r.params(`{"taskId":"` + aTask + `"}`)
	case "completion/complete":
		return r.params(`{"ref":{"type":"ref/prompt","name":"` + aPrompt + `"},"argument":{"name":"a","value":"b"}}`)
	default:
		return r.params(`{}`)
	}
}

// relayed are the requests of clients that go through to a server, by definition.
// The others the relay answers itself.
var relayed = map[string]map[string]string{
	legacy: {
		"CallToolRequest": "CallToolResult", "GetPromptRequest": "GetPromptResult", "ReadResourceRequest": "ReadResourceResult",
		"CompleteRequest": "CompleteResult", "GetTaskRequest": "GetTaskResult", "GetTaskPayloadRequest": "CallToolResult",
		"CancelTaskRequest": "CancelTaskResult",
	},
	modern: {
		"CallToolRequest": "CallToolResult", "GetPromptRequest": "GetPromptResult", "ReadResourceRequest": "ReadResourceResult",
		"CompleteRequest": "CompleteResult",
	},
}

// questions are the requests of servers, by definition.
var questions = map[string]string{
	"CreateMessageRequest": "CreateMessageResult", "ElicitRequest": "ElicitResult", "ListRootsRequest": "ListRootsResult",
}

// flowsOf returns every flow of an era.
func flowsOf(t *testing.T, era string) []flow {
	t.Helper()
	s := loadSchema(t, map[string]string{legacy: lastLegacy, modern: firstModern}[era])
	var all []flow
	gen := func(def, part, method string, fit func(n *node) *node) []*node {
		var docs []*node
		known := map[string]bool{}
		for n := range variants {
			doc := s.make(def, n)
			if part == "params" {
				doc = s.part(def, part, n)
			}
			doc = fit(doc)
			if text := doc.String(); !known[text] {
				known[text] = true
				docs = append(docs, doc)
			}
		}
		return docs
	}
	for request, result := range relayed[era] {
		method := s.method(request)
		all = append(all,
			flow{
				"request " + method, "params", method, false,
				gen(request, "params", method, func(n *node) *node { return fitting(method, n, era) }), playRequest(method),
			},
			flow{"result " + method, "result", method, true, append(gen(result, "result", method, func(n *node) *node {
				if era == modern {
					n.set("resultType", `"complete"`)
				}
				return n
			}), unusualResults(t, method, era)...), playAnswer(method, "result")},
			flow{"error " + method, "error", method, true, errorDocs(t), playAnswer(method, "error")},
		)
	}
	for _, def := range s.union("ServerNotification") {
		method := s.method(def)
		switch {
		case method == "notifications/cancelled", method == "notifications/subscriptions/acknowledged":
			continue // these end or begin what the relay itself asked for
		case strings.HasSuffix(method, "/list_changed"):
			continue // the relay says itself when what it offers has changed
		}
		docs := gen(def, "params", method, func(n *node) *node { return fitting(method, n, era) })
		play := playNotification(method)
		if era == modern && method == "notifications/resources/updated" {
			play = playUpdate
		}
		all = append(all, flow{"notification " + method, "params", method, true, docs, play})
	}
	all = append(all, flow{
		"notification notifications/acme", "params", "notifications/acme", true, []*node{mustParse(t, `{"a":["b",{"c":1}],"_meta":{"d":"e"}}`)},
		playNotification("notifications/acme"),
	})
	if era == legacy {
		all = append(all, legacyFlows(t, s, gen)...)
	} else {
		all = append(all, modernFlows(t, s, gen)...)
	}
	return all
}

type maker func(def, part, method string, fit func(n *node) *node) []*node

// legacyFlows are what a server asks in mid-call, and notifications of clients.
func legacyFlows(t *testing.T, s *schema, gen maker) []flow {
	t.Helper()
	same := func(n *node) *node { return n }
	var all []flow
	for request, result := range questions {
		method := s.method(request)
		all = append(all,
			flow{"question " + method, "params", method, true, gen(request, "params", method, func(n *node) *node {
				return n.drop("task")
			}), playQuestion(method)},
			flow{"reply " + method, "result", method, false, gen(result, "result", method, same), playReply(method, "result")},
			flow{"refusal " + method, "error", method, false, errorDocs(t), playReply(method, "error")},
		)
	}
	return append(all,
		flow{
			"client notification notifications/acme/x/told", "params", "notifications/acme/x/told", false,
			[]*node{mustParse(t, `{"a":["b",{"c":1}],"_meta":{"d":"e"}}`)}, playClientNotification("notifications/acme/x/told"),
		},
		flow{
			"request acme/x/do", "params", "acme/x/do", false, []*node{mustParse(t, `{"a":["b",{"c":1}],"_meta":{"d":"e"}}`)}, playRequest("acme/x/do"),
		},
		flow{
			"result acme/x/do", "result", "acme/x/do", true, []*node{mustParse(t, `{"a":["b",{"c":1}],"_meta":{"d":"e"}}`)}, playAnswer("acme/x/do", "result"),
		},
	)
}

// modernFlows are what a server asks with a result, and the answers.
func modernFlows(t *testing.T, s *schema, gen maker) []flow {
	t.Helper()
	var all []flow
	for request, result := range questions {
		method := s.method(request)
		var asked, answered []*node
		for _, params := range gen(request, "params", method, func(n *node) *node { return n.drop("task") }) {
			asked = append(asked, mustParse(t, `{"resultType":"input_required","inputRequests":{"key one":{"method":"`+method+`","params":`+params.String()+
				`}},"requestState":"state of the server"}`))
		}
		for _, reply := range gen(result, "result", method, func(n *node) *node { return n }) {
			answered = append(answered, mustParse(t, `{`+metaMember+`,"name":"`+aTool+`","arguments":{"a":1},"inputResponses":{"key one":`+reply.String()+`}}`))
		}
		all = append(all,
			flow{"question " + method, "result", "tools/call", true, asked, playAnswer("tools/call", "result")},
			flow{"reply " + method, "params", "tools/call", false, answered, playRetry(method)},
		)
	}
	return all
}

// errorDocs are errors that a server or a client may answer with.
func errorDocs(t *testing.T) []*node {
	t.Helper()
	return []*node{
		mustParse(t, `{"code":-32000,"message":"it did not work","data":{"a":["b",{"c":1}]}}`),
		mustParse(t, `{"code":-32603,"message":"inside"}`),
	}
}

// unusualResults are results that are legal and that no generator would think of.
func unusualResults(t *testing.T, method, era string) []*node {
	t.Helper()
	var texts []string
	switch method {
	case "tools/call":
		texts = []string{
			`{"content":[],"isError":false}`,
			`{"content":[{"type":"hologram","beam":{"x":1}},{"type":"text","text":""}],"structuredContent":{}}`,
			`{"content":[{"type":"text","text":"line\u2028break\u2029 é \ud83d\ude00 \ud800"}],"structuredContent":{"n":9007199254740993,"m":1e400,"z":-0}}`,
		}
	case "prompts/get":
		texts = []string{`{"messages":[]}`, `{"messages":[{"role":"user","content":{"type":"hologram"}}]}`}
	case "resources/read":
		texts = []string{`{"contents":[]}`, `{"contents":[{"uri":"` + aResource + `","text":"` + strings.Repeat("long ", 2000) + `"}]}`}
	case "completion/complete":
		texts = []string{`{"completion":{"values":[]}}`}
	}
	var docs []*node
	for _, text := range texts {
		n := mustParse(t, text)
		if era == modern {
			n.set("resultType", `"complete"`)
			if method == "resources/read" {
				n.set("ttlMs", "5").set("cacheScope", `"public"`)
			}
		}
		docs = append(docs, n)
	}
	return docs
}

func raw(text json.RawMessage) *string {
	if len(text) == 0 {
		return nil
	}
	s := string(text)
	return &s
}

// fine answers a request in a way that fits its method.
func (r *rig) fine(method string) string {
	complete := ""
	if r.way.server == modern {
		complete = `,"resultType":"complete"`
	}
	switch method {
	case "prompts/get":
		return `{"messages":[]` + complete + `}`
	case "resources/read":
		if r.way.server == modern {
			complete += `,"ttlMs":0,"cacheScope":"private"`
		}
		return `{"contents":[]` + complete + `}`
	case "completion/complete":
		return `{"completion":{"values":[]}` + complete + `}`
	default:
		return `{"content":[]` + complete + `}`
	}
}

// arrival waits for a request of a client at the server, or for its refusal.
func (r *rig) arrival(id, method string) *event {
	e := r.await(func(e *event) bool {
		return !e.atClient && e.Method == method || answers(e, id)
	})
	if e == nil || e.atClient {
		return nil
	}
	return e
}

// answers reports whether an event is the answer to a request of the client, or
// the refusal of one whose id could not be read.
func answers(e *event, id string) bool {
	return e.atClient && e.isResponse() && (string(e.ID) == id || string(e.ID) == "null")
}

func (r *rig) answerTo(id string) *event {
	return r.await(func(e *event) bool { return answers(e, id) })
}

func playRequest(method string) func(*rig, string) *string {
	return func(r *rig, doc string) *string {
		id := r.ask(method, doc)
		e := r.arrival(id, method)
		if e == nil {
			return nil
		}
		e.say(response(e.ID, "result", r.fine(method)))
		r.answerTo(id)
		return raw(e.Params)
	}
}

func playAnswer(method, part string) func(*rig, string) *string {
	return func(r *rig, doc string) *string {
		id := r.ask(method, r.usual(method))
		e := r.arrival(id, method)
		if e == nil {
			return nil
		}
		e.say(response(e.ID, part, doc))
		if e = r.answerTo(id); e == nil {
			return nil
		}
		if part == "error" {
			return raw(e.Error)
		}
		return raw(e.Result)
	}
}

// playNotification has the server say something in mid-call.
func playNotification(method string) func(*rig, string) *string {
	return func(r *rig, doc string) *string {
		n, err := parse(r.usual("tools/call"))
		if err != nil {
			return nil
		}
		meta := n.get("_meta")
		if meta == nil {
			meta = n.set("_meta", "{}").get("_meta")
		}
		meta.set("progressToken", `"my token"`)
		if r.way.client == modern {
			meta.set("io.modelcontextprotocol/logLevel", `"debug"`)
		}
		id := r.ask("tools/call", n.String())
		e := r.arrival(id, "tools/call")
		if e == nil {
			return nil
		}
		if method == "notifications/progress" {
			var p struct {
				Meta struct{ ProgressToken json.RawMessage } `json:"_meta"`
			}
			_ = json.Unmarshal(e.Params, &p)
			doc = withToken(doc, string(p.Meta.ProgressToken))
		}
		e.say([]byte(`{"jsonrpc":"2.0","method":"` + method + `","params":` + doc + `}`))
		e.say(response(e.ID, "result", r.fine("tools/call")))
		var out *string
		ended := false
		wanted := func(e *event) bool {
			if e.atClient && e.Method == method {
				out = raw(e.Params)
			}
			ended = ended || e.atClient && e.isResponse() && string(e.ID) == id
			return ended && out != nil
		}
		if r.await(func(e *event) bool { wanted(e); return ended }) != nil && out == nil {
			r.straggler(wanted)
		}
		return out
	}
}

// playUpdate has the server tell of a resource that a modern client listens for.
func playUpdate(r *rig, doc string) *string {
	const method = "notifications/resources/updated"
	if r.listening == "" {
		r.listening = r.ask("subscriptions/listen", r.params(`{"notifications":{"resourceSubscriptions":["`+aResource+`"]}}`))
		if r.await(func(e *event) bool { return e.atClient && strings.HasSuffix(e.Method, "/acknowledged") }) == nil {
			return nil
		}
		// The relay's own stream may be asked for later than the client's is granted.
		if r.await(func(e *event) bool { return r.listener() != nil }) == nil && r.listener() == nil {
			return nil
		}
	}
	l := r.listener()
	if l == nil {
		return nil
	}
	doc = withSubscription(doc, string(l.ID))
	l.say([]byte(`{"jsonrpc":"2.0","method":"` + method + `","params":` + doc + `}`))
	e := r.await(func(e *event) bool { return e.atClient && e.Method == method })
	if e == nil {
		return nil
	}
	return raw(e.Params)
}

// withSubscription puts an id into the _meta of a notification, when it has one.
// Everything else stays as it is written.
func withSubscription(doc, id string) string {
	begin, end, ok := span(doc, []string{"_meta"})
	if !ok {
		return doc
	}
	brace := strings.IndexByte(doc[begin:end], '{')
	if brace < 0 {
		return doc
	}
	at, comma := begin+brace+1, ","
	if strings.TrimSpace(doc[at:end]) == "}" {
		comma = ""
	}
	return doc[:at] + `"io.modelcontextprotocol/subscriptionId":` + id + comma + doc[at:]
}

// listener returns the relay's stream that asks for updates of the resource.
func (r *rig) listener() *event {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.listen) - 1; i >= 0; i-- {
		if strings.Contains(string(r.listen[i].Params), aResource) {
			return &r.listen[i]
		}
	}
	return nil
}

// withToken puts a token into the params of a notification, unless they hold a
// canary in its place.
func withToken(doc, token string) string {
	begin, end, ok := span(doc, []string{"progressToken"})
	if !ok || strings.Contains(doc[begin:end], "CANARY") {
		return doc
	}
	colon := begin + strings.IndexByte(doc[begin:end], ':')
	return doc[:colon+1] + token + doc[end:]
}

// playQuestion has the server ask something in mid-call.
func playQuestion(method string) func(*rig, string) *string {
	return func(r *rig, doc string) *string {
		out, _ := r.question(method, doc, "result", `{}`)
		return out
	}
}

// playReply has the client answer it.
func playReply(method, part string) func(*rig, string) *string {
	return func(r *rig, doc string) *string {
		_, out := r.question(method, map[string]string{
			"sampling/createMessage": `{"messages":[],"maxTokens":1}`,
			"elicitation/create":     `{"message":"m","requestedSchema":{"type":"object","properties":{}}}`,
		}[method], part, doc)
		return out
	}
}

// question asks something in mid-call and answers it. It returns what reached
// the client and what came back.
func (r *rig) question(method, params, part, reply string) (asked, replied *string) {
	id := r.ask("tools/call", r.usual("tools/call"))
	call := r.arrival(id, "tools/call")
	if call == nil {
		return nil, nil
	}
	if params == "" {
		params = "{}"
	}
	call.say([]byte(`{"jsonrpc":"2.0","id":"of the server","method":"` + method + `","params":` + params + `}`))
	e := r.await(func(e *event) bool {
		return e.atClient && e.Method == method || !e.atClient && e.isResponse() // refused
	})
	if e != nil && e.atClient {
		asked = raw(e.Params)
		e.say(response(e.ID, part, reply))
		if e = r.await(func(e *event) bool { return !e.atClient && e.isResponse() && string(e.ID) == `"of the server"` }); e != nil {
			if replied = raw(e.Result); part == "error" {
				replied = raw(e.Error)
			}
		}
	}
	call.say(response(call.ID, "result", r.fine("tools/call")))
	r.answerTo(id)
	return asked, replied
}

// playRetry has the client answer what the server asked with a result.
func playRetry(method string) func(*rig, string) *string {
	return func(r *rig, doc string) *string {
		id := r.ask("tools/call", r.params(`{"name":"`+aTool+`","arguments":{"a":1}}`))
		e := r.arrival(id, "tools/call")
		if e == nil {
			return nil
		}
		e.say(response(e.ID, "result", `{"resultType":"input_required","inputRequests":{"key one":{"method":"`+method+
			`","params":{"message":"m","requestedSchema":{"type":"object","properties":{}},"messages":[],"maxTokens":1}}},"requestState":"s"}`))
		if e = r.answerTo(id); e == nil || len(e.Result) == 0 {
			return nil
		}
		if state := member(e.Result, "requestState"); string(state) != "null" {
			doc = doc[:strings.LastIndexByte(doc, '}')] + `,"requestState":` + string(state) + "}"
		}
		id = r.ask("tools/call", doc)
		if e = r.arrival(id, "tools/call"); e == nil {
			return nil
		}
		e.say(response(e.ID, "result", r.fine("tools/call")))
		r.answerTo(id)
		return raw(e.Params)
	}
}

func playClientNotification(method string) func(*rig, string) *string {
	return func(r *rig, doc string) *string {
		r.clientSays(`{"jsonrpc":"2.0","method":"` + method + `","params":` + doc + `}`)
		// What follows goes out after it.
		id := r.ask("tools/call", r.usual("tools/call"))
		var out *string
		look := func(e *event) bool {
			if !e.atClient && e.Method == method {
				out = raw(e.Params)
			}
			return out != nil
		}
		e := r.await(func(e *event) bool {
			look(e)
			return !e.atClient && e.Method == "tools/call" || e.atClient && string(e.ID) == id
		})
		if e != nil && !e.atClient {
			e.say(response(e.ID, "result", r.fine("tools/call")))
			r.await(func(e *event) bool {
				look(e)
				return e.atClient && e.isResponse() && string(e.ID) == id
			})
		}
		if out == nil {
			r.straggler(look)
		}
		return out
	}
}
