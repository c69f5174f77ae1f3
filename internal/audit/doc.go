// Package audit keeps the record of decisions: one JSON object per line for
// every verdict, for every message that was refused without one, and for every
// part of a catalogue that was withheld.
//
// A record says who, where, what was decided and why, and never what the
// content was: findings carry rule, category, severity and place, no text;
// URIs lose userinfo, query and fragment; member names in a JSON Pointer that
// do not look like names are masked. Strings that others wrote are cut and
// written in ASCII with every control character escaped, so that a record
// cannot be forged and can be shown on a terminal as it is.
//
// [Log] writes records to a file that it rotates, or to standard error. What
// happens when it cannot write is the caller's choice: lose the record loudly,
// or report the error so that the gate blocks.
//
// The lines that one process writes to a file form a chain: each has the chain's
// id, its number in it, and a code over itself and the code of the line before,
// made with a key of this installation. Several processes, each with a chain of
// its own, may write to one file, and the chains go on when it is rotated. A
// chain begins with a record of its own and, unless the process is killed, ends
// with one; how far it has come is noted beside the key meanwhile. [Verify]
// therefore finds lines that were changed, removed, inserted or moved, and a
// missing end. It does not find what somebody did who could read the key, nor
// that the last chains were removed together with their notes.
//
// [Reader] reads records back.
package audit
