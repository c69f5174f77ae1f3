// Package oauth authorizes the relay at remote MCP servers: an OAuth 2.1 client
// as MCP revisions 2025-11-25 and 2026-07-28 (basic/authorization) ask for it.
//
// A [Client] stands for one configured server. [Client.Login] is the only thing
// that talks to a person: `relay login` runs it. A running relay calls
// [Client.Authorization] for every request and [Client.Refused] when the server
// refuses one; both renew tokens behind the scenes and never open a browser.
//
// The server that asks for a login is not trusted, nor is the authorization
// server that it names:
//
//   - Requests go over https, or to this machine when the MCP server itself is
//     on this machine. Every address is checked when it is dialled, so that a
//     name cannot mean one thing when it is looked at and another when it is
//     used. Redirects are followed for discovery only, within one origin.
//   - Metadata counts only from the issuer that it names. Its endpoints are on
//     the issuer's origin, unless the user wrote the issuer into the
//     configuration. PKCE with S256 is required.
//   - A code is redeemed only after state and issuer (RFC 9207) were compared.
//   - Tokens and registrations are bound to server, resource and issuer. They
//     are kept in the keychain's protection or in a file of mode 0600, and are
//     in no error and no log.
//
// Everything that a remote party says is bounded in size and time, and no error
// of this package holds a byte of it that was not made printable.
package oauth
