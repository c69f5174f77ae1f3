package audit

import (
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/mcp-relay/relay/internal/statefile"
)

// OnError says what becomes of a message whose record cannot be written.
type OnError string

// The choices. The zero value is Block.
const (
	// Allow lets the message pass and says loudly that a record was lost.
	Allow OnError = "allow"
	// Block makes Write fail, so that the gate blocks.
	Block OnError = "block"
)

// FileName is the name of the log where the configuration does not say.
const FileName = "audit.jsonl"

// Stderr as Options.Path writes records to Options.Stderr.
const Stderr = "-"

// Options says where records go.
type Options struct {
	Path       string // a file, or Stderr; empty: [FileName] in the relay's state directory
	State      string // the relay's state directory; empty: [statefile.Home]
	MaxSizeMB  int    // size in MiB from which the file is rotated; 0: 100
	MaxBackups int    // rotated files that are kept; 0: 5, less: all
	OnError    OnError
	Version    string // of the relay, for the first record
	Logger     *slog.Logger
	Stderr     io.Writer // used for Path Stderr only

	maxBytes int64 // instead of MaxSizeMB, in tests
}

// Defaults of Options.
const (
	defaultMaxSizeMB  = 100
	defaultMaxBackups = 5
)

// Open opens the log. It creates the file (0600) and missing directories
// (0700) and leaves the permissions of existing ones as they are. Several
// processes may write to one file. Close the log when done.
//
// Lines in a file are chained with the key of this installation, which is made
// when there is none. Without a state directory for it the lines are not
// chained, and a warning says so.
func Open(o Options) (*Log, error) {
	switch o.OnError {
	case "":
		o.OnError = Block
	case Allow, Block:
	default:
		return nil, fmt.Errorf("audit on_error is %q: use allow or block", o.OnError)
	}
	l := &Log{onError: o.OnError, logger: o.Logger, path: o.Path}
	if o.Path == Stderr {
		l.out = o.Stderr
		return l, nil
	}
	path, err := PathOf(o.Path)
	if err != nil {
		return nil, err
	}
	l.path = path
	if o.MaxSizeMB <= 0 {
		o.MaxSizeMB = defaultMaxSizeMB
	}
	if o.MaxBackups == 0 {
		o.MaxBackups = defaultMaxBackups
	}
	if o.maxBytes == 0 {
		o.maxBytes = int64(o.MaxSizeMB) << 20
	}
	f, err := openFile(l.path, o.maxBytes, o.MaxBackups)
	if err != nil {
		return nil, fmt.Errorf("opening the audit log: %w", err)
	}
	l.out, l.file = f, f
	if err := l.begin(o.State, o.Version); err != nil {
		_ = f.close()
		return nil, err
	}
	return l, nil
}

// PathOf returns where the record is that a configuration gives this path.
func PathOf(path string) (string, error) {
	if path == "" {
		home, err := statefile.Home()
		if err != nil {
			return "", fmt.Errorf("%w, or the path of the audit log in the configuration", err)
		}
		return filepath.Join(home, FileName), nil
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("finding the audit log: %w", err)
	}
	return path, nil
}
