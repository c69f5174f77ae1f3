package downstream

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

const childVariable = "RELAY_TEST_CHILD"

// answers are what a child says to a request, by the request's method. %s is
// the id.
var answers = map[string]string{
	"odd bytes":       `{ "extra":1, "result" : {"n":9007199254740993, "f":1.0,  "s":"\u003c<"},"id": %[1]s , "jsonrpc":"2.0"}`,
	"error":           `{"jsonrpc":"2.0","id":%[1]s,"error":{"code":-32050,"message":"m","data":{"x":1.0}}}`,
	"null":            `{"jsonrpc":"2.0","id":%[1]s,"result":null}`,
	"twice":           `{"jsonrpc":"2.0","id":%[1]s,"result":1}` + "\n" + `{"jsonrpc":"2.0","id":%[1]s,"result":2}`,
	"id as string":    `{"jsonrpc":"2.0","id":"%[1]s","result":1}`,
	"id as float":     `{"jsonrpc":"2.0","id":%[1]s.0,"result":1}`,
	"id of the next":  `{"jsonrpc":"2.0","id":%[1]s1,"result":1}`,
	"negative id":     `{"jsonrpc":"2.0","id":-%[1]s,"result":1}`,
	"no id":           `{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}`,
	"garbage":         "hello\n{\n\x00\xff\n\n  \n[]]\n" + `{"jsonrpc":"2.0","id":%[1]s,"result":"ok"}`,
	"duplicate":       `{"jsonrpc":"2.0","id":%[1]s,"result":{"a":1,"a":2}}`,
	"escaped twin":    `{"jsonrpc":"2.0","id":%[1]s,"result":{"a":1,"\u0061":2}}`,
	"two results":     `{"jsonrpc":"2.0","id":%[1]s,"result":1,"result":2}`,
	"case variant":    `{"jsonrpc":"2.0","id":%[1]s,"result":{},"Result":{"evil":1}}`,
	"folded variant":  `{"jsonrpc":"2.0","id":%[1]s,"result":{"i\u017ferror":true}}`,
	"bad utf-8":       `{"jsonrpc":"2.0","id":%[1]s,"result":"` + "\xff" + `"}`,
	"deep":            `{"jsonrpc":"2.0","id":%[1]s,"result":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`,
	"result and more": `{"jsonrpc":"2.0","id":%[1]s,"result":1,"error":{"code":1,"message":"m"}}`,
	"batch":           `[{"jsonrpc":"2.0","id":%[1]s,"result":1}]` + "\n" + `{"jsonrpc":"2.0","id":%[1]s,"result":"ok"}`,
	"bad request":     `{"jsonrpc":"2.0","id":%[1]s,"method":"x","params":{"a":1,"a":2}}` + "\n" + `{"jsonrpc":"2.0","id":%[1]s,"result":"ok"}`,
	"talk": `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}` + "\n" +
		`{"jsonrpc":"2.0","id":%[1]s,"method":"ping"}` + "\n" + `{"jsonrpc":"2.0","id":%[1]s,"result":"ok"}`,
	"early": `{"jsonrpc":"2.0","id":999,"result":1}` + "\n" + `{"jsonrpc":"2.0","id":%[1]s,"result":"ok"}`,
}

// runChild is a server on standard streams. The behaviour is a word and may
// have an argument.
func runChild(behaviour string) {
	switch behaviour {
	case "deaf":
		time.Sleep(time.Hour)
	case "mute": // closes its output and goes on
		_ = os.Stdout.Close()
		time.Sleep(time.Hour)
	case "parent": // leaves a child behind that holds its output
		child := exec.Command("sleep", "3600")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(9)
		}
		fmt.Fprintln(os.Stderr, child.Process.Pid)
	case "library":
		runLibrary()
	case "noisy":
		for n := range 20000 {
			fmt.Fprintf(os.Stderr, "line %d \x1b[31m\u202e%s\r\n", n, strings.Repeat("x", 100))
		}
		fmt.Fprint(os.Stderr, strings.Repeat("y", 100_000), "\nthe last words \u009b")
		serveChild()
	default:
		serveChild()
	}
}

func serveChild() {
	in := bufio.NewReader(os.Stdin)
	lines := 0
	var held []string
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		lines++
		m, err := jsonrpc.Parse(line[:len(line)-1], nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bad line:", err)
			os.Exit(8)
		}
		id := m.ID.Raw()
		switch m.Method {
		case "exit":
			fmt.Fprint(os.Stderr, strings.Repeat("x", 1<<15), "\nno licence\n")
			os.Exit(7)
		case "silence", "notifications/x", "":
		case "huge":
			out := bufio.NewWriter(os.Stdout)
			fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":"`, id)
			for range 100 << 10 {
				_, _ = out.WriteString(strings.Repeat("x", 1<<10))
			}
			_, _ = out.WriteString("\"}\n")
			_ = out.Flush()
		case "hold": // answers all that it holds in reverse at "release"
			held = append(held, id)
		case "release":
			for _, old := range slices.Backward(held) {
				fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":"%s"}`+"\n", old, old)
			}
			held = nil
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":null}`+"\n", id)
		case "lines":
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":%d}`+"\n", id, lines)
		case "echo":
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", id, m.Params)
		case "environment":
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", id, jsonrpc.AppendString(nil, strings.Join(os.Environ(), "\n")))
		default:
			fmt.Printf(answers[m.Method]+"\n", id)
		}
	}
}
