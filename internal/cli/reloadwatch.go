package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/control"
)

// lookInterval is how often the watch looks at the files' dates. A change is
// read when it has not gone on for as long: editors write in several steps.
const lookInterval = time.Second

// followFile has the relay follow its configuration file: on SIGHUP, when it
// changes, and when the person who runs the relay says so. The function that it
// returns ends that.
func (a *assembly) followFile(ctx context.Context, o *runOptions, cfg *config.Config) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	r := &reloader{
		// The path is the one that was found at the start: a file elsewhere that is
		// found first by now is another configuration.
		read: func() (*config.Config, error) { return o.read(cfg.Path) },
		adopt: func(ctx context.Context, to *config.Config) error {
			if err := a.adopt(ctx, to); err != nil {
				return err
			}
			_ = o.threshold.UnmarshalText([]byte(to.Relay.LogLevel)) // it was checked
			return nil
		},
		audit: a.audit, log: a.log, since: time.Now(), running: cfg,
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	var working sync.WaitGroup
	working.Go(func() { r.follow(ctx, hangups, func() bool { return isTerminal(o.std.in) }, filesBeside(cfg.Path)) })
	if server, err := control.Listen(runDir(), a.log); err != nil {
		a.log.Info("relay reload does not reach this relay: restart it to take another configuration over", slog.Any("error", err))
	} else {
		working.Go(func() { server.Serve(ctx, r) })
	}
	return func() {
		signal.Stop(hangups)
		cancel()
		working.Wait()
	}
}

// follow looks at the file whenever there is a reason, until ctx ends.
func (r *reloader) follow(ctx context.Context, hangups <-chan os.Signal, terminal func() bool, files []string) {
	there := terminal()
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	known := stamps(files)
	changing := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			if there && !terminal() {
				// It is not about the file: the terminal that the relay ran in is gone.
				endSelf()
				continue
			}
			r.look(ctx)
		case <-ticker.C:
			switch now := stamps(files); {
			case now == known:
				changing = ""
			case now != changing:
				changing = now
			default:
				known, changing = now, ""
				if r.watching() {
					r.look(ctx)
				}
			}
		}
	}
}

// endSelf ends the relay in the way in which a signal does.
func endSelf() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Signal(syscall.SIGTERM) // or whoever sent the first comes with another
	}
}

// filesBeside returns the files that make the configuration.
func filesBeside(path string) []string {
	return []string{path, filepath.Join(filepath.Dir(path), ".env")}
}

// stamps tells whether files may have changed: it looks at what the system says
// of them. It follows links, and does not read.
func stamps(files []string) string {
	var all strings.Builder
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			all.WriteString("-;")
			continue
		}
		fmt.Fprintf(&all, "%d %d %v;", info.Size(), info.ModTime().UnixNano(), info.Mode())
	}
	return all.String()
}
