// Package jsonrpc reads, splices and writes JSON-RPC 2.0 messages as raw bytes.
//
// [Parse] decodes the envelope only and is strict about everything below it:
// what two readers could understand differently (duplicate names, invalid
// UTF-8, a name that equals a protocol name but for its case) is refused, so
// that the bytes that were judged mean the same to whoever receives them.
// What is not refused is never changed: members are subslices of the frame, and
// the splicing functions ([SetMember], [DeleteMember]) touch one member and keep
// every other byte.
//
// [Reader] and [Writer] carry messages as lines. A message never becomes two
// lines, and two lines never become one message.
package jsonrpc
