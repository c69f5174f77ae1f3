// Package definitions remembers what servers offered: a record for each server
// of the canonical form of every tool, prompt, resource, resource template and
// of the instructions, so that a definition that changed is seen even where no
// scanner minds the new one.
//
// What a server offers when it is seen first is trusted: it becomes the approved
// form. Later forms are compared with that one, the difference is put into
// classes (see [Classes]), and the strictest policy of these decides: allow
// makes the new form the approved one, flag offers it and says so once, hold
// keeps it from clients. Only allow and a person's approval move the approved
// form, so that many small flagged changes still add up to one difference.
//
// Where people grade changes by their class, one that would be flagged is held
// when this very process offered another form before: a server that changes
// while it is used, or says different things to different clients, has to wait
// for a person. A held form that was seen in this way stays held.
//
// Records are files of their own in a directory of the relay's state (see
// [Store]), written in one step under a lock: any number of relays share them.
// A record that is there and cannot be read is never taken for a first sight:
// it is reported, and all that the server offers counts as new.
//
// Texts are kept up to a limit. Of what is longer only the hash is known, and a
// change of it is of every class.
package definitions
