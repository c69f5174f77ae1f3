// Package printable renders strings that others wrote (servers, clients,
// scanners, remote peers) so that a terminal, a log or a person cannot be
// fooled by them: no control characters, no bidirectional overrides, no
// invisible format characters, no invalid UTF-8, and a limited length.
//
// Every command and every log shows foreign strings through this package.
package printable
