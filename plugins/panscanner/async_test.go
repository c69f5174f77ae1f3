package panscanner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

const scanID = "7b4a9de9-09e9-4ce5-b090-7f99fdffc9a5"

func twoOrders() (map[string][]*order, []*piece) {
	pieces := []*piece{{}, {}}
	return map[string][]*order{scanID: {{piece: pieces[0]}, {piece: pieces[1]}}}, pieces
}

// TestTake checks which results are believed.
func TestTake(t *testing.T) {
	const allow, block = `{"action":"allow"}`, `{"action":"block"}`
	row := func(id, status, result string) string {
		return `{"req_id":` + id + `,"status":"` + status + `","scan_id":"` + scanID + `","result":` + result + `}`
	}
	for name, test := range map[string]struct {
		raw  string
		want [2]string
		ok   bool
	}{
		"both":             {"[" + row("1", "complete", block) + "," + row("0", "complete", allow) + "]", [2]string{allow, block}, true},
		"one is pending":   {"[" + row("0", "complete", allow) + "," + row("1", "pending", allow) + "]", [2]string{allow, ""}, true},
		"one twice":        {"[" + row("0", "complete", block) + "," + row("0", "complete", allow) + "]", [2]string{"{}", ""}, true},
		"unknown number":   {"[" + row("2", "complete", allow) + "," + row("-1", "complete", allow) + "]", [2]string{}, true},
		"number as text":   {"[" + row(`"0"`, "complete", allow) + "]", [2]string{}, true},
		"no result":        {"[" + row("0", "complete", "null") + "]", [2]string{}, true},
		"another scan":     {`[{"req_id":0,"status":"complete","scan_id":"x","result":{}}]`, [2]string{}, true},
		"not a list":       {`{"error":{}}`, [2]string{}, false},
		"not JSON":         {`<html>`, [2]string{}, false},
		"members repeated": {`[{"req_id":0,"req_id":1}]`, [2]string{}, false},
	} {
		accepted, pieces := twoOrders()
		if ok := take([]byte(test.raw), accepted); ok != test.ok {
			t.Errorf("%s: %v", name, ok)
		}
		for i, p := range pieces {
			if string(p.answer) != test.want[i] {
				t.Errorf("%s: answer %d is %q", name, i, p.answer)
			}
		}
	}
}

// TestTakeLater checks that a second look does not disturb what the first brought.
func TestTakeLater(t *testing.T) {
	accepted, pieces := twoOrders()
	row := `{"req_id":0,"status":"complete","scan_id":"` + scanID + `","result":{"action":"block"}}`
	for range 2 {
		if !take([]byte("["+row+"]"), accepted) || string(pieces[0].answer) != `{"action":"block"}` {
			t.Fatalf("answer %q", pieces[0].answer)
		}
	}
}

func FuzzTake(f *testing.F) {
	f.Add([]byte(`[{"req_id":0,"status":"complete","scan_id":"` + scanID + `","result":{"action":"allow"}}]`))
	f.Add([]byte(`[{"req_id":1e9,"status":"complete","scan_id":"` + scanID + `","result":{}},null,[]]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		accepted, pieces := twoOrders()
		take(raw, accepted)
		for _, p := range pieces {
			if p.answer == nil {
				continue
			}
			if a, failure := parseAnswer(p.answer); failure == nil && a.action != actionAllow && a.action != actionBlock {
				t.Errorf("action %q", a.action)
			}
		}
	})
}

// TestAsyncBody checks that a batch keeps within rows, bytes and addresses.
func TestAsyncBody(t *testing.T) {
	c := testConfig()
	orders := func(n, bytes int, text string) []*order {
		var out []*order
		for range n {
			e := eventFor(scanner.Origin{})
			e.Output = text + string(make([]byte, bytes))
			out = append(out, &order{piece: &piece{event: e}})
		}
		return out
	}
	for name, test := range map[string]struct {
		orders []*order
		want   int
	}{
		"rows":      {orders(12, 10, ""), 5},
		"last":      {orders(2, 10, ""), 2},
		"bytes":     {orders(5, 300_000, ""), 2}, // a zero byte is six in JSON
		"addresses": {orders(5, 1, "a://b c://d"+string(make([]byte, 10))), 5},
	} {
		body, n := c.asyncBody(test.orders)
		if n != test.want || len(body) > maxAsync {
			t.Errorf("%s: %d rows, %d bytes", name, n, len(body))
		}
	}
	many := ""
	for range 60 {
		many += "a://b "
	}
	if _, n := c.asyncBody(orders(5, 1, many)); n != 1 {
		t.Errorf("%d rows with 60 addresses each", n)
	}
}

func TestQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q queries
		for i := range looksPerMinute {
			if !q.take() {
				t.Fatalf("look %d is refused", i)
			}
			time.Sleep(time.Second)
		}
		if q.take() || q.free(1) {
			t.Error("an eleventh look")
		}
		time.Sleep(time.Minute)
		if !q.free(5) || !q.take() {
			t.Error("no look a minute later")
		}
	})
}
