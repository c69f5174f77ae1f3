// Package process starts child processes in such a way that all of a child can
// be ended, and that a child gets nothing of the relay but what it was given.
//
// A child runs in a process group of its own (on Windows: in a Job Object). It
// gets three pipes, a complete environment and no other descriptor. When its
// leader exits, what is left of its group is ended too: politely first, then
// with SIGKILL.
//
// # Nothing survives the relay
//
// A warden, a second small process, holds a pipe from the relay and a list of
// the groups. When the pipe ends, for whatever reason, the warden ends every
// group. On Windows the Job Objects do this and there is no warden.
//
// On Linux every child also carries a cookie in its environment. Processes that
// left the group (setsid, a double fork) are found by that cookie and by walking
// the tree of parents; start times guard against recycled process ids. Since the
// warden knows the cookie before the first child starts, a child is covered even
// if the relay dies between fork and registration. On macOS only the group is
// covered, and that window of some microseconds is open.
//
// A child that leaves the group, loses its parent and clears its environment is
// hostile and is not found. Making the relay the reaper of such orphans
// (PR_SET_CHILD_SUBREAPER) would find them, but then the relay had to reap
// processes it never started and could take exit codes from others in its own
// process; a sandbox is the right answer to that attacker.
//
// PR_SET_PDEATHSIG is not used: it fires when the thread that forked ends, which
// under Go's scheduler is not when the relay ends, and setuid programs clear it.
package process
