// Package canary proves what is judged: it has a fake server and a client that
// send texts from end to end through a relay, each text in a place of its own, and
// looks at who was shown it and where it came out.
//
// Every text holds a token that is used once. A [Witness] around each scanner notes
// the tokens that the scanner was given and what it said; the audit record says
// whether that counted; the two ends say what arrived. A text that arrived and that
// no enforcing scanner was given has passed unjudged, whatever the configuration
// promises.
//
// Each place is tried twice: with a plain text, which shows every scanner that is
// asked, and with one that no scanner should let pass.
package canary
