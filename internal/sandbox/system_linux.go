package sandbox

// systemPrograms are where a system keeps programs and libraries, none of them
// a user's own.
func systemPrograms() []string {
	return []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"}
}

// systemFiles are what programs read at their start: how to find libraries, the
// time zone, what the processor and the memory are.
func systemFiles() []string {
	return []string{
		"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload",
		"/etc/ld-musl-x86_64.path", "/etc/ld-musl-aarch64.path",
		"/etc/localtime", "/etc/timezone", "/etc/locale.alias", "/etc/alternatives",
		"/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/cap_last_cap",
		"/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage", "/sys/fs/cgroup",
	}
}

func devices() []string {
	return []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
}

// NetworkFiles are what a program reads to find other machines and to know whom
// to trust. Network managers replace files in /etc, so that naming the single
// files would hold only until the next change of network.
func NetworkFiles() []string {
	return []string{
		"/etc", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/run/connman",
		"/var/lib/ca-certificates", "/system/etc/security/cacerts", "/mnt/wsl",
	}
}
