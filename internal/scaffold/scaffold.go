package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

//go:embed templates
var templates embed.FS

// Scanner is what is to be written.
type Scanner struct {
	Name    string // of the scanner and its program; see CheckName
	Module  string // path of its Go module
	Version string // of the relay's module that it requires; empty: left to go mod tidy
	Relay   string // a directory with the relay's sources to build against; empty: none
}

// maxName bounds a name in bytes. A scanner may have a longer one.
const maxName = 64

// CheckName refuses a name that cannot be a scanner's, a file's and the end of a
// module's path.
func CheckName(name string) error {
	const good = "abcdefghijklmnopqrstuvwxyz0123456789-"
	switch {
	case name == "" || len(name) > maxName || strings.Trim(name, good) != "":
		return fmt.Errorf("the name %.80q must be 1 to %d of a-z, 0-9 and '-'", name, maxName)
	case name[0] < 'a' || strings.HasSuffix(name, "-"):
		return fmt.Errorf("the name %q must begin with a letter and not end with '-'", name)
	}
	if slices.Contains([]string{"guard", "noop", "panscanner", "relay"}, name) {
		return fmt.Errorf("the name %q is one of the relay's own: choose another", name)
	}
	return nil
}

// CheckModule refuses what cannot be the path of a module.
func CheckModule(module string) error {
	const good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/"
	if module == "" || len(module) > 200 || strings.Trim(module, good) != "" ||
		path.Clean(module) != module || strings.HasPrefix(module, "/") || strings.HasPrefix(module, ".") {
		return fmt.Errorf("%.80q is not the path of a Go module: write something like example.com/my-scanner", module)
	}
	return nil
}

// Write makes the directory, which must not exist yet or be empty, and returns
// the names of the files in it. It overwrites nothing.
func (s *Scanner) Write(dir string) ([]string, error) {
	if err := errors.Join(CheckName(s.Name), CheckModule(s.Module)); err != nil {
		return nil, err
	}
	files, err := s.render()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the directory: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look into the directory: %w", err)
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("the directory %s is not empty: name another with --dir", dir)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.name)
		out, err := os.OpenFile(filepath.Join(dir, f.name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // sources
		if err != nil {
			return nil, fmt.Errorf("make a file: %w", err)
		}
		_, err = out.Write(f.text)
		if err := errors.Join(err, out.Close()); err != nil {
			return nil, fmt.Errorf("write a file: %w", err)
		}
	}
	return names, nil
}

type file struct {
	name string
	text []byte
}

func (s *Scanner) render() ([]file, error) {
	entries, err := fs.ReadDir(templates, "templates")
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", err)
	}
	var out []file
	for _, entry := range entries {
		t, err := template.New(entry.Name()).Delims("<<", ">>").ParseFS(templates, "templates/"+entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read a template: %w", err)
		}
		var b bytes.Buffer
		if err := t.Execute(&b, s); err != nil {
			return nil, fmt.Errorf("fill in a template: %w", err)
		}
		name := strings.TrimSuffix(entry.Name(), ".tmpl")
		if name == "gitignore" { // embedding leaves out names that begin with a dot
			name = ".gitignore"
		}
		out = append(out, file{name: name, text: b.Bytes()})
	}
	return out, nil
}
