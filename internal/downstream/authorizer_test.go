package downstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// tokens is an Authorizer that has a list of tokens and goes on to the next one
// when one is refused.
type tokens struct {
	mu     sync.Mutex
	list   []string
	told   []string
	broken error
}

func (k *tokens) Authorization(context.Context) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken != nil {
		return "", k.broken
	}
	if len(k.list) == 0 || k.list[0] == "" {
		return "", nil
	}
	return "Bearer " + k.list[0], nil
}

func (k *tokens) Refused(_ context.Context, status int, challenge []string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.told = append(k.told, fmt.Sprint(status, challenge))
	if len(k.list) > 1 {
		k.list = k.list[1:]
		return true
	}
	return false
}

func (k *tokens) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.told)
}

const canaryChallenge = `Bearer error_description="CANARY"`

// guarded is a server that wants one token and runs what it is asked for.
func guarded(t *testing.T, token string, status int, body string) (url string, posts, runs *atomic.Int32) {
	t.Helper()
	posts, runs = new(atomic.Int32), new(atomic.Int32)
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		posts.Add(1)
		m := received(t, r)
		w.Header().Set("Content-Type", jsonType)
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.Header().Set("WWW-Authenticate", canaryChallenge)
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, body, m.ID.Raw())
			return
		}
		runs.Add(1)
		if m.ID.IsZero() || m.Method == "" {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID.Raw(), m.Params)
	}), posts, runs
}

func TestAuthorization(t *testing.T) {
	const plain = "CANARY %s"
	const own = `{"jsonrpc":"2.0","id":%s,"error":{"code":-32001,"message":"CANARY"}}`
	for _, tt := range []struct {
		name        string
		have        []string
		status      int
		body        string
		ok          bool
		posts, told int
	}{
		{"the right token", []string{"good"}, 401, plain, true, 1, 0},
		{"a better token", []string{"old", "good"}, 401, plain, true, 2, 1},
		{"no token at first", []string{"", "good"}, 401, plain, true, 2, 1},
		{"more scopes", []string{"old", "good"}, 403, plain, true, 2, 1},
		{"refused in words of its own", []string{"old", "good"}, 401, own, true, 2, 1},
		{"no better token", []string{"old"}, 401, plain, false, 1, 1},
		{"never more than once", []string{"old", "older", "good"}, 401, plain, false, 2, 2},
		{"nothing better for 403", []string{"old"}, 403, own, false, 1, 1},
		{"another status", []string{"old", "good"}, 500, plain, false, 1, 0},
		{"a status that is no refusal", []string{"old", "good"}, 407, plain, false, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url, posts, runs := guarded(t, "good", tt.status, tt.body)
			k := &tokens{list: tt.have}
			i := connect(t, HTTP{URL: url, Authorizer: k, Headers: map[string]string{"authorization": "configured"}}, &notes{})
			_, replies := ask(t, i, request("tools/call", `{"n":1}`))
			r := await(t, replies)
			if tt.ok != (string(r.Result) == `{"n":1}`) || tt.ok != (r.Err == nil) {
				t.Errorf("got %+v", r)
			}
			if r.Err != nil {
				refused := isRefusal(tt.status)
				if errors.Is(r.Err, ErrUnauthorized) != refused || !errors.Is(r.Err, peer.ErrStatus) || strings.Contains(r.Err.Error(), "CANARY") {
					t.Errorf("the error is %v", r.Err)
				}
			}
			if int(posts.Load()) != tt.posts || len(k.all()) != tt.told || (runs.Load() == 1) != tt.ok {
				t.Errorf("%d posts, %d runs, told %q", posts.Load(), runs.Load(), k.all())
			}
			for _, told := range k.all() {
				if told != fmt.Sprint(tt.status, []string{canaryChallenge}) {
					t.Errorf("told %q", told)
				}
			}
		})
	}
}

// TestAuthorizationOfEverything: what has no answer is authorized as well.
func TestAuthorizationOfEverything(t *testing.T) {
	for name, send := range map[string]func(i Instance) error{
		"notification": func(i Instance) error { return i.Notify(request("notifications/x", "{}")) },
		"answer": func(i Instance) error {
			return i.Answer(jsonrpc.IntID(1), peer.Clear(peer.Result, "ping", []byte("{}")))
		},
	} {
		url, posts, runs := guarded(t, "good", 401, "")
		i := connect(t, HTTP{URL: url, Authorizer: &tokens{list: []string{"old", "good", "never"}}}, &notes{})
		if err := send(i); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(patience); runs.Load() == 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d posts, none accepted", name, posts.Load())
			}
		}
		if posts.Load() != 2 {
			t.Errorf("%s: %d posts", name, posts.Load())
		}
	}
}

func TestAuthorizationOfTheSession(t *testing.T) {
	var seen requests
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.note(r)
		w.Header().Set("Content-Type", jsonType)
		switch {
		case r.Method == http.MethodGet && r.Header.Get("Authorization") != "Bearer second":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method == http.MethodGet:
			w.Header().Set("Content-Type", streamType)
			say(w, `{"jsonrpc":"2.0","method":"notifications/a"}`)
			<-r.Context().Done()
		case r.Method == http.MethodPost:
			w.Header().Set(sessionHeader, "s")
			if m := received(t, r); !m.ID.IsZero() {
				_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID.Raw())
			}
		}
	})
	n := &notes{}
	i := connect(t, HTTP{URL: url, Authorizer: &tokens{list: []string{"first", "second"}}}, n)
	result(t, i, request(protocol.Initialize, `{}`))
	if err := i.Notify(request(protocol.Initialized, "")); err != nil {
		t.Fatal(err)
	}
	n.eventually(t, "notification notifications/a")
	i.Close(patience)
	var got []string
	for _, r := range seen.all() {
		got = append(got, r.Method+" "+r.Header.Get("Authorization"))
	}
	want := []string{"POST Bearer first", "POST Bearer first", "GET Bearer first", "GET Bearer second", "DELETE Bearer second"}
	if !slices.Equal(got, want) {
		t.Errorf("the server saw %q", got)
	}
}

func TestNoAuthorization(t *testing.T) {
	url, posts, _ := guarded(t, "good", 401, "")
	cause := errors.New("CANARY")
	i := connect(t, HTTP{URL: url, Authorizer: &tokens{broken: cause}}, &notes{})
	_, replies := ask(t, i, request("x", ""))
	r := await(t, replies)
	for _, want := range []error{peer.ErrNotSent, ErrUnauthorized, cause} {
		if !errors.Is(r.Err, want) {
			t.Errorf("%v is not %v", r.Err, want)
		}
	}
	if posts.Load() != 0 || strings.Contains(r.Err.Error(), "CANARY") {
		t.Errorf("%d posts, %v", posts.Load(), r.Err)
	}
}

// TestAuthorizationIsAbandoned gives up while a token is fetched.
func TestAuthorizationIsAbandoned(t *testing.T) {
	url, posts, _ := guarded(t, "good", 401, "")
	asked, ended := make(chan struct{}), make(chan struct{})
	i := connect(t, HTTP{URL: url, Authorizer: waiting(func(ctx context.Context) {
		close(asked)
		<-ctx.Done()
		close(ended)
	})}, &notes{})
	call, replies := ask(t, i, request("x", ""))
	<-asked
	call.Abandon(context.Canceled)
	await(t, replies)
	<-ended
	if posts.Load() != 0 {
		t.Errorf("%d posts", posts.Load())
	}
}

type waiting func(context.Context)

func (f waiting) Authorization(ctx context.Context) (string, error) { f(ctx); return "", ctx.Err() }
func (waiting) Refused(context.Context, int, []string) bool         { return true }

// TestAuthorizationGoesNowhereElse answers with redirects and foreign endpoints.
func TestAuthorizationGoesNowhereElse(t *testing.T) {
	var stolen atomic.Int32
	target := serve(t, func(http.ResponseWriter, *http.Request) { stolen.Add(1) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, status) })
		i := modern(t, HTTP{URL: url, Authorizer: &tokens{list: []string{"a", "b"}}}, &notes{})
		if got := result(t, i, request("tools/call", `{`+meta+`}`)); !strings.Contains(got, "HTTP status 3") {
			t.Errorf("got %s", got)
		}
		s := SSE{Name: "n", URL: url, Authorizer: &tokens{list: []string{"a", "b"}}, Log: quiet(), Shape: shape(), MaxMessage: 1 << 20}
		if _, err := s.Dial(t.Context(), &notes{}); !errors.Is(err, peer.ErrStatus) {
			t.Errorf("%d: %v", status, err)
		}
	}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", streamType)
		_, _ = fmt.Fprintf(w, "event: endpoint\ndata: %s/messages\n\n", target)
	})
	s := SSE{Name: "n", URL: url, Authorizer: &tokens{list: []string{"a", "b"}}, Log: quiet(), Shape: shape(), MaxMessage: 1 << 20}
	if _, err := s.Dial(t.Context(), &notes{}); !errors.Is(err, peer.ErrBadAnswer) {
		t.Errorf("a foreign endpoint: %v", err)
	}
	if stolen.Load() != 0 {
		t.Errorf("%d requests went elsewhere", stolen.Load())
	}
	for _, dial := range []func(url string) error{
		func(url string) error {
			_, err := HTTP{Name: "n", URL: url, Authorizer: &tokens{}, Log: quiet()}.Dial(t.Context(), &notes{})
			return err
		},
		func(url string) error {
			_, err := SSE{Name: "n", URL: url, Authorizer: &tokens{}, Log: quiet()}.Dial(t.Context(), &notes{})
			return err
		},
	} {
		if err := dial("http://example.com/"); !errors.Is(err, errPlain) {
			t.Errorf("a token over http: %v", err)
		}
	}
}

// TestForbiddenMayBeAnAnswer: a server that answers by id, and does not ask for
// other credentials, is not asking for them.
func TestForbiddenMayBeAnAnswer(t *testing.T) {
	for _, tt := range []struct {
		status    int
		challenge string
		want      string
	}{
		{403, "", `error: {"code":-32000,"message":"m"}`},
		{403, "Bearer", "failed: the server refused the request: HTTP status 403"},
		{401, "", "failed: the server refused the request: HTTP status 401"},
	} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if tt.challenge != "" {
				w.Header().Set("WWW-Authenticate", tt.challenge)
			}
			w.Header().Set("Content-Type", jsonType)
			w.WriteHeader(tt.status)
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32000,"message":"m"}}`, received(t, r).ID.Raw())
		})
		i := connect(t, HTTP{URL: url}, &notes{})
		if got := result(t, i, request("x", "")); got != tt.want {
			t.Errorf("%d %q: got %s, want %s", tt.status, tt.challenge, got, tt.want)
		}
	}
}
