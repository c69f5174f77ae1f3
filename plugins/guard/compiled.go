package guard

import (
	"crypto/sha256"
	_ "embed"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// compiledData is what the embedded files say and how their expressions are
// taken apart, in a form that is read in a small part of the time: made by
// `go generate ./plugins/guard`, and only that. It is no second truth: what is
// in it is used only where it was made from the very bytes of a file, and for
// the very expression.
//
//go:embed compiled.bin
var compiledData string

// compiledFormat begins the file.
const compiledFormat = "guard rules 1\n"

var errKind = errors.New("a kind of value that rules cannot have")

// compiled is the table of contents of compiledData.
type compiled struct {
	strings []string
	values  string
	files   map[string]compiledFile
	plans   map[string]int // planKey -> place in values
}

// compiledFile is one embedded file.
type compiledFile struct {
	digest string // of its bytes
	shape  string // of what it was read into
	at     int    // place in values
}

// branch is one of the expressions that a pattern is searched for as.
type branch struct {
	Expression    string
	Clauses, Weak []branchClause
	Total         int
	OneLine       bool
}

// branchClause is a clause.
type branchClause struct {
	Strings                   []string
	Order, High, Low, Longest int
}

// loadCompiled reads the table of contents, once per process.
var loadCompiled = sync.OnceValue(func() *compiled { return readCompiled(compiledData) })

// readCompiled returns an empty table for data that it cannot read.
func readCompiled(data string) *compiled {
	body, ok := strings.CutPrefix(data, compiledFormat)
	if !ok {
		return &compiled{}
	}
	r := compactReader{data: body}
	r.strings = r.texts()
	c := &compiled{strings: r.strings}
	n := r.size()
	c.files = make(map[string]compiledFile, n)
	for range n {
		name := r.text()
		c.files[name] = compiledFile{digest: r.text(), shape: r.text(), at: r.size()}
	}
	n = r.size()
	c.plans = make(map[string]int, n)
	for range n {
		key := r.text()
		c.plans[key] = r.size()
	}
	if r.broken {
		return &compiled{}
	}
	c.values = body[r.at:]
	return c
}

// read reads what is compiled at a place into a value.
func (c *compiled) read(at int, into any) bool {
	r := compactReader{data: c.values, at: at, strings: c.strings}
	v := reflect.ValueOf(into).Elem()
	r.value(v)
	if r.broken {
		v.SetZero()
	}
	return !r.broken
}

// file reads the embedded file of that name, which has these bytes. It reports
// false when it was not compiled so.
func (c *compiled) file(name string, data []byte, into any) bool {
	f, ok := c.files[name]
	return ok && f.digest == digest(data) && f.shape == shapeDigest(into) && c.read(f.at, into)
}

// branches returns what a pattern is searched for as, nil when it was not
// compiled.
func (c *compiled) branches(key string) []branch {
	at, ok := c.plans[key]
	var list []branch
	if !ok || !c.read(at, &list) {
		return nil
	}
	return list
}

// planKey names all that decides how a pattern is taken apart.
func planKey(pattern string, keywords []string, whole bool, repeat int) string {
	var b strings.Builder
	b.WriteString(pattern)
	for _, k := range keywords {
		b.WriteByte(0)
		b.WriteString(k)
	}
	b.WriteByte(1)
	b.WriteString(strconv.FormatBool(whole))
	b.WriteString(strconv.Itoa(repeat))
	return b.String()
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return string(sum[:16])
}

func shapeDigest(into any) string {
	return digest([]byte(shape(reflect.TypeOf(into).Elem())))
}
