package relay

import (
	"bytes"
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// taskTable remembers which server made which task, so that a request that
// names a task finds it.
type taskTable struct {
	mu    sync.Mutex
	owned map[string]*server
	order []string // oldest first
}

const (
	// maxTasks bounds the memory that a server can take by making tasks.
	maxTasks = 10_000
	// A result that creates a task is small; larger ones are not searched.
	maxTaskResult = 16 << 10
)

// learn remembers the task that a result announces, if it does.
func (t *taskTable) learn(result []byte, s *server) {
	if len(result) > maxTaskResult || !bytes.Contains(result, []byte(`"taskId"`)) {
		return
	}
	id := stringMember(result, "taskId")
	if task, ok := objectMember(result, "task"); ok {
		id = stringMember(task, "taskId")
	}
	if id == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.owned == nil {
		t.owned = map[string]*server{}
	}
	if owner, known := t.owned[id]; known {
		if owner != s {
			// Two servers with one id: neither may get the other's requests.
			t.owned[id] = nil
		}
		return
	}
	if len(t.order) >= maxTasks {
		delete(t.owned, t.order[0])
		t.order = t.order[1:]
	}
	t.owned[id] = s
	t.order = append(t.order, id)
}

// owner returns the server that made a task. It is nil when several say so;
// known is false when none does.
func (t *taskTable) owner(id string) (s *server, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, known = t.owned[id]
	return s, known
}

// advertises reports whether a server's capabilities name the method's area or
// an extension that the method begins with.
func (l *link) advertises(method, area string) bool {
	if l.capable(area) {
		return true
	}
	for _, group := range []string{"extensions", "experimental"} {
		extensions, ok := objectMember(l.capabilities, group)
		if !ok {
			continue
		}
		for name := range jsonrpc.Members(extensions) {
			if name == area || len(method) > len(name) && method[:len(name)] == name && method[len(name)] == '/' {
				return true
			}
		}
	}
	return false
}
