package sandbox

// Limits bound what one process may take. Zero: as it is. They are put on a
// running process, and on what it starts from then on.
type Limits struct {
	Data  uint64 // bytes of writable memory of its own
	Files uint64 // open descriptors
}
