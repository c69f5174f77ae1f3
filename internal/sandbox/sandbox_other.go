//go:build !linux

package sandbox

// Confinement does not exist on this system.
type Confinement struct{}

// Prepare fails: this system cannot confine programs.
func (Closed) Prepare() (*Confinement, error) { return nil, ErrUnavailable }

// Prepare fails: this system cannot confine programs.
func (Open) Prepare() (*Confinement, error) { return nil, ErrUnavailable }

// Gaps returns nothing.
func (*Confinement) Gaps() []Gap { return nil }

// Run calls f.
func (*Confinement) Run(f func()) error { f(); return nil }

// Close does nothing.
func (*Confinement) Close() {}

// Available reports whether this system can confine programs.
func Available() bool { return false }

// Limit does nothing.
func Limit(int, Limits) error { return nil }

// NetworkFiles returns nothing.
func NetworkFiles() []string { return nil }

// OpenAvailable reports whether this system can hide files from programs.
func OpenAvailable() bool { return false }
