package verdictcache

import (
	"crypto/sha256"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Files is a scanner's configuration with the files that it names by absolute
// paths: rules, word lists. It is safe for concurrent use. What is in directories
// that it names, and what those files name, is not seen.
type Files struct {
	text  Sum
	paths []string

	mu     sync.Mutex
	stamps []stamp
	sum    Sum
	looked time.Time
}

type stamp struct {
	size int64
	when time.Time
	mode fs.FileMode
}

const (
	// lookEvery is how often it is looked whether a file changed.
	lookEvery = time.Second
	// maxRules bounds what is read of one file; of longer ones, size and time
	// have to do.
	maxRules = 16 << 20
	maxPaths = 64
)

// NewFiles returns what a scanner is told: its configuration, one JSON value or
// nothing, and its arguments.
func NewFiles(config json.RawMessage, args []string) *Files {
	w := writer{}
	w.text(string(config))
	for _, a := range args {
		w.text(a)
	}
	f := &Files{text: w.sum()}
	var value any
	if json.Unmarshal(config, &value) == nil {
		f.find(value)
	}
	for _, a := range args {
		f.find(a)
	}
	slices.Sort(f.paths)
	f.paths = slices.Compact(f.paths)
	f.paths = f.paths[:min(len(f.paths), maxPaths)]
	return f
}

// find gathers what may be the path of a file.
func (f *Files) find(value any) {
	switch v := value.(type) {
	case string:
		if filepath.IsAbs(v) {
			f.paths = append(f.paths, filepath.Clean(v))
		}
	case []any:
		for _, e := range v {
			f.find(e)
		}
	case map[string]any:
		for _, e := range v {
			f.find(e)
		}
	default:
	}
}

// Sum returns the sum of it all, as of the last second.
func (f *Files) Sum() Sum {
	if len(f.paths) == 0 {
		return f.text
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if !f.looked.IsZero() && now.Sub(f.looked) < lookEvery {
		return f.sum
	}
	f.looked = now
	stamps := make([]stamp, len(f.paths))
	for i, path := range f.paths {
		stamps[i] = stampOf(path)
	}
	if f.stamps == nil || !slices.Equal(stamps, f.stamps) {
		f.stamps = stamps
		f.sum = f.read()
	}
	return f.sum
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.Size(), info.ModTime(), info.Mode()}
}

// read sums the contents.
func (f *Files) read() Sum {
	w := writer{}
	w.buf = append(w.buf, f.text[:]...)
	for i, path := range f.paths {
		w.text(path)
		s := &f.stamps[i]
		w.text(s.when.UTC().Format(time.RFC3339Nano))
		w.text(s.mode.String())
		if s.mode.IsRegular() && s.size <= maxRules {
			content := contentOf(path)
			w.buf = append(w.buf, content[:]...)
		}
	}
	return w.sum()
}

func contentOf(path string) (sum Sum) {
	file, err := os.Open(path)
	if err != nil {
		return sum
	}
	defer func() { _ = file.Close() }() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(file, maxRules)); err != nil {
		return sum
	}
	h.Sum(sum[:0])
	return sum
}
