// Package panscanner is the scanner that asks Palo Alto Networks Prisma AIRS:
// it sends what passes through the relay to the "API Intercept" scan API and
// turns the answers into verdicts.
//
// Everything is sent as one tool_event per request, since that is what the
// service's injection detectors look at: a catalogue of tools as tools/list,
// anything else as tools/call. Images, audio and other binary data are replaced
// by their type, size and SHA-256 and reported as not inspected. What is too
// large for one request is cut into several that overlap.
//
// Content passes only when the service says "allow" in a complete answer.
// Everything else is a block or an error, and what an error means is the
// relay's policy. Credentials go into request headers to the configured
// endpoint and nowhere else: redirects are refused, proxies come from the
// configuration only, and no error quotes an answer.
//
// The emulator in package airstest serves the same API on the loopback
// interface.
package panscanner
