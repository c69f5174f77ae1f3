package relay

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// inOneGo returns the texts of notifications one after the other.
func inOneGo(data []byte) string {
	var b strings.Builder
	told, _ := jsonrpc.Member(data, before)
	b.WriteString(strings.Join(texts(nil, told, 0), ""))
	list, ok := jsonrpc.Member(data, together)
	if !ok {
		return b.String() + strings.Join(texts(nil, data, 0), "")
	}
	for element := range jsonrpc.Elements(list) {
		params, _ := jsonrpc.Member(element, "params")
		b.WriteString(strings.Join(texts(nil, params, 0), ""))
	}
	return b.String()
}

// listening returns a rig with a call that a server holds.
func listening(t *testing.T, j *judge) (*rig, *fakeCall) {
	t.Helper()
	s := &fakeServer{tools: []string{"x"}}
	held := s.holding()
	r := startJudged(t, j, nil, s)
	r.greets(`{}`)
	r.ask(toolsList)
	r.ask(call)
	return r, held()
}

// TestASentenceInPieces is judged as one, wherever it is cut: the piece that
// completes it does not pass, and what follows does.
func TestASentenceInPieces(t *testing.T) {
	const phrase = "send it to the other one"
	for cut := 1; cut < len(phrase); cut++ {
		synctest.Test(t, func(t *testing.T) {
			r, held := listening(t, &judge{phrase: phrase})
			for _, text := range []string{"fine", phrase[:cut], phrase[cut:], "fine too"} {
				held.says(t, logFrame("info", text))
				synctest.Wait()
			}
			want := []string{"fine", phrase[:cut], "fine too"}
			got := r.got()
			if len(got) != len(want) {
				t.Fatalf("cut after %d: got %s", cut, got)
			}
			for i, text := range want {
				if got[i] != logFrame("info", text) {
					t.Errorf("cut after %d: %d: got %s", cut, i, got[i])
				}
			}
		})
	}
}

// TestASentenceInPiecesWhileAScannerWorks: pieces that are judged together, and
// pieces on both sides of a border between two batches.
func TestASentenceInPiecesWhileAScannerWorks(t *testing.T) {
	const phrase = "send it to the other one"
	for first := range 4 {
		synctest.Test(t, func(t *testing.T) {
			r, held := listening(t, &judge{phrase: phrase})
			r.judge.dawdle(time.Second)
			said := []string{"SLOW", "fine", phrase[:5], phrase[5:9], phrase[9:], "fine too"}
			for i, text := range said {
				held.says(t, logFrame("info", text))
				if i == first {
					time.Sleep(1500 * time.Millisecond)
				}
			}
			time.Sleep(5 * time.Second)
			got := strings.Join(r.got(), "\n")
			if strings.Contains(got, phrase[9:]) || !strings.Contains(got, "fine too") || strings.Count(got, "\n") != len(said)-2 {
				t.Errorf("%d: got %s", first, got)
			}
		})
	}
}

// TestNumbersNeedNoPredecessors: progress without words costs no scan, whatever was
// said before.
func TestNumbersNeedNoPredecessors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, held := listening(t, &judge{})
		held.says(t, logFrame("info", "words"))
		synctest.Wait()
		n := len(r.judge.saw())
		for range 5 {
			held.says(t, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":2}}`)
		}
		synctest.Wait()
		if saw := r.judge.saw(); len(saw) != n {
			t.Errorf("judged %s", saw[n:])
		}
	})
}

// TestARefusalDoesNotLastForEver: when it is what was told before that a scanner
// does not like any more, that is forgotten after a while.
func TestARefusalDoesNotLastForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, held := listening(t, &judge{})
		held.says(t, logFrame("info", "this was fine"))
		synctest.Wait()
		r.judge.mu.Lock()
		r.judge.phrase = "was fine"
		r.judge.mu.Unlock()
		for i := range maxRefused + 1 {
			held.says(t, logFrame("info", fmt.Sprint("n", i)))
			synctest.Wait()
		}
		if got := r.got(); len(got) != 2 || got[1] != logFrame("info", fmt.Sprint("n", maxRefused)) {
			t.Errorf("got %s", got)
		}
	})
}

func TestRecentIsBounded(t *testing.T) {
	var r recent
	for range 2000 {
		r.passed([]byte(`{"data":{"a":["x",5,{"b":"yé"}]},"level":"info"}`))
	}
	if len(r.texts) > maxRecentTexts || r.size > maxRecent {
		t.Errorf("%d texts, %d bytes", len(r.texts), r.size)
	}
	r.passed([]byte(`{"message":"` + strings.Repeat("é", 5000) + `z"}`))
	if r.size > maxRecent || r.size < maxRecent-4 || len(r.texts) != 1 || !strings.HasSuffix(r.texts[0], "éz") {
		t.Errorf("%d texts, %d bytes", len(r.texts), r.size)
	}
	r.passed([]byte(`{"message":"a"}`))
	body := append(r.append([]byte{'{'}), `"x":[]}`...)
	if err := jsonrpc.Validate(body, nil); err != nil || len(r.texts) != 2 {
		t.Errorf("%s: %v", body, err)
	}
	if got := string((&recent{}).append(nil)); got != "" {
		t.Errorf("got %s", got)
	}
	deep := strings.Repeat(`[`, 100) + `"x"` + strings.Repeat(`]`, 100)
	if got := texts(nil, []byte(deep), 0); len(got) != 0 {
		t.Errorf("got %s", got)
	}
}
