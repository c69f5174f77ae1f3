package scan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/verdict"
)

// view is what a stage is given: the content without the items of a catalogue
// that are withheld already.
type view struct {
	content *verdict.Content
	// kept holds the index in the catalogue of each item; nil: all are there.
	kept []int
}

// look sets what the next stage is given. It reports false when nothing is left
// to be judged.
func (d *deliberation) look() bool {
	d.seen = view{content: d.content}
	if len(d.withheld) == 0 {
		return true
	}
	v := view{kept: []int{}}
	list, _ := jsonrpc.Member(d.content.Data, d.s.Catalogue)
	left := []byte{'['}
	i := 0
	for item := range jsonrpc.Elements(list) {
		if _, withheld := slices.BinarySearch(d.withheld, i); !withheld {
			if len(v.kept) > 0 {
				left = append(left, ',')
			}
			left = append(left, item...)
			v.kept = append(v.kept, i)
		}
		i++
	}
	rest := *d.content
	rest.Data = jsonrpc.SetMember(d.content.Data, d.s.Catalogue, append(left, ']'))
	v.content = &rest
	d.seen = v
	return len(v.kept) > 0
}

// place returns the pointer into the whole catalogue of what a pointer into the
// view names.
func (v *view) place(catalogue, pointer string) string {
	i, rest, ok := item(catalogue, pointer)
	if !ok || i >= len(v.kept) {
		return pointer
	}
	return "/" + catalogue + "/" + strconv.Itoa(v.kept[i]) + rest
}

// whole makes a verdict on the view one on the whole catalogue. The verdict's
// own lists are left as they are: others may hold them.
func (v *view) whole(catalogue string, of *verdict.Verdict) {
	if v.kept == nil {
		return
	}
	of.Findings, of.Uninspected = slices.Clone(of.Findings), slices.Clone(of.Uninspected)
	for i := range of.Findings {
		at := &of.Findings[i].Location
		at.Pointer = v.place(catalogue, at.Pointer)
	}
	for i := range of.Uninspected {
		of.Uninspected[i].Pointer = v.place(catalogue, of.Uninspected[i].Pointer)
	}
}

// item splits the pointer of a place inside an item of a catalogue.
func item(catalogue, pointer string) (index int, rest string, ok bool) {
	after, ok := strings.CutPrefix(pointer, "/"+catalogue+"/")
	if !ok || catalogue == "" {
		return 0, "", false
	}
	token, rest := after, ""
	if end := strings.IndexByte(after, '/'); end >= 0 {
		token, rest = after[:end], after[end:]
	}
	index, err := strconv.Atoi(token)
	if err != nil || index < 0 || strconv.Itoa(index) != token {
		return 0, "", false
	}
	return index, rest, true
}

// itemsOf returns the items of a catalogue that findings name. named is false
// when they are not only about items: then they are about the whole content.
func (d *deliberation) itemsOf(findings []verdict.Finding) (items []int, named bool) {
	if d.s.Catalogue == "" {
		return nil, false
	}
	return verdict.Withheld(findings, d.s.Catalogue)
}

// withhold adds items to those that are withheld.
func (d *deliberation) withhold(items []int) {
	if len(items) == 0 {
		return
	}
	d.withheld = append(d.withheld, items...)
	slices.Sort(d.withheld)
	d.withheld = slices.Compact(d.withheld)
}

// target returns what the place of a finding belongs to: the item of a catalogue,
// by its name, else what the message is about.
func (d *deliberation) target(pointer string) string {
	if d.s.Catalogue == "" {
		return d.s.Content.Origin.Target
	}
	index, _, ok := item(d.s.Catalogue, pointer)
	if !ok {
		return ""
	}
	list, _ := jsonrpc.Member(d.content.Data, d.s.Catalogue)
	i := 0
	for element := range jsonrpc.Elements(list) {
		if i == index {
			return d.nameOf(element)
		}
		i++
	}
	return ""
}

// nameOf returns by what a definition is called: a server that adds a member of
// another kind of definition does not choose another name.
func (d *deliberation) nameOf(definition []byte) string {
	if len(definition) == 0 || definition[0] != '{' {
		return ""
	}
	member := "name"
	switch d.s.Catalogue {
	case "resources":
		member = "uri"
	case "resourceTemplates":
		member = "uriTemplate"
	default:
	}
	return jsonrpc.StringMember(definition, member)
}
