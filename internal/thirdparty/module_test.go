package thirdparty

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// inherited are the modules that a scanner on the SDK is built of, beside its
// own. Libraries of the relay and of its bundled scanners are not among them.
var inherited = []string{
	"github.com/fatih/color",
	"github.com/golang/protobuf",
	"github.com/hashicorp/go-hclog",
	"github.com/hashicorp/go-plugin",
	"github.com/hashicorp/yamux",
	"github.com/mattn/go-colorable",
	"github.com/mattn/go-isatty",
	"github.com/mcp-relay/relay",
	"github.com/oklog/run",
	"golang.org/x/net",
	"golang.org/x/sys",
	"golang.org/x/text",
	"google.golang.org/genproto/googleapis/rpc",
	"google.golang.org/grpc",
	"google.golang.org/protobuf",
}

// TestModule makes a scanner where nobody of the relay is: in a module of its
// own, outside of this tree. It is built and tested without the network.
func TestModule(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a module and the relay")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "words")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "words"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod": "module words.example\n\ngo 1.26.0\n\nrequire github.com/mcp-relay/relay v0.0.0\n\n" +
			"replace github.com/mcp-relay/relay => " + root + "\n",
		"go.sum": readFile(t, filepath.Join(root, "go.sum")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inModule := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	for from := range strings.FieldsSeq(inModule("list", "-f", `{{join .Imports "\n"}}`, ".")) {
		if strings.HasPrefix(from, "github.com/mcp-relay/relay/internal/") {
			t.Errorf("it imports %s", from)
		}
	}
	scanner := filepath.Join(dir, "words")
	inModule("build", "-o", scanner, ".")
	inModule("vet", ".")
	inModule("test", ".")
	inModule("mod", "tidy")

	of := regexp.MustCompile(`(?m)^\tdep\t(\S+)`)
	for _, dep := range of.FindAllStringSubmatch(inModule("version", "-m", scanner), -1) {
		if !slices.Contains(inherited, dep[1]) {
			t.Errorf("the program holds %s", dep[1])
		}
	}
	required := regexp.MustCompile(`(?m)^\s*(?:require )?([a-z]\S*\.\S*/\S+) v`)
	found := required.FindAllStringSubmatch(readFile(t, filepath.Join(dir, "go.mod")), -1)
	if len(found) < 5 {
		t.Errorf("go.mod requires %v only", found)
	}
	for _, module := range found {
		if !slices.Contains(inherited, module[1]) {
			t.Errorf("its go.mod requires %s", module[1])
		}
	}
	relay := buildRelay(t)
	blocks(t, relay, installed(t, relay, scanner, "--version", "1.0.0"))
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
