// Package eval measures scanners on a labelled corpus: what they find of what is
// malicious, and of what is benign.
//
// A corpus is a directory of JSON Lines files. Each [Item] is one thing that
// crosses a relay, with a label. It is put into the message that would carry it,
// a definition among the others of its server, and handed to a [Lineup]: every
// scanner judges every item by itself, behind a gate of its own, so that what one
// scanner stops is not kept from the next, and what counts is what would count in
// the relay, thresholds and exceptions included. What the relay does without any
// scanner, its own rules and its memory of definitions, is judged beside them
// under the name "relay".
//
// [Tally] adds up. Its rates come with 95 % confidence intervals (Wilson), because
// a corpus is a sample and many are small.
package eval
