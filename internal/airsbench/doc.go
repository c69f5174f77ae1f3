// Package airsbench measures what calls through a relay cost when the scanner is
// Prisma AIRS: scans for each call, and the time that they add, with one call and
// with many in flight, while the service throttles and while it fails.
//
// The service is the emulator of package airstest, with a delay like the ones that
// integrators have published. So the figures say what the relay and its scanner do
// with such a service, and nothing of how fast or how good the real one is.
//
// A relay, its scanners and an MCP server run as processes of their own; the
// client and the emulator run in the process that measures.
package airsbench
