package guard

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// compactWriter writes values of Go in few bytes, one behind the other, without
// their names: only who knows the type can read them. Strings are written once,
// into a table that all values share. Members of structures that are not
// exported are left out.
type compactWriter struct {
	data []byte
	*stringTable
}

// stringTable numbers strings.
type stringTable struct {
	ids     map[string]int
	strings []string
}

func newCompactWriter(t *stringTable) *compactWriter { return &compactWriter{stringTable: t} }

func newStringTable() *stringTable { return &stringTable{ids: map[string]int{}} }

func (w *compactWriter) number(n uint64) { w.data = binary.AppendUvarint(w.data, n) }

func (w *compactWriter) size(n int) { w.number(uint64(n)) } //nolint:gosec // lengths are not negative

func (w *compactWriter) text(s string) {
	id, ok := w.ids[s]
	if !ok {
		id = len(w.strings)
		w.ids[s] = id
		w.strings = append(w.strings, s)
	}
	w.size(id)
}

// texts writes the strings of a table: first how long each is.
func (w *compactWriter) texts(t *stringTable) {
	w.size(len(t.strings))
	for _, s := range t.strings {
		w.size(len(s))
	}
	for _, s := range t.strings {
		w.data = append(w.data, s...)
	}
}

// value writes v. It returns an error for kinds that rules have none of.
func (w *compactWriter) value(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Bool:
		n := uint64(0)
		if v.Bool() {
			n = 1
		}
		w.number(n)
	case reflect.Int:
		w.data = binary.AppendVarint(w.data, v.Int())
	case reflect.Float64:
		w.number(math.Float64bits(v.Float()))
	case reflect.String:
		w.text(v.String())
	case reflect.Slice:
		w.size(v.Len())
		for i := range v.Len() {
			if err := w.value(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		w.size(v.Len())
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			w.text(k.String())
			if err := w.value(v.MapIndex(k)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue
			}
			if err := w.value(v.Field(i)); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("%v: %w", v.Type(), errKind)
	}
	return nil
}

// compactReader reads what a compactWriter wrote. Its strings are parts of data.
// Behind the end it reads zeros and is broken.
type compactReader struct {
	data    string
	at      int
	broken  bool
	strings []string
}

func (r *compactReader) number() uint64 {
	var n uint64
	for shift := 0; r.at < len(r.data) && shift < 64; shift += 7 {
		c := r.data[r.at]
		r.at++
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	r.broken = true
	return 0
}

// size reads a length, of which every unit takes a byte or more.
func (r *compactReader) size() int {
	n := r.number()
	if n > uint64(len(r.data)) {
		r.broken = true
		return 0
	}
	return int(n) //nolint:gosec // checked above
}

func (r *compactReader) text() string {
	id := r.size()
	if id >= len(r.strings) {
		r.broken = true
		return ""
	}
	return r.strings[id]
}

// bytes reads n bytes.
func (r *compactReader) bytes(n int) string {
	if n > len(r.data)-r.at {
		r.broken = true
		return ""
	}
	r.at += n
	return r.data[r.at-n : r.at]
}

// texts reads what texts of a compactWriter wrote.
func (r *compactReader) texts() []string {
	lengths := make([]int, r.size())
	for i := range lengths {
		lengths[i] = r.size()
	}
	list := make([]string, len(lengths))
	for i, n := range lengths {
		list[i] = r.bytes(n)
	}
	return list
}

// value reads into v, which has the type of what was written. Lists and maps
// that are empty are nil.
func (r *compactReader) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.number() == 1)
	case reflect.Int:
		n := r.number()
		i := int64(n >> 1)
		if n&1 != 0 {
			i = ^i
		}
		v.SetInt(i)
	case reflect.Float64:
		v.SetFloat(math.Float64frombits(r.number()))
	case reflect.String:
		v.SetString(r.text())
	case reflect.Slice:
		if n := r.size(); n > 0 && !r.broken {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				r.value(v.Index(i))
			}
		}
	case reflect.Map:
		if n := r.size(); n > 0 && !r.broken {
			v.Set(reflect.MakeMapWithSize(v.Type(), n))
			for range n {
				key := reflect.New(v.Type().Key()).Elem()
				key.SetString(r.text())
				value := reflect.New(v.Type().Elem()).Elem()
				r.value(value)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Struct:
		for _, f := range v.Fields() {
			if f.CanSet() {
				r.value(f)
			}
		}
	default:
		r.broken = true
	}
}

// shape describes what a value of a type is written as: two types of one shape
// can read each other's values.
func shape(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "[]" + shape(t.Elem())
	case reflect.Map:
		return "map " + shape(t.Elem())
	case reflect.Struct:
		var b strings.Builder
		b.WriteByte('{')
		for f := range t.Fields() {
			if f.IsExported() {
				b.WriteString(f.Name + " " + shape(f.Type) + ";")
			}
		}
		b.WriteByte('}')
		return b.String()
	default:
		return t.Kind().String()
	}
}
