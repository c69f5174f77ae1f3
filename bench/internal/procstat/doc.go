// Package procstat reads CPU time and memory of process trees. It knows Linux
// only; elsewhere it finds nothing and everything costs zero.
//
// Processes that made themselves non-dumpable, as relays and scanners with
// secrets do, hide the path of their program from other users than root and
// refuse to have their peak reset; their CPU time and memory stay readable.
package procstat

// Proc is one process of a tree.
type Proc struct {
	PID  int
	Exe  string   // path of the program; empty when the process hides it
	Args []string // command line
}

// Memory is in bytes.
type Memory struct {
	RSS  int64 // resident now
	Peak int64 // highest since start or since ResetPeak
}
