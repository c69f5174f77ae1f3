package jsonrpc

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// messages are requests of about these sizes: one long string of text as tool
// results have, and the same amount of small members.
func benchMessages() map[string][]byte {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog, then rests.\\n", 1<<15)
	wide := strings.Repeat("Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. ", 1<<15)
	args := new(strings.Builder)
	for i := range 20000 {
		fmt.Fprintf(args, `{"name":"item-%d","value":%d,"ok":true,"tags":["a","b"]},`, i, i)
	}
	frame := func(param string) []byte {
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1234,"method":"tools/call","params":{"name":"files__read","arguments":{%s}}}`, param)
	}
	out := map[string][]byte{}
	for name, size := range map[string]int{"200B": 100, "2KB": 1950, "1MB": 1 << 20} {
		out["text/"+name] = frame(`"text":"` + text[:size/58*58] + `"`)
		out["wide/"+name] = frame(`"text":"` + strings.ToValidUTF8(wide[:size], "") + `"`)
		items := args.String()[:max(size, 150)]
		out["items/"+name] = frame(`"items":[` + items[:strings.LastIndex(items, "},")+1] + `]`)
	}
	return out
}

func BenchmarkParse(b *testing.B) {
	messages := benchMessages()
	for _, kind := range []string{"text", "wide", "items"} {
		for _, size := range []string{"200B", "2KB", "1MB"} {
			frame := messages[kind+"/"+size]
			b.Run(kind+"/"+size, func(b *testing.B) {
				b.SetBytes(int64(len(frame)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := Parse(frame, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkWriteReadPipe(b *testing.B) {
	messages := benchMessages()
	for _, size := range []string{"200B", "2KB", "1MB"} {
		frame := messages["text/"+size]
		b.Run(size, func(b *testing.B) {
			r, w, err := os.Pipe()
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			defer func() { _ = w.Close() }()
			writer := NewWriter(w, WriterOptions{Limit: 1 << 22})
			reader := NewReader(r, 1<<22)
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				if err := writer.Write(frame); err != nil {
					b.Fatal(err)
				}
				if _, err := reader.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWriteDiscard(b *testing.B) {
	frame := benchMessages()["text/200B"]
	w := NewWriter(io.Discard, WriterOptions{Limit: 1 << 20})
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(frame); err != nil {
			b.Fatal(err)
		}
	}
}
