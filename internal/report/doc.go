// Package report adds up an audit record: what each scanner judged and said, in
// which mode, how often it failed and why, how long it took, and what became of
// the messages of each server. What a scanner that observes would have stopped is
// the evidence on which it is made to enforce.
//
// [Builder] takes one record after the other and needs memory that does not grow
// with their number: of rules, servers, tools and reasons the first maxNames are
// told apart, and times are kept in classes about six percent wide.
package report
