package relay

import (
	"bytes"
	"context"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// listTasks answers tasks/list (MCP 2025-11-25, tasks) with the tasks that the
// servers have for this principal. Servers know one client, the relay, so it is
// the relay that must keep principals apart.
func (r *Relay) listTasks(req *session.Request, m jsonrpc.Message) {
	if after, ok := r.position(req, m.Params); !ok || after != "" {
		r.unknownCursor(req) // there is one page, so no cursor was ever given out
		return
	}
	var able []*link
	for _, s := range r.servers() {
		if l := s.ready(); l != nil && !l.modern() {
			if tasks, ok := jsonrpc.ObjectMember(l.capabilities, "tasks"); ok {
				if _, ok := jsonrpc.ObjectMember(tasks, "list"); ok {
					able = append(able, l)
				}
			}
		}
	}
	if able == nil {
		r.refuse(req, missing(m.Method, protocol.Target{}, unknown))
		return
	}
	go func() {
		var tasks [][]byte
		for _, l := range able {
			mine, f := r.tasksOf(req, l)
			if f != nil {
				r.refuse(req, *f)
				return
			}
			tasks = append(tasks, mine...)
		}
		body := append([]byte(`{"tasks":[`), bytes.Join(tasks, []byte{','})...)
		r.answer(req, r.author(peer.Result, m.Method, append(body, "]}"...)))
	}()
}

// tasksOf returns the tasks of one server that are this principal's.
func (r *Relay) tasksOf(req *session.Request, l *link) ([][]byte, *refusal) {
	s := l.receiver.server
	var tasks [][]byte
	var params []byte
	for range maxPages {
		ctx, cancel := context.WithTimeoutCause(req.Context(), listTimeout, errTimeout)
		reply, err := l.call(ctx, protocol.TasksList, params)
		cancel()
		if err != nil || reply.Error != nil {
			return tasks, nil // what one server has not does not hide what others have
		}
		mine := r.mine(reply.Result, s, req.Session().Principal())
		d := s.await(req.Context(), &scan.Subject{
			Part: peer.Result, Hidden: s.cfg.Hidden,
			Content: verdict.Content{
				Phase: verdict.Response, Kind: verdict.JSON, Data: mine, Origin: origin(req, s, "", r.nextCall()),
			},
		})
		if d.Outcome != scan.Passed {
			f := judged(&d, verdict.Response)
			return nil, &f
		}
		list, _ := jsonrpc.Member(d.Cleared.Body(), "tasks")
		for task := range jsonrpc.Elements(list) {
			if len(tasks) < maxTasks {
				tasks = append(tasks, task)
			}
		}
		cursor, more := jsonrpc.Member(reply.Result, "nextCursor")
		if !more || string(cursor) == "null" {
			return tasks, nil
		}
		// The cursor goes back to the server that made it and to nobody else.
		params = jsonrpc.SetMember([]byte("{}"), "cursor", cursor)
	}
	return tasks, nil
}

// mine returns a page with a principal's tasks only. What others have is not
// judged for it either: a block would tell of it.
func (r *Relay) mine(page []byte, s *server, principal string) []byte {
	var tasks [][]byte
	list, _ := jsonrpc.Member(page, "tasks")
	for task := range jsonrpc.Elements(list) {
		if len(task) > 0 && task[0] == '{' && r.tasks.owner(jsonrpc.StringMember(task, "taskId"), principal) == s {
			tasks = append(tasks, task)
		}
	}
	body := append([]byte(`{"tasks":[`), bytes.Join(tasks, []byte{','})...)
	return append(body, "]}"...)
}

// taskChanged passes on what a server says of a task's state, to those for whom
// it made the task.
func (s *server) taskChanged(m jsonrpc.Message) {
	id := jsonrpc.StringMember(m.Params, "taskId")
	owners := s.relay.tasks.principals(id, s)
	if owners == nil {
		s.anomaly("notification_of_no_client")
		return
	}
	var asks, ok bool
	if m.Params, asks, ok = s.taskInput(m.Params, protocol.AllCapabilities); !ok {
		s.anomaly("task_asks_too_much")
		return
	}
	phase := verdict.Notification
	if asks {
		phase = verdict.ServerRequest
	}
	s.tellIn(phase, m, func(c peer.Cleared) {
		if m.Method == protocol.TaskChanged {
			for _, l := range s.relay.hub.listening(func(l *listen) bool { return l.follows(id, owners) }) {
				s.relay.reached(l.Notify(c))
			}
		}
		for _, cl := range s.relay.audience() {
			if owners[cl.session.Principal()] {
				s.relay.reached(cl.session.Notify(c))
			}
		}
	})
}
