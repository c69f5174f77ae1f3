package measure

import (
	"fmt"
	"time"

	"github.com/mcp-relay/relay/bench/internal/hist"
	"github.com/mcp-relay/relay/bench/internal/jscan"
	"github.com/mcp-relay/relay/bench/internal/payload"
)

type worker struct {
	s       *Session
	lane    int
	i       int // rotates over equal tools
	params  []byte
	scratch []byte
	h       hist.Hist
	errs    Errors
	done    int
}

// one makes a call, checks the answer and returns the latency.
func (w *worker) one(sc Scenario) (time.Duration, error) {
	id := 1000 + seq.Add(1)
	if sc.Op == "list" {
		t0 := time.Now()
		n, at, err := w.s.c.List(w.lane, id, nil)
		if err == nil && n != w.s.count {
			err = fmt.Errorf("%w: %d tools, %d at the start", errContent, n, w.s.count)
		}
		return at.Sub(t0), err
	}
	names := w.s.tools[sc.Op]
	if len(names) == 0 {
		return 0, fmt.Errorf("no tool %q listed", sc.Op)
	}
	name := names[w.i%len(names)]
	w.i++
	seed, size := uint64(id), sc.Size
	p := append(w.params[:0], `"name":"`...)
	p = append(p, name...)
	p = append(p, `","arguments":{`...)
	switch sc.Op {
	case "echo":
		p = append(p, `"text":"`...)
		p = append(payload.Append(p, size, seed), '"')
	case "blob":
		p = fmt.Appendf(p, `"size":%d,"seed":%d`, size, seed)
	case "sleep":
		p = fmt.Appendf(p, `"ms":%d,"seed":%d`, size, seed)
		size = payload.MinSize
	}
	p = append(p, '}')
	w.params = p
	t0 := time.Now()
	res, at, err := w.s.c.Call(w.lane, id, "tools/call", name, p)
	d := at.Sub(t0)
	if err != nil {
		return d, err
	}
	var text []byte
	failed := false
	if err := jscan.Object(res, func(k, v []byte) bool {
		switch string(k) {
		case "content":
			_ = jscan.Members(jscan.First(v), func(k, rest []byte) bool {
				if string(k) == "text" {
					text = rest
				}
				return text == nil
			})
		case "isError":
			failed = string(v) == "true"
		}
		return true
	}); err != nil {
		return d, fmt.Errorf("%w: %.120s", errContent, res)
	}
	if failed {
		return d, fmt.Errorf("%w: %.200s", errTool, res)
	}
	if !payload.Match(text, size, seed, &w.scratch) {
		return d, fmt.Errorf("%w: %d bytes from %.120s", errContent, len(text), text)
	}
	return d, nil
}
