// Package relay decides who answers what. It stands between the sessions of
// clients and the connections to servers, and everything that crosses it goes
// through the gate of package scan, in both directions.
//
// A request that goes to a server is an exchange: judge the request, send it,
// judge the answer, answer the client. Where nothing has to be waited for, an
// exchange runs on the goroutine that read the message, so that a call that
// needs no scan costs no hand-over.
//
// A request that may have reached its server is never sent again.
package relay
