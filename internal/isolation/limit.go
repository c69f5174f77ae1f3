package isolation

// Limits bound what there is at a time. Zero means no limit.
type Limits struct {
	// Sessions of clients.
	Sessions int
	// Streams are requests without a session.
	Streams int
	// Children are connections to servers, where they are not shared: those of
	// cores that are being closed count until they are gone. A first core is
	// allowed however many servers are configured.
	Children int
}

// account counts what a principal has, or all of them together.
type account struct {
	limits                      Limits
	sessions, streams, children int
}

// room reports whether there is room for a client.
func (a *account) room(stateless bool) bool {
	if stateless {
		return below(a.streams, a.limits.Streams)
	}
	return below(a.sessions, a.limits.Sessions)
}

// count adds n clients.
func (a *account) count(stateless bool, n int) {
	if stateless {
		a.streams += n
	} else {
		a.sessions += n
	}
}

// nurture adds the children of a core, if there is room for them.
func (a *account) nurture(children int) bool {
	if a.children > 0 && !below(a.children+children-1, a.limits.Children) {
		return false
	}
	a.children += children
	return true
}

func below(n, limit int) bool { return limit == 0 || n < limit }
