package relay

import (
	"bytes"
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// taskTable remembers which server made which task for whom, so that a request
// that names a task finds its server, and nobody else's task.
type taskTable struct {
	mu    sync.Mutex
	owned map[taskKey]*server
	order []taskKey // oldest first
}

// taskKey is a task as a principal knows it.
type taskKey struct{ principal, id string }

const (
	// maxTasks bounds the memory that a server can take by making tasks.
	maxTasks = 10_000
	// A result that creates a task is small; larger ones are not searched.
	maxTaskResult = 16 << 10
)

// learn remembers the task that a result announces, if it does.
func (t *taskTable) learn(result []byte, s *server, principal string) {
	if len(result) > maxTaskResult || !bytes.Contains(result, []byte(`"taskId"`)) {
		return
	}
	id := jsonrpc.StringMember(result, "taskId")
	if task, ok := jsonrpc.ObjectMember(result, "task"); ok {
		id = jsonrpc.StringMember(task, "taskId")
	}
	if id == "" {
		return
	}
	key := taskKey{principal, id}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.owned == nil {
		t.owned = map[taskKey]*server{}
	}
	if owner, known := t.owned[key]; known {
		if owner != s {
			// Two servers with one id: neither may get the other's requests.
			t.owned[key] = nil
		}
		return
	}
	if len(t.order) >= maxTasks {
		delete(t.owned, t.order[0])
		t.order = t.order[1:]
	}
	t.owned[key] = s
	t.order = append(t.order, key)
}

// owner returns the server that made a task for a principal. It is nil when
// none did, and when several say so.
func (t *taskTable) owner(id, principal string) *server {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.owned[taskKey{principal, id}]
}

// principals returns for whom a server made a task.
func (t *taskTable) principals(id string, s *server) map[string]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all map[string]bool
	for key, owner := range t.owned {
		if key.id == id && owner == s {
			if all == nil {
				all = map[string]bool{}
			}
			all[key.principal] = true
		}
	}
	return all
}

// advertises reports whether a server's capabilities name the method's area or
// an extension that the method begins with.
func (l *link) advertises(method, area string) bool {
	if l.capable(area) {
		return true
	}
	for _, group := range []string{"extensions", "experimental"} {
		extensions, ok := jsonrpc.ObjectMember(l.capabilities, group)
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
