// Package pluginstore keeps installed scanners: each version in a directory of
// its own, with the checksums of all of its files in a lock file. What is started
// later is what somebody looked at and accepted then, or nothing.
//
// # What is trusted
//
// Nothing of what is installed: names are matched, only regular files are copied,
// modes are set by us, and every path is opened through os.Root. Installing runs
// nothing; who wants to ask a scanner for its name runs the staged copy, after
// its checksum was accepted.
//
// The lock file is trusted as far as its place is: it lies in a directory that
// only the user can write to. What it says is checked all the same, because
// people edit files: it can name nothing outside the store.
//
// # On disk
//
//	plugins.lock             what is installed: names, versions, checksums
//	plugins/NAME/VERSION/    the files, 0500 or 0400, in directories 0700
//	plugins/.staging-…/      an installation that is not finished
package pluginstore
