package panscanner

import (
	"container/list"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/scanner"
)

const (
	// The words of the configuration.
	perSession = "session"
	perServer  = "server"
	perUser    = "user"

	exhaustedBlocks = "block"
	exhaustedOutage = "outage"

	keptAccounts = 10_000 // the one that was idle longest is forgotten
)

// limits is what one account may spend; zero: no limit.
type limits struct {
	calls  int           // requests
	bytes  int           // of events
	per    string        // perSession, perServer or perUser
	every  time.Duration // after which an account is full again; 0: never
	outage bool          // what an empty account means
}

// budget keeps the accounts. Content without a session, such as definitions that
// the relay asks for itself, is on the account of its server.
type budget struct {
	limits limits

	mu       sync.Mutex
	accounts map[accountKey]*list.Element
	recent   *list.List // of *account, latest first
}

type accountKey struct{ session, user, server string }

type account struct {
	key   accountKey
	since time.Time
	calls int
	bytes int
}

func newBudget(l limits) *budget {
	if l.calls == 0 && l.bytes == 0 {
		return nil
	}
	return &budget{limits: l, accounts: map[accountKey]*list.Element{}, recent: list.New()}
}

// spend charges everything that is asked about one content, or nothing. What is
// asked again because the service failed is not charged twice.
func (b *budget) spend(o scanner.Origin, pieces []piece) *scanner.Error {
	if b == nil || len(pieces) == 0 {
		return nil
	}
	bytes := 0
	for i := range pieces {
		bytes += len(pieces[i].event.Input) + len(pieces[i].event.Output)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	a := b.account(o, now)
	if over(a.calls, len(pieces), b.limits.calls) || over(a.bytes, bytes, b.limits.bytes) {
		return b.exhausted(a, now)
	}
	a.calls += len(pieces)
	a.bytes += bytes
	return nil
}

func over(spent, more, limit int) bool { return limit > 0 && more > limit-spent }

func (b *budget) account(o scanner.Origin, now time.Time) *account {
	key := accountKey{session: o.Session}
	if b.limits.per == perUser {
		key = accountKey{user: o.Principal}
	}
	if key == (accountKey{}) || b.limits.per == perServer {
		key.server = o.Server
	}
	if e := b.accounts[key]; e != nil {
		b.recent.MoveToFront(e)
		a, _ := e.Value.(*account)
		if b.limits.every > 0 && now.Sub(a.since) >= b.limits.every {
			*a = account{key: key, since: now}
		}
		return a
	}
	if b.recent.Len() >= keptAccounts {
		last := b.recent.Back()
		if a, ok := b.recent.Remove(last).(*account); ok {
			delete(b.accounts, a.key)
		}
	}
	a := &account{key: key, since: now}
	b.accounts[key] = b.recent.PushFront(a)
	return a
}

// exhausted says what the configuration makes of an empty account. As an outage
// it is for the relay's on_error; else the content is held, whatever that says.
func (b *budget) exhausted(a *account, now time.Time) *scanner.Error {
	e := &scanner.Error{
		Reason: scanner.ReasonRateLimited, ContentCaused: !b.limits.outage,
		Message: "the budget of this session is used up: see budget",
	}
	switch {
	case a.key.server != "":
		e.Message = "the budget of this server is used up: see budget"
	case a.key.user != "":
		e.Message = "the budget of this user is used up: see budget"
	default:
	}
	if b.limits.every > 0 {
		e.RetryAfter = b.limits.every - now.Sub(a.since)
	}
	return e
}

// read reads the member budget and reports everything that is wrong.
func (l *limits) read(raw jsontext.Value) scanner.Problems {
	var members map[string]jsontext.Value
	if raw.Kind() != '{' || json.Unmarshal(raw, &members) != nil {
		return scanner.Problems{{Pointer: "/budget", Message: "must be an object with calls, bytes or both"}}
	}
	const most = 1 << 50
	policy := exhaustedBlocks
	problems := readMembers(members, map[string]func(jsontext.Value) string{
		"calls":        integer(&l.calls, 1, most),
		"bytes":        integer(&l.bytes, 1, most),
		"per":          word(&l.per, perSession, perServer, perUser),
		"every":        duration(&l.every, time.Minute, 31*24*time.Hour),
		"on_exhausted": word(&policy, exhaustedBlocks, exhaustedOutage),
	}, "/budget")
	l.outage = policy == exhaustedOutage
	if members["calls"] == nil && members["bytes"] == nil {
		problems = append(problems, scanner.Problem{Pointer: "/budget", Message: "give calls, bytes or both"})
	}
	return problems
}
