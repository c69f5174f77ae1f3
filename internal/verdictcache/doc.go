// Package verdictcache keeps verdicts of scanners whose verdict on the same
// content is always the same, and gives them again without asking.
//
// A [Scanner] stands around another one. A verdict counts again only where
// everything that it may depend on is the same, see parts: the relay, the
// scanner's program and configuration with the files that this names, where the
// content comes from and goes to, whose it is, the request that it answers, and
// the content. Left out are only the relay's ids of the session and of the
// exchange. What other servers offer is part of it for a scanner that says that it
// uses that; others are not shown it.
//
// Only verdicts are kept, blocks too, never failures; who asks applies policy
// and redactions anew each time. A [Store] holds them in memory, for a time and
// within a number of bytes: when these are used up, the server that uses most
// loses its oldest ones, so that no server takes the place of others. Those on
// definitions may be kept in files as well, so that the next start of the relay
// asks for none of them. A file carries a code made with a key of this
// installation, over its name too: one that was altered, copied or is too old is
// removed and the scanner asked.
package verdictcache
