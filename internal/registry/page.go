package registry

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// Page is one page of a list.
type Page struct {
	// Body is the list result without nextCursor, a complete JSON object. It
	// holds nothing but definitions that may be offered. It must not be changed.
	Body []byte
	// Next is where the next page begins; empty: this is the last one. It is for
	// the relay alone: it names a server and what is foreign text.
	Next string
}

// WithCursor returns the list result with the cursor under which the client
// gets the next page; with an empty one, Body itself.
func (p Page) WithCursor(cursor string) []byte {
	if cursor == "" {
		return p.Body
	}
	const member = `,"nextCursor":`
	body := make([]byte, 0, len(p.Body)+len(member)+len(cursor)+2)
	body = append(body, p.Body[:len(p.Body)-1]...)
	body = append(body, member...)
	body = jsonrpc.AppendString(body, cursor)
	return append(body, '}')
}

// maxPage is about how many bytes a page has at most. A single definition that
// is longer has a page of its own.
const maxPage = 4 << 20

// pages are a view's pages.
type pages struct {
	starts   []int          // where each begins, as an index of view.listed
	after    map[string]int // position -> the page that begins behind it
	rendered [protocol.Modern + 1][]Page
}

// Page returns a page of a kind's list as clients of an era see it: the first
// one, or the one that begins behind a position, which is the Next of a page.
// Each is rendered once, until the list changes. Positions outlive changes:
// what else comes or goes is neither repeated nor left out. ok is false when
// there is no such position, or not any more.
func (r *Registry) Page(k Kind, era protocol.Era, after string) (p Page, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.shown(k)
	if after == "" {
		return v.page(era, 0), true
	}
	if i, ok := v.pages.after[after]; ok {
		return v.page(era, i), true
	}
	from, ok := r.locate(v, after)
	if !ok {
		return Page{}, false
	}
	// The page that has it, from there on: the next one is a rendered one again.
	i := sort.SearchInts(v.pages.starts, from+1) - 1
	if v.pages.starts[i] == from {
		return v.page(era, i), true
	}
	to, next := v.end(i)
	return Page{Body: v.render(era, from, to), Next: next}, true
}

// paginate says where the pages begin.
func (v *view) paginate(size int) {
	v.pages.starts = []int{0}
	bytes, first := 0, 0
	for i, at := range v.listed {
		e := &v.entries[at]
		n := len(e.Raw) + len(e.Public)
		if i > first && (size > 0 && i-first >= size || bytes+n > maxPage) {
			v.pages.starts = append(v.pages.starts, i)
			if v.pages.after == nil {
				v.pages.after = map[string]int{}
			}
			v.pages.after[v.position(i-1)] = len(v.pages.starts) - 1
			bytes, first = 0, i
		}
		bytes += n
	}
}

// position names the place behind an item of the list.
func (v *view) position(i int) string {
	e := &v.entries[v.listed[i]]
	return e.Server + "\x00" + e.Name
}

// locate returns the index of the first listed item behind a position. An item
// that is not listed any more still has its place as long as the server names
// it. A server that lists nothing is passed over.
func (r *Registry) locate(v *view, after string) (from int, ok bool) {
	name, item, _ := strings.Cut(after, "\x00")
	s := r.servers[name]
	if s == nil {
		return 0, false
	}
	// Entries stand in configuration order.
	at := sort.Search(len(v.entries), func(i int) bool { return r.servers[v.entries[i].Server].position >= s.position })
	found := at == len(v.entries) || v.entries[at].Server != name
	for ; !found && at < len(v.entries) && v.entries[at].Server == name; at++ {
		found = v.entries[at].Name == item
	}
	return sort.SearchInts(v.listed, at), found
}

// end returns where page i ends and under which position the next one begins.
func (v *view) end(i int) (to int, next string) {
	if i+1 == len(v.pages.starts) {
		return len(v.listed), ""
	}
	to = v.pages.starts[i+1]
	return to, v.position(to - 1)
}

// page returns page i. r.mu is held.
func (v *view) page(era protocol.Era, i int) Page {
	if v.pages.rendered[era] == nil {
		v.pages.rendered[era] = make([]Page, len(v.pages.starts))
	}
	p := &v.pages.rendered[era][i]
	if p.Body == nil {
		to, next := v.end(i)
		*p = Page{Body: v.render(era, v.pages.starts[i], to), Next: next}
	}
	return *p
}

// render makes a list result of some of the listed items.
func (v *view) render(era protocol.Era, from, to int) []byte {
	size := 128 + len(v.meta)
	for _, at := range v.listed[from:to] {
		size += len(v.entries[at].Raw) + len(v.entries[at].Public) + 32
	}
	body := make([]byte, 0, size)
	body = append(body, '{')
	body = jsonrpc.AppendString(body, v.kind.Member())
	body = append(body, ":["...)
	for i, at := range v.listed[from:to] {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, v.definition(&v.entries[at])...)
	}
	body = append(body, ']')
	if era == protocol.Modern {
		body = append(body, `,"resultType":"complete","ttlMs":`...)
		body = strconv.AppendInt(body, int64(v.ttl/time.Millisecond), 10)
		body = append(body, `,"cacheScope":"private"`...)
		if len(v.meta) > 0 {
			body = append(body, `,"_meta":`...)
			body = append(body, v.meta...)
		}
	}
	return append(body, '}')
}
