package conformance

import (
	"time"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/handshake"
)

// Options tell the checks more about the scanner. The zero value is usable.
type Options struct {
	// Config is a configuration that the scanner accepts. Empty: {}. Where the
	// scanner refuses that, checks that need a configured scanner are skipped.
	Config string
	// BadConfig is a configuration that the scanner refuses, and BadPointers are
	// the JSON Pointers of all problems that it must report. Empty: two unknown
	// members, and at least one problem.
	BadConfig   string
	BadPointers []string
	// Contents are further contents to judge, such as those that the scanner finds
	// something in. Without any finding, what is said about findings cannot be
	// checked.
	Contents []scanner.Content
	// Crash is a content that makes the scanner fail, where there is one: an
	// exception that nobody foresaw. It must cost this one scan and nothing else.
	Crash *scanner.Content
	// Env are further variables of a program's environment, as NAME=value.
	Env []string
	// Around calls start, in a place that confines what it starts, such as a
	// thread with fewer rights. Dir is the one directory that the process owns.
	// Nil: programs are not confined.
	Around func(dir string, start func()) error
	// Started is called with the id of each process, which leads a process group
	// of that id, as soon as it runs, and what it returns is called when the
	// process and its group were ended. The calls come from one goroutine at a
	// time. It is for callers that may be killed in between and have somebody who
	// then ends what they leave. Nil: nobody is told.
	Started func(pid int) (ended func())

	// sizes are smaller in the tests of the checks.
	sizes sizes
}

// sizes bound what the checks send.
type sizes struct {
	large  int           // bytes of a large content
	many   int           // how many of them in a row
	growth int           // bytes by which memory may grow meanwhile
	rest   time.Duration // until nothing may go on any more
	start  time.Duration // until there is a handshake
	leave  time.Duration // until it has ended
	omit   []string      // checks that are left out
}

func (o *Options) withDefaults() *Options {
	full := *o
	o = &full
	if o.Config == "" {
		o.Config = "{}"
	}
	if o.BadConfig == "" {
		o.BadConfig = `{"no such member":1,"nor this one":2}`
	}
	if o.sizes.large == 0 {
		o.sizes = sizes{
			large: handshake.MaxContent, many: 64, growth: 128 << 20,
			rest: time.Second, start: startTimeout, leave: 5 * time.Second,
		}
	}
	return o
}
