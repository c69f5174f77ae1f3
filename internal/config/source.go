package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"
)

// readTrusted reads a file that decides what the relay runs. It refuses what
// is not a regular file, is too long, belongs to somebody else or may be
// written by others. The checks are made on the open file, so that what was
// checked is what is read.
func readTrusted(path string, limit int64) ([]byte, error) {
	f, err := openPlain(path)
	if err != nil {
		return nil, openError(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at it: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	if err := checkOwner(info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("it is longer than %d KiB", limit>>10)
	}
	return data, nil
}

// openError leaves out the path, which every message already begins with.
func openError(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return fmt.Errorf("open it: %w", err)
}

// untrustedError says why a file is refused and what to do about it.
type untrustedError struct{ reason, hint string }

func (e *untrustedError) Error() string { return e.reason }

func hintOf(err error) string {
	var untrusted *untrustedError
	switch {
	case errors.As(err, &untrusted):
		return untrusted.hint
	case errors.Is(err, os.ErrNotExist):
		return "check the path"
	default:
		return ""
	}
}

// parse turns the file into its tree: JSON when its name or its first
// character says so, else YAML. It returns nil after a problem.
func parse(path string, data []byte, out *notes) *node {
	data = []byte(strings.TrimPrefix(string(data), "\ufeff"))
	if bad := invalidUTF8(data); bad >= 0 {
		at := &node{}
		at.line, at.col = newLines(data).at(bad)
		out.problem(at, "save the file as UTF-8", "the file is not valid UTF-8")
		return nil
	}
	root := parseAny(path, data, out)
	switch {
	case root == nil || len(out.problems) > 0 && root.kind != objectKind:
		return nil
	case root.kind == nullKind:
		out.problem(nil, "add an mcpServers block", "the file is empty")
		return nil
	case root.kind != objectKind:
		out.problem(root, "write an object with mcpServers in it", "the file holds %s and not an object", root.kind)
		return nil
	}
	setPaths(root, "")
	return root
}

func parseAny(path string, data []byte, out *notes) *node {
	switch {
	case hasSuffix(path, ".yaml", ".yml"):
		return parseYAML(data, out)
	case hasSuffix(path, ".json", ".jsonc"):
		if strings.TrimSpace(string(BlankComments(data))) == "" {
			return &node{kind: nullKind}
		}
		return parseJSON(data, out)
	case strings.HasPrefix(strings.TrimSpace(string(BlankComments(data))), "{"):
		return parseJSON(data, out)
	default:
		return parseYAML(data, out)
	}
}

func hasSuffix(path string, suffixes ...string) bool {
	path = strings.ToLower(path)
	for _, s := range suffixes {
		if strings.HasSuffix(path, s) {
			return true
		}
	}
	return false
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
