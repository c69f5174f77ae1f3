package panscanner

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/scanner"
)

const (
	maxBatch  = 5 // events in a request, and ids in a look at results; others are refused by some
	maxAsync  = 5_000_000
	firstLook = 1500 * time.Millisecond // scans are said to take one to two seconds
	nextLook  = time.Second

	looksPerMinute = 10 // of a tenant
)

// order is a piece that is asked about in a batch.
type order struct {
	origin scanner.Origin
	piece  *piece
}

type wireAsync struct {
	ID   uint32      `json:"req_id"`
	Scan wireRequest `json:"scan_req"`
}

// prefetch asks about orders in asynchronous batches and gives the pieces that
// were answered their answers. The others are asked about one by one afterwards,
// as are all when it fails: a request that may have arrived is not repeated here.
func (c *client) prefetch(ctx context.Context, cfg *config, orders []*order) {
	accepted := map[string][]*order{}
	for len(orders) > 0 {
		body, n := cfg.asyncBody(orders)
		if n == 0 || ctx.Err() != nil {
			return
		}
		if _, failure := c.throttle.wait(ctx, orders[0].origin.Server, len(body)); failure != nil {
			break
		}
		r := c.post(ctx, c.base+asyncPath, body)
		if r.failure != nil {
			break
		}
		var got struct {
			ScanID string `json:"scan_id"`
		}
		if json.Unmarshal(r.answer, &got) != nil || !uuidPattern.MatchString(got.ScanID) || accepted[got.ScanID] != nil {
			break
		}
		accepted[got.ScanID] = orders[:n]
		orders = orders[n:]
	}
	c.collect(ctx, accepted)
}

// asyncBody encodes as many orders as one request takes.
func (c *config) asyncBody(orders []*order) (body []byte, n int) {
	var out bytes.Buffer
	out.WriteByte('[')
	links := 0
	for n < min(maxBatch, len(orders)) {
		o := orders[n]
		event := wireAsync{ID: uint32(n), Scan: c.request(o.origin, o.piece.event)}
		row, err := json.Marshal(event, jsontext.AllowInvalidUTF8(true))
		more := strings.Count(o.piece.event.Input, urlMark) + strings.Count(o.piece.event.Output, urlMark)
		if err != nil || n > 0 && (out.Len()+len(row)+2 > maxAsync || links+more > maxURLs) {
			break
		}
		if n > 0 {
			out.WriteByte(',')
		}
		out.Write(row)
		links, n = links+more, n+1
	}
	out.WriteByte(']')
	return out.Bytes(), n
}

// collect looks for results until all are there, the looks of this minute are
// used up or the time is.
func (c *client) collect(ctx context.Context, accepted map[string][]*order) {
	for wait := firstLook; len(accepted) > 0 && pause(ctx, wait); wait = nextLook {
		var ids []string
		for id := range accepted {
			if ids = append(ids, id); len(ids) == maxBatch {
				break
			}
		}
		if !c.queries.take() {
			return
		}
		r := c.exchange(ctx, http.MethodGet, c.base+resultPath+"?scan_ids="+url.QueryEscape(strings.Join(ids, ",")), nil)
		if r.failure != nil {
			return
		}
		if !take(r.answer, accepted) {
			return
		}
		for id, orders := range accepted {
			if answered(orders) {
				delete(accepted, id)
			}
		}
	}
}

// take gives the pieces the answers that are complete. It reports false when raw
// is no list of results.
func take(raw []byte, accepted map[string][]*order) bool {
	var rows []struct {
		ID     jsontext.Value `json:"req_id"`
		ScanID string         `json:"scan_id"`
		Status string         `json:"status"`
		Result jsontext.Value `json:"result"`
	}
	if json.Unmarshal(raw, &rows) != nil {
		return false
	}
	now := map[*piece]bool{}
	for _, row := range rows {
		orders := accepted[row.ScanID]
		i, err := strconv.Atoi(string(row.ID))
		if err != nil || i < 0 || i >= len(orders) || row.Status != "complete" || row.Result.Kind() != '{' {
			continue
		}
		p := orders[i].piece
		switch {
		case now[p]: // two answers to one question: neither is believed
			p.answer = []byte("{}")
		case p.answer == nil:
			p.answer = row.Result
		default:
		}
		now[p] = true
	}
	return true
}

func answered(orders []*order) bool {
	for _, o := range orders {
		if o.piece.answer == nil {
			return false
		}
	}
	return true
}

// queries counts the looks at results in the last minute.
type queries struct {
	mu    sync.Mutex
	taken []time.Time
}

// free reports whether n looks are left, and as many for another try.
func (q *queries) free(n int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget()
	return len(q.taken)+2*n <= looksPerMinute
}

func (q *queries) take() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.forget(); len(q.taken) >= looksPerMinute {
		return false
	}
	q.taken = append(q.taken, time.Now())
	return true
}

func (q *queries) forget() {
	for len(q.taken) > 0 && time.Since(q.taken[0]) > time.Minute {
		q.taken = q.taken[1:]
	}
}
