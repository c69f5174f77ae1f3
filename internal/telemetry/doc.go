// Package telemetry makes the one logger of a process. Whatever is logged,
// strings that others wrote cannot forge lines or terminal sequences: every
// text passes [printable.Escape] on its way out.
//
// Attributes have the keys that [Keys] lists and no others.
package telemetry
