// Package scan is the gate: the one place where a message waits for its
// verdict. It decides which scanners judge what, asks them at the same time,
// lets the strongest action win, tells failures that the content caused from
// outages, and makes the only values that writers accept.
//
// The gate is closed by default: no verdict is a failure, and a failure blocks
// unless the scanner's policy says otherwise.
package scan
