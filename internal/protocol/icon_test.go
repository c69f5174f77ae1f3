package protocol

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

func TestSafeIcons(t *testing.T) {
	const good, image = `{"src":"https://a/b.png","x":1}`, `{ "src":"DATA:image/svg+xml;base64,AAAA" }`
	for _, bad := range []string{
		`{"src":"http://a/b.png"}`, `{"src":"javascript:alert(1)"}`, `{"src":"file:///etc/passwd"}`, `{"src":"data:text/html,x"}`,
		`{"src":" https://a"}`, `{"src":"https://"}`, `{"src":"https://a\tb"}`, `{"src":"data:image/"}`, `{"src":5}`, `{}`, `"https://a"`, `null`,
		`{"src":"data:image/png\n,x"}`, `{"s\u0072c":"http://a"}`, `{"src":"//a/b"}`, `{"src":"https:a"}`,
	} {
		for _, tt := range []struct{ from, to string }{
			{`{"name":"a","icons":[` + bad + `],"n":1e400}`, `{"name":"a","n":1e400}`},
			{`{"icons": [` + good + ` , ` + bad + `, ` + image + `]}`, `{"icons": [` + good + `,` + image + `]}`},
		} {
			if got := SafeIcons([]byte(tt.from)); string(got) != tt.to {
				t.Errorf("%s became %s", tt.from, got)
			}
		}
	}
	for _, tt := range []struct{ from, to string }{
		{`{"icons":[ ` + good + `,` + image + ` ]}`, `{"icons":[ ` + good + `,` + image + ` ]}`},
		{`{"icons":[]}`, `{"icons":[]}`},
		{`{"icons":"http://a"}`, `{}`},
		{`{"ic\u006fns":[{"src":"http://a"}],"a":1}`, `{"a":1}`},
		{`{"a":{"icons":[1]}}`, `{"a":{"icons":[1]}}`},
		{`5`, `5`},
	} {
		if got := SafeIcons([]byte(tt.from)); string(got) != tt.to {
			t.Errorf("%s became %s", tt.from, got)
		}
	}
}

func TestSafeResult(t *testing.T) {
	const link = `{"type":"resource_link","uri":"a:b","icons":[{"src":"http://a"}]}`
	for _, tt := range []struct{ from, to string }{
		{`{"content":[ {"a":1}, ` + link + `],"b":2}`, `{"content":[{"a":1},{"type":"resource_link","uri":"a:b"}],"b":2}`},
		{`{"content":[ {"a":1}, {"icons":[]}],"b":2}`, `{"content":[ {"a":1}, {"icons":[]}],"b":2}`},
		{
			`{"_meta":{"a":1,"` + MetaServerInfo + `":{"name":"x","icons":[{"src":"http://a"}]}},"content":[]}`,
			`{"_meta":{"a":1,"` + MetaServerInfo + `":{"name":"x"}},"content":[]}`,
		},
		{`{"structuredContent":{"icons":[{"src":"http://a"}]}}`, `{"structuredContent":{"icons":[{"src":"http://a"}]}}`},
	} {
		if got := SafeResult([]byte(tt.from)); string(got) != tt.to {
			t.Errorf("%s became %s", tt.from, got)
		}
	}
}

func FuzzSafeIcons(f *testing.F) {
	f.Add([]byte(`{"icons":[{"src":"http://a"},{"src":"https://a"}],"content":[{"icons":5}],"_meta":{"` + MetaServerInfo + `":{"icons":[1]}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if jsonrpc.Validate(data, nil) != nil {
			return
		}
		for _, clean := range []func([]byte) []byte{SafeIcons, SafeResult} {
			got := clean(data)
			if err := jsonrpc.Validate(got, nil); err != nil {
				t.Fatalf("%s became %s: %v", data, got, err)
			}
			if again := clean(got); !bytes.Equal(again, got) {
				t.Errorf("%s became %s, and then %s", data, got, again)
			}
		}
		icons, _ := jsonrpc.Member(SafeIcons(data), "icons")
		for icon := range jsonrpc.Elements(icons) {
			if src := strings.ToLower(jsonrpc.StringMember(icon, "src")); !strings.HasPrefix(src, "https://") && !strings.HasPrefix(src, "data:image/") {
				t.Errorf("%s is left of %s", icon, data)
			}
		}
	})
}
