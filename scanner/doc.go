// Package scanner is for people who write scanners: programs that judge what
// passes between MCP clients and MCP servers on behalf of the relay.
//
// A scanner is a type with one method, and its program is one call:
//
//	type noSecrets struct{}
//
//	func (noSecrets) Scan(ctx context.Context, c scanner.Content) (scanner.Verdict, error) {
//		for pointer, text := range c.Strings() {
//			if at := strings.Index(text, "hunter2"); at >= 0 {
//				return scanner.Redact(scanner.Finding{
//					Rule: "acme/hunter2", Category: "secret.password", Redact: true,
//					Location: scanner.Location{Pointer: pointer, Start: at, End: at + len("hunter2")},
//				}), nil
//			}
//		}
//		return scanner.Allow(), nil
//	}
//
//	func main() { scanner.Serve(noSecrets{}) }
//
// Everything else is optional and found by looking at the scanner's methods:
// [Describer] says what it is and can do, [Configurer] takes a configuration,
// [BatchScanner] judges several contents in one call and [Drainer] flushes
// before the end.
//
// # What a scanner must know
//
// The relay runs a scanner as a process of its own and calls it concurrently.
// A scanner judges; the relay acts. An error, a panic, a missed deadline or a
// verdict that makes no sense means that there is no verdict, and then the
// content does not pass. So never return [Allow] for content that was not
// looked at: return an error, or say what was skipped in Verdict.Uninspected.
//
// A panic in Scan is caught. A panic in a goroutine that a scanner starts is
// not, and ends the process, as in any Go program.
//
// Log with log/slog: [Serve] makes the default logger write to the relay's log.
// Never log content, and never put it into a finding or an error. What is
// printed to standard output or standard error ends up in the relay's log too,
// line by line, without a level. Nothing may be printed to standard output
// before Serve is called.
//
// # Compatibility
//
// A program built with this package speaks protocol 1, which only grows. Values
// of Phase, Kind, Action, Severity and Reason may be added; a scanner never
// receives a phase or kind that its version of this package does not know.
package scanner
