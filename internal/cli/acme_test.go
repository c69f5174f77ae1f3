package cli

import (
	"context"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcp-relay/relay/scanner"
)

// acmeScanner is somebody else's scanner: the test binary under another name.
type acmeScanner struct{}

func (acmeScanner) Describe() scanner.Info {
	return scanner.Info{Name: "acme-scanner", Version: "1.0.0", SelfContained: true}
}

func (acmeScanner) Scan(context.Context, scanner.Content) (scanner.Verdict, error) {
	return scanner.Allow(), nil
}

// scannerProgram makes the program of that scanner; under the name other, it is
// another program.
func scannerProgram(ts *testscript.TestScript, _ bool, args []string) {
	own, err := os.Executable()
	ts.Check(err)
	text, err := os.ReadFile(own)
	ts.Check(err)
	path := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(path, append(text, filepath.Base(path)...), 0o755))
}

// alter changes a file that is not to be changed.
func alter(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	ts.Check(os.Chmod(path, 0o700))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	ts.Check(err)
	_, err = f.WriteString("!")
	ts.Check(err)
	ts.Check(f.Close())
	ts.Check(os.Chmod(path, 0o500))
}
