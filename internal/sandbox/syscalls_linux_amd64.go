package sandbox

import "golang.org/x/sys/unix"

// nativeArch is how the kernel calls this processor.
const nativeArch = unix.AUDIT_ARCH_X86_64

// foreignBit marks the numbers of the x32 interface.
const foreignBit = 0x40000000

// forbiddenHere lists calls that only this processor has.
func forbiddenHere() []uint32 {
	return []uint32{
		unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_INOTIFY_INIT, unix.SYS_CHMOD, unix.SYS_CHOWN, unix.SYS_LCHOWN,
		unix.SYS_UTIME, unix.SYS_UTIMES, unix.SYS_FUTIMESAT, unix.SYS_USELIB, unix.SYS_USTAT, unix.SYS_SYSFS, unix.SYS__SYSCTL,
		unix.SYS_CREATE_MODULE, unix.SYS_QUERY_MODULE, unix.SYS_GET_KERNEL_SYMS,
	}
}
