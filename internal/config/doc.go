// Package config turns a configuration file, the process environment and
// command line flags into one validated [Config].
//
// The file is JSON, JSON with comments and trailing commas, or YAML. It holds
// the mcpServers block exactly as MCP clients write it and one section of our
// own, relay. A file made for pan-mcp-relay loads as it is.
//
// # Trust
//
// The file says which programs run and who judges their content, so it is the
// thing most worth attacking. The package therefore
//
//   - never looks into the current directory: a client may start the relay in
//     a workspace that is hostile; what was ignored there becomes a warning;
//   - refuses files that another user owns or that others may write;
//   - reads a .env file only beside the chosen file, and takes from it only
//     variables that server entries reference as ${NAME};
//   - expands ${NAME} after parsing, inside one scalar, once;
//   - bounds what a parser may cost: size, lines, depth, aliases.
//
// # Errors
//
// [Load] reports everything that is wrong at once, as [Problems]. Each problem
// names file, line, column and what to do. Foreign text in a problem is quoted
// and cut; values that may be secret (environment values, headers, scanner
// configuration, expanded variables) are never printed.
//
// # One table
//
// Every key is declared once, in a table that the reader, the JSON Schema (see
// [Schema]) and the reference in docs/configuration.md share.
package config
