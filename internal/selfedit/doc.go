// Package selfedit keeps requests away from the files that decide what the relay
// does: an agent that was talked into it could otherwise change its own guard
// through the very tools that the relay offers.
//
// [Rule.Judge] looks at every string of a request, names of members included, and
// asks of each path in it where it leads: after percent-encoding, ~, variables,
// dot-dot, doubled slashes, case, shell quoting, patterns of a shell, /proc, file:
// URIs, symbolic links, and other names of the same file. A string is tried as a
// whole, and each of its words, because many tools take a command line. A path that
// is relative is tried from each directory in which a server works, and from each
// directory that the same request names.
//
// What leads to a protected file, or into a protected directory, is a finding. A
// directory above one is not: nobody could list a home directory otherwise.
//
// The rule reads strings. It does not run them: a command that computes a path, or
// decodes one, gets past it, and so does a link that is made and used in one
// command. A server without access to those files (the sandbox) is the answer to
// that.
//
// All work is linear in the length of the request, and there are limits to how
// often the file system is asked, and how many patterns are compared, per request.
// What is beyond them is still compared as it is written.
package selfedit
