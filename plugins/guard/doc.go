// Package guard is the scanner that ships with the relay and needs neither an
// account nor a network. It looks for hidden Unicode, terminal escapes, text
// that addresses the model instead of the user, secrets, personal data, and
// attack patterns in arguments.
//
// What it looks for is data: the files under rules/ hold the rules, with their
// own tests, and the features from which the instruction score is made;
// secrets/ holds the secret rules of gitleaks. The code is the engine: it
// takes every string of the content, makes the views in which text may hide
// (folded, unescaped, decoded), finds all keywords of all rules in one pass
// over each view, and runs a rule's expression only around its keywords.
// Expressions are RE2 and the bytes given to them are counted, so that the
// work for one message is bounded; what was not looked at is reported as
// uninspected, never passed over in silence.
//
// The rules are read and compiled on first use. Importing the package costs a
// process nothing that can be measured.
package guard

//go:generate go test . -run TestSecretRulesAreCurrent -update
//go:generate go test . -run TestCompiledRulesAreCurrent -update
