package front

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func modernParams(info string) []byte {
	return []byte(`{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":` + info +
		`,"io.modelcontextprotocol/clientCapabilities":{}}}`)
}

func TestConversations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := conversations{idle: time.Hour}
		editor := modernParams(`{"name":"editor","version":"1"}`)
		first := c.of("me", editor)
		for range 5 {
			time.Sleep(50 * time.Minute)
			if got := c.of("me", editor); got != first || len(got) < 20 {
				t.Errorf("got %s, want %s", got, first)
			}
		}
		for who, other := range map[string]string{
			"another principal": c.of("you", editor),
			"another client":    c.of("me", modernParams(`{"name":"agent","version":"1"}`)),
			"another version":   c.of("me", modernParams(`{"name":"editor","version":"2"}`)),
			"no name":           c.of("me", modernParams(`{}`)),
			"no params":         c.of("me", nil),
		} {
			if other == first {
				t.Errorf("%s has the same conversation", who)
			}
		}
		time.Sleep(time.Hour + time.Second)
		if c.of("me", editor) == first {
			t.Error("the conversation never ends")
		}
	})
}

func TestConversationsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := conversations{idle: time.Hour}
		first := c.of("me", nil)
		for i := range 2 * maxConversations {
			time.Sleep(time.Millisecond)
			c.of("flood", modernParams(fmt.Sprintf(`{"name":"n%d"}`, i)))
			if i%100 == 0 && c.of("me", nil) != first {
				t.Fatal("who speaks was forgotten")
			}
		}
		if len(c.open) > maxConversations {
			t.Errorf("%d are known", len(c.open))
		}
	})
}
