package downstream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// spec is a child of this test binary with a behaviour.

func spec(behaviour string) Stdio {
	return Stdio{
		Name: "test", Command: os.Args[0], MaxMessage: 1 << 20, Shape: shape(), Log: quiet(),
		Env: []string{
			childVariable + "=" + behaviour, "GORACE=atexit_sleep_ms=0",
			"PATH=" + os.Getenv("PATH"), "SystemRoot=" + os.Getenv("SystemRoot"),
		},
	}
}

func dial(t *testing.T, s Stdio, h peer.Handler) *stdioInstance {
	t.Helper()
	s.Env = append(s.Env, "GOCOVERDIR="+t.TempDir()) // or a child of a covered test warns on its stderr
	i, err := s.Dial(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close(time.Second) })
	child, ok := i.(*stdioInstance)
	if !ok {
		t.Fatalf("Dial returned %T", i)
	}
	return child
}

func TestStdioAnswers(t *testing.T) {
	const bad = "failed: the server's answer is not a valid message"
	for _, tt := range []struct{ method, want, anomalies string }{
		{"odd bytes", `{"n":9007199254740993, "f":1.0,  "s":"\u003c<"}`, ""},
		{"error", `error: {"code":-32050,"message":"m","data":{"x":1.0}}`, ""},
		{"null", "null", ""},
		{"twice", "1", peer.AnomalyTwice},
		{"garbage", `"ok"`, strings.Join([]string{peer.AnomalyMalformed, peer.AnomalyMalformed, peer.AnomalyMalformed, peer.AnomalyBatch}, " ")},
		{"duplicate", bad, peer.AnomalyMalformed},
		{"escaped twin", bad, peer.AnomalyMalformed},
		{"two results", bad, peer.AnomalyMalformed},
		{"case variant", bad, peer.AnomalyMalformed},
		{"folded variant", bad, peer.AnomalyMalformed},
		{"bad utf-8", bad, peer.AnomalyMalformed},
		{"deep", bad, peer.AnomalyMalformed},
		{"result and more", bad, peer.AnomalyMalformed},
		{"batch", `"ok"`, peer.AnomalyBatch},
		{"bad request", `"ok"`, peer.AnomalyMalformed},
		{"early", `"ok"`, peer.AnomalyUnasked},
	} {
		t.Run(tt.method, func(t *testing.T) {
			t.Parallel()
			var n notes
			i := dial(t, spec("serve"), &n)
			if got := result(t, i, request(tt.method, "")); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			// The connection lives on, and by then all that was said is read.
			if got := result(t, i, request("echo", `{"a":1}`)); got != `{"a":1}` {
				t.Errorf("afterwards echo got %s", got)
			}
			var words []string
			for _, line := range n.all() {
				words = append(words, strings.TrimPrefix(line, "anomaly "))
			}
			if got := strings.Join(words, " "); got != tt.anomalies {
				t.Errorf("anomalies %q, want %q", got, tt.anomalies)
			}
		})
	}
}

func TestStdioAnswersToNothing(t *testing.T) {
	for _, method := range []string{"id as string", "id as float", "id of the next", "negative id", "no id"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			var n notes
			i := dial(t, spec("serve"), &n)
			call, replies := ask(t, i, request(method, ""))
			n.eventually(t, "anomaly "+peer.AnomalyUnasked)
			call.Abandon(context.DeadlineExceeded)
			if r := await(t, replies); !errors.Is(r.Err, context.DeadlineExceeded) {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestStdioOrder(t *testing.T) {
	var n notes
	i := dial(t, spec("serve"), &n)
	if got := result(t, i, request("talk", "")); got != `"ok"` {
		t.Errorf("got %s", got)
	}
	want := []string{`notification notifications/progress {"progress":1}`, "request 1 ping "}
	if got := n.all(); !slices.Equal(got, want) {
		t.Errorf("the handler got %q, want %q", got, want)
	}
}

func TestStdioLateAnswer(t *testing.T) {
	var n notes
	i := dial(t, spec("serve"), &n)
	call, replies := ask(t, i, request("hold", ""))
	call.Abandon(context.Canceled)
	call.Abandon(errors.New("again")) // without effect
	if r := await(t, replies); !errors.Is(r.Err, context.Canceled) {
		t.Errorf("got %+v", r)
	}
	for range 2 { // the second release says nothing about the first call
		if got := result(t, i, request("release", "")); got != "null" {
			t.Errorf("got %s", got)
		}
	}
	if got := n.all(); !slices.Equal(got, []string{"anomaly " + peer.AnomalyLate}) {
		t.Errorf("the handler got %q", got)
	}
}

func TestStdioManyCalls(t *testing.T) {
	i := dial(t, spec("serve"), &notes{})
	const callers = 50
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for n := range 20 {
				params := fmt.Sprintf(`{"n":%d}`, n)
				if got := result(t, i, request("echo", params)); got != params {
					t.Errorf("got %s, want %s", got, params)
				}
			}
		})
	}
	wg.Wait()
	var held []<-chan peer.Reply
	var ids []string
	for range 10 {
		call, replies := ask(t, i, request("hold", ""))
		held, ids = append(held, replies), append(ids, call.ID().Raw())
	}
	result(t, i, request("release", ""))
	for n, replies := range held {
		if r := await(t, replies); string(r.Result) != strconv.Quote(ids[n]) {
			t.Errorf("call %s got %s", ids[n], r.Result)
		}
	}
}

func TestStdioOverlongLine(t *testing.T) {
	var n notes
	i := dial(t, spec("serve"), &n)
	_, replies := ask(t, i, request("huge", "")) // 100 MiB
	if r := await(t, replies); !errors.Is(r.Err, peer.ErrTooLong) {
		t.Errorf("got %+v", r)
	}
	if got := result(t, i, request("echo", "[1]")); got != "[1]" {
		t.Errorf("afterwards echo got %s", got)
	}
	if got := n.all(); !slices.Equal(got, []string{"anomaly " + peer.AnomalyTooLong}) {
		t.Errorf("the handler got %q", got)
	}
}

func TestStdioOneMessageIsOneLine(t *testing.T) {
	i := dial(t, spec("serve"), &notes{})
	const smuggled = "{\"x\":\n{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"exit\"}\r\n}"
	if got, want := result(t, i, request("echo", smuggled)), strings.NewReplacer("\n", "", "\r", "").Replace(smuggled); got != want {
		t.Errorf("the server read %s, want %s", got, want)
	}
	if err := i.Notify(request("notifications/x", smuggled)); err != nil {
		t.Error(err)
	}
	if err := i.Answer(jsonrpc.StringID("q"), peer.Clear(peer.Result, "ping", []byte("{\n}"))); err != nil {
		t.Error(err)
	}
	if err := i.Answer(jsonrpc.IntID(3), peer.Clear(peer.Error, "ping", []byte(`{"code":1,"message":"m"}`))); err != nil {
		t.Error(err)
	}
	if got := result(t, i, request("lines", "")); got != "5" {
		t.Errorf("the server read %s lines, want 5", got)
	}
}

func TestStdioNotCleared(t *testing.T) {
	i := dial(t, spec("serve"), &notes{})
	refusesUncleared(t, i)
	if got := result(t, i, request("lines", "")); got != "1" {
		t.Errorf("the server read %s lines, want 1", got)
	}
}

func refusesUncleared(t *testing.T, i Instance) {
	t.Helper()
	for _, c := range []peer.Cleared{{}, peer.Clear(peer.Result, "x", []byte("1")), peer.Clear(peer.NoPart, "x", nil)} {
		_, replies := ask(t, i, c)
		if r := await(t, replies); !errors.Is(r.Err, peer.ErrNotCleared) {
			t.Errorf("call: %+v", r)
		}
		if err := i.Notify(c); !errors.Is(err, peer.ErrNotCleared) {
			t.Errorf("notification: %v", err)
		}
	}
	for _, c := range []peer.Cleared{{}, request("x", "{}")} {
		if err := i.Answer(jsonrpc.IntID(1), c); !errors.Is(err, peer.ErrNotCleared) {
			t.Errorf("answer: %v", err)
		}
	}
}
