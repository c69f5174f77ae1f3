package airstest

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

func TestConfig(t *testing.T) {
	c, err := ReadConfig(strings.NewReader(`{"latency":{"median":"20ms","p95":"1s"},"profiles":[{"name":"a","actions":{"dlp":"alert"}}]}`))
	if err != nil || c.Latency.P95 != Duration(time.Second) {
		t.Errorf("%+v, %v", c, err)
	}
	for _, bad := range []string{`{"latncy":{}}`, `{"latency":{"median":5}}`, `{"latency":{"median":"5"}}`, `[]`} {
		if _, err := ReadConfig(strings.NewReader(bad)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	for _, bad := range []Config{{Fault: "x"}, {Profiles: []Profile{{Actions: map[string]string{"dlp": "deny"}}}}} {
		if _, err := Start("127.0.0.1:0", bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// TestConfigExample reads the example of the documentation.
func TestConfigExample(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/prisma-airs.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := bytes.Cut(doc, []byte("```json emulator.json\n"))
	if !ok {
		t.Fatal("no example")
	}
	example, _, _ := bytes.Cut(rest, []byte("```"))
	c, err := ReadConfig(bytes.NewReader(example))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.withDefaults(); err != nil {
		t.Error(err)
	}
}
