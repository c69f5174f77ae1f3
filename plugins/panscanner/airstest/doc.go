// Package airstest is an emulator of the Prisma AIRS "API Intercept" scan API
// on the loopback interface. Tests start it with [New]; the program in
// cmd/airstest serves the same thing to people who have no account.
//
// It follows the published OpenAPI document and what integrators have reported
// about the running service: the order of the checks, the texts of the errors,
// how ids travel, which detector looks at which part of a request, what masked
// data looks like, rate limits and partial results. Where neither says
// anything, the choice is a field of [Config] or stated in a comment.
//
// What it cannot be is a measure of detection. Its detectors are a handful of
// regular expressions. Figures obtained with it describe the plumbing in front
// of it and say nothing about what Prisma AIRS finds or misses.
package airstest
