// Package principal knows who a client of the HTTP front is: whoever holds a
// named token. The name is the principal; it goes into limits, isolation and
// the audit record. What a client says of itself never does.
//
// Tokens come from two places. The configuration may give some; they live in
// memory only. The others are made here, 256 random bits each, and are known
// by their hashes in the file tokens.json of the relay's state directory. The
// one token that is made when the relay first serves HTTP is also kept in the
// clear, in the file token beside it, so that the snippet for a client's
// configuration can be shown again.
//
// The files are readable by their owner alone, in a directory that nobody else
// may write to, and are refused otherwise (not on Windows, where mode bits say
// nothing; the directory there belongs to the user by the system's defaults).
// Several processes may use one directory: a change is one rename, made under
// a lock, and a running relay sees it within a second.
package principal
