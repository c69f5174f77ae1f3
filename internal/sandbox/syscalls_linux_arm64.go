package sandbox

import "golang.org/x/sys/unix"

// nativeArch is how the kernel calls this processor.
const nativeArch = unix.AUDIT_ARCH_AARCH64

// foreignBit marks numbers of other interfaces; there are none.
const foreignBit = 0

// forbiddenHere lists calls that only this processor has.
func forbiddenHere() []uint32 { return nil }
