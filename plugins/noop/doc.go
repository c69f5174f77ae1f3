// Package noop is the smallest useful scanner: it sees everything, keeps
// nothing and allows all of it. It shows what the relay itself costs, and it is
// the program that the tutorial in docs/writing-a-scanner.md begins with.
package noop
