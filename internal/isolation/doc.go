// Package isolation decides which clients share servers. Each scope (everybody,
// a principal, or a session) has a relay core of its own, with its own
// connections to the servers, its own registry and tables; nothing is shared
// between two cores. A [Pool] gives every client the core that it belongs to,
// makes cores when they are first needed, ends them when they are needed no
// more, and holds each principal to its limits.
package isolation
