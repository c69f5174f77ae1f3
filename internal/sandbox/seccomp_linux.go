//go:build amd64 || arm64

package sandbox

import "golang.org/x/sys/unix"

// Where the members of the kernel's seccomp_data are, on a little-endian
// processor.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16 // eight bytes each
)

// verdicts of a filter.
const (
	allowed = unix.SECCOMP_RET_ALLOW
	fatal   = unix.SECCOMP_RET_KILL_PROCESS
)

func refused(errno unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(errno) }

// filter is a program that decides about system calls.
type filter []unix.SockFilter

func (f *filter) add(code uint16, k uint32, jt, jf uint8) {
	*f = append(*f, unix.SockFilter{Code: code, K: k, Jt: jt, Jf: jf})
}

func (f *filter) load(offset uint32) { f.add(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, offset, 0, 0) }
func (f *filter) ret(verdict uint32) { f.add(unix.BPF_RET|unix.BPF_K, verdict, 0, 0) }

// unless returns verdict unless the loaded word has the value.
func (f *filter) unless(value, verdict uint32) {
	f.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, value, 1, 0)
	f.ret(verdict)
}

// when returns verdict when the loaded word has the value.
func (f *filter) when(value, verdict uint32) {
	f.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, value, 0, 1)
	f.ret(verdict)
}

// whenAny returns verdict when the loaded word has one of the bits.
func (f *filter) whenAny(bits, verdict uint32) {
	f.add(unix.BPF_JMP|unix.BPF_JSET|unix.BPF_K, bits, 0, 1)
	f.ret(verdict)
}

// call adds what decides when the loaded word has the value, a system call's
// number for one: body ends every path.
func (f *filter) call(number uint32, body func(*filter)) {
	var inner filter
	body(&inner)
	f.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, number, 0, uint8(len(inner)))
	*f = append(*f, inner...)
}

func argument(i uint32) uint32     { return offsetArgs + 8*i }
func argumentHigh(i uint32) uint32 { return offsetArgs + 8*i + 4 }

// closedFilter returns the filter of a closed program, or nil where the numbers
// of system calls are not known.
func closedFilter(network bool) []unix.SockFilter {
	if nativeArch == 0 {
		return nil
	}
	var f filter
	f.load(offsetArch)
	f.unless(nativeArch, fatal) // other numbers, which this filter does not know
	f.load(offsetNumber)
	if foreignBit != 0 {
		f.whenAny(foreignBit, fatal)
	}
	for _, number := range forbidden() {
		f.when(number, refused(unix.EPERM))
	}
	// Its flags are in memory, where a filter cannot look; libraries go back to clone.
	f.when(unix.SYS_CLONE3, refused(unix.ENOSYS))
	if !network {
		f.when(unix.SYS_CONNECT, refused(unix.EACCES))
	}
	f.call(unix.SYS_CLONE, func(f *filter) {
		f.load(argument(0))
		f.whenAny(namespaces, refused(unix.EPERM))
		f.ret(allowed)
	})
	for _, number := range []uint32{unix.SYS_SOCKET, unix.SYS_SOCKETPAIR} {
		f.call(number, func(f *filter) { f.sockets(network) })
	}
	for _, c := range aboutOthers() {
		f.call(c.number, func(f *filter) {
			f.load(argument(c.argument))
			f.unless(0, refused(unix.EPERM))
			f.ret(allowed)
		})
	}
	f.call(unix.SYS_UTIMENSAT, func(f *filter) { // without a path it is about an open file
		f.load(argument(1))
		f.unless(0, refused(unix.EPERM))
		f.load(argumentHigh(1))
		f.unless(0, refused(unix.EPERM))
		f.ret(allowed)
	})
	f.ret(allowed)
	return f
}

// sockets lets a program have unix sockets to listen on and, with a network,
// those of the internet. Datagrams on unix sockets need no connection to reach
// a service of the system.
func (f *filter) sockets(network bool) {
	f.load(argument(0))
	if network {
		for _, family := range []uint32{unix.AF_INET, unix.AF_INET6} {
			f.call(family, func(f *filter) { // Landlock does not look at multipath TCP
				f.load(argument(2))
				f.when(0, allowed)
				f.when(unix.IPPROTO_TCP, allowed)
				f.when(unix.IPPROTO_UDP, allowed)
				f.ret(refused(unix.EPROTONOSUPPORT))
			})
		}
	}
	f.unless(unix.AF_UNIX, refused(unix.EAFNOSUPPORT))
	f.load(argument(1))
	f.add(unix.BPF_ALU|unix.BPF_AND|unix.BPF_K, 0xf, 0, 0) // the rest are flags
	f.when(unix.SOCK_STREAM, allowed)
	f.when(unix.SOCK_SEQPACKET, allowed)
	f.ret(refused(unix.EACCES))
}

// namespaces are the flags of clone that make a new one.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER |
	unix.CLONE_NEWPID | unix.CLONE_NEWNET

// forbidden lists system calls by which a program reaches other processes,
// changes the system, widens what it may do or changes files by their names
// where Landlock does not look.
func forbidden() []uint32 {
	return append([]uint32{
		// other processes
		unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PROCESS_MADVISE, unix.SYS_PROCESS_MRELEASE,
		unix.SYS_KCMP, unix.SYS_PIDFD_GETFD, unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES, unix.SYS_SETNS, unix.SYS_UNSHARE,
		unix.SYS_SHMGET, unix.SYS_MSGGET, unix.SYS_SEMGET, unix.SYS_MQ_OPEN, unix.SYS_MQ_UNLINK, unix.SYS_LOOKUP_DCOOKIE,
		// the kernel's wide interfaces
		unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER,
		unix.SYS_IO_URING_REGISTER, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL, unix.SYS_FANOTIFY_INIT,
		unix.SYS_INOTIFY_INIT1, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_PERSONALITY, unix.SYS_SYSLOG,
		// mounts
		unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE,
		unix.SYS_OPEN_TREE_ATTR, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
		unix.SYS_STATMOUNT, unix.SYS_LISTMOUNT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_SWAPON, unix.SYS_SWAPOFF,
		// the machine
		unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
		unix.SYS_REBOOT, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME,
		unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX, unix.SYS_ACCT, unix.SYS_VHANGUP, unix.SYS_NFSSERVCTL,
		// files by name: owners, modes, attributes, length
		unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2, unix.SYS_FCHOWNAT, unix.SYS_TRUNCATE, unix.SYS_SETXATTR, unix.SYS_LSETXATTR,
		unix.SYS_SETXATTRAT, unix.SYS_REMOVEXATTR, unix.SYS_LREMOVEXATTR, unix.SYS_REMOVEXATTRAT, unix.SYS_FILE_SETATTR,
	}, forbiddenHere()...)
}

// aboutOthers lists system calls that are about the caller when an argument is
// zero, and otherwise about whatever process it names.
func aboutOthers() []struct{ number, argument uint32 } {
	return []struct{ number, argument uint32 }{
		{unix.SYS_PRLIMIT64, 0},
		{unix.SYS_SCHED_SETAFFINITY, 0},
		{unix.SYS_SCHED_SETSCHEDULER, 0},
		{unix.SYS_SCHED_SETPARAM, 0},
		{unix.SYS_SCHED_SETATTR, 0},
		{unix.SYS_SETPRIORITY, 1},
		{unix.SYS_IOPRIO_SET, 1},
	}
}
