// Package sandbox confines programs that the relay starts, on Linux, with what
// the kernel offers every user: Landlock for files, signals and abstract
// sockets, seccomp for the network and for system calls that reach other
// processes.
//
// # From the first instruction
//
// A confinement is put on one thread of the relay, which then starts the program
// and ends. What a thread starts inherits its confinement: so it holds for the
// program's first instruction, for all of its threads and for whatever it
// starts, and it costs no helper process. Nothing of it can be taken off again.
// No other thread of the relay is touched.
//
// # Two profiles
//
// [Closed] is for scanners: they may read and execute their own program and the
// system's libraries, use one directory, and nothing else. Without Network they
// cannot make a connection, of whatever kind, nor send to a socket that is not
// theirs: unix sockets too lead to services that would act for them.
//
// [Open] is for servers, which need a user's files to be of use: they may use
// everything except what is hidden from them. Landlock can only allow, so what
// lies beside a hidden file is allowed one by one, at the moment of the start:
// what is made later in a directory that holds something hidden, directly in it,
// cannot be used.
//
// # What it does not do
//
// It does not hide that a file exists, nor its size and times. Open does not keep
// a program from asking a service of the user's (D-Bus, Docker) to act for it:
// it keeps an agent away from files, not native code that wants out. Kernels
// before 6.12 do not confine signals; see [Confinement.Gaps].
package sandbox
