// Package statefile keeps the files in which the relay remembers secrets: in a
// directory that nobody but the user can write to, each readable by the user
// alone. A file is replaced in one step, so that whoever reads meanwhile gets
// the old one or the new one; processes that change the same one take turns with
// a lock. What others could have read or written is neither read nor replaced.
//
// On Windows the mode of a file does not say who has access; there the directory
// has to be one that is the user's by the system's defaults.
package statefile
