package relay

import (
	"testing"
	"testing/synctest"
)

// TestWhatTheOnlyClientSpeaks is spoken to a server that speaks both, so that
// nothing has to be translated.
func TestWhatTheOnlyClientSpeaks(t *testing.T) {
	const (
		legacy = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}`
		modern = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
			`"io.modelcontextprotocol/clientCapabilities":{}}}}`
	)
	for _, tt := range []struct {
		name, hello string
		solo        bool
		speech      Speech
		era         string
	}{
		{"legacy client", legacy, true, Auto, "2025-11-25"},
		{"modern client", modern, true, Auto, "2026-07-28"},
		{"configured", legacy, true, OnlyModern, "2026-07-28"},
		{"one of many clients", legacy, false, Auto, "2026-07-28"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{tools: []string{"x"}, onProbe: func(_ *fakeConn, c *fakeCall) {
					go c.result(`{"resultType":"complete","supportedVersions":["2026-07-28","2025-11-25"],"capabilities":{"tools":{}}}`)
				}}
				r := start(t, func(o *Options) { o.Solo, o.Servers[0].Speech = tt.solo, tt.speech }, s)
				r.ask(tt.hello)
				synctest.Wait()
				l := r.relay.servers()[0].current.Load()
				if l == nil {
					t.Fatal("the server is not connected")
				}
				if got := l.version(); got != tt.era {
					t.Errorf("the server is spoken to in %s", got)
				}
			})
		})
	}
}
