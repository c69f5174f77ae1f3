// Package scannerv1 is the generated code of the contract between the relay and
// its scanners. The contract itself, with every rule, is scanner.proto beside
// it. Authors of scanners in Go do not need this package: they use package
// scanner.
package scannerv1
