package verdictcache

import (
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/statefile"
	"github.com/mcp-relay/relay/internal/verdict"
)

// Bounds of the directory.
const (
	maxPaper   = 512 << 10 // bytes of one file
	maxPapers  = 2000      // files
	maxBytes   = 64 << 20  // of all files
	tidyEvery  = 100       // files written between two looks at the bounds
	maxWaiting = 64        // verdicts that wait to be written; more are not
)

// disk keeps verdicts in files. Reading is done by who asks, writing by a
// goroutine of its own. It is safe for concurrent use.
type disk struct {
	path   string
	ttl    time.Duration
	secret func() []byte // nil: none, and then nothing is kept
	log    *slog.Logger

	work chan job
	done chan struct{}

	mu     sync.Mutex
	closed bool
	began  bool
}

type job struct {
	key     Sum
	verdict verdict.Verdict
	made    time.Time
}

func openDisk(o Options) *disk {
	d := &disk{path: o.Dir, ttl: o.TTL, log: o.Logger, work: make(chan job, maxWaiting), done: make(chan struct{})}
	d.secret = sync.OnceValue(func() []byte {
		secret, err := findSecret(o.Dir, o.Keychain)
		if err != nil {
			d.log.Warn("verdicts on definitions are not kept on disk", slog.Any("error", err))
			return nil
		}
		return secret
	})
	return d
}

// get returns the verdict in a file. A file that is no good is removed.
func (d *disk) get(key Sum, c *verdict.Content) (v verdict.Verdict, expires time.Time, ok bool) {
	dir, err := statefile.Open(d.path)
	if err != nil {
		return v, expires, false // there is none yet
	}
	defer dir.Close()
	secret := d.secret()
	if secret == nil {
		return v, expires, false
	}
	file := name(secret, key)
	text, _, err := dir.Read(file, maxPaper)
	if errors.Is(err, fs.ErrNotExist) {
		return v, expires, false
	}
	var p *paper
	if err == nil {
		p, err = unseal(secret, key, text, d.ttl, c)
	}
	if err != nil {
		_ = dir.Remove(file) // what stays is no good the next time either
		return v, expires, false
	}
	return p.Verdict, p.Made.Add(d.ttl), true
}

// put has a verdict written soon. While too many wait, it is not kept.
func (d *disk) put(key Sum, v verdict.Verdict, made time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if !d.began {
		d.began = true
		go d.write()
	}
	select {
	case d.work <- job{key, v, made}:
	default:
	}
}

func (d *disk) close() {
	d.mu.Lock()
	wait := d.began && !d.closed
	d.closed = true
	close(d.work)
	d.mu.Unlock()
	if wait {
		<-d.done
	}
}

func (d *disk) write() {
	defer close(d.done)
	written := 0
	for j := range d.work {
		if err := d.keep(&j, written%tidyEvery == 0); err != nil {
			d.log.Debug("a verdict was not kept on disk", slog.Any("error", err))
			continue
		}
		written++
	}
}

// keep writes one file, after a look at the bounds when it is time for one.
func (d *disk) keep(j *job, look bool) error {
	dir, err := statefile.Create(d.path)
	if err != nil {
		return err //nolint:wrapcheck // it says what was attempted
	}
	defer dir.Close()
	secret := d.secret()
	if secret == nil {
		return nil
	}
	if look {
		tidy(dir, d.ttl)
	}
	text, err := seal(secret, j.key, &paper{Made: j.made, Verdict: j.verdict})
	if err != nil || len(text) > maxPaper {
		return err
	}
	return dir.Write(name(secret, j.key), text) //nolint:wrapcheck // as above
}

// tidy removes what is too old, and the oldest where there is too much.
func tidy(dir *statefile.Dir, ttl time.Duration) {
	type file struct {
		name string
		size int64
		when time.Time
	}
	names, err := dir.Names()
	if err != nil {
		return // the next look will do
	}
	var files []file
	for _, n := range names {
		if n == secretFile || n == statefile.KeyLock(secretFile) {
			continue
		}
		if info, err := dir.Stat(n); err == nil && info.Mode().IsRegular() {
			files = append(files, file{n, info.Size(), info.ModTime()})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return b.when.Compare(a.when) }) // newest first
	total := int64(0)
	for i, f := range files {
		total += f.size
		if i >= maxPapers-tidyEvery || total > maxBytes || time.Since(f.when) > ttl {
			_ = dir.Remove(f.name) // as above
		}
	}
}
