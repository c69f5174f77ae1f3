package front

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// What a principal announces and does not send keeps nobody else from sending,
// and does not fill the memory.
func TestLongBodiesAreBounded(t *testing.T) {
	p := serveHTTP(t, func(o *HandlerOptions, l *limits) {
		o.Tokens = names{"ta": "a", "tb": "b"}
		l.bodies = 1 << 20
	})
	body, headers := modernCall("1", "echo")
	long := strings.Replace(body, `"params":{`, `"params":{"x":"`+strings.Repeat("x", 2*smallBody)+`",`, 1)
	status := func(token, body string, chunked bool) int {
		r := p.request("POST", "/mcp", body, append([]string{"Authorization", "Bearer " + token}, headers...)...)
		if chunked {
			r.ContentLength = -1
			r.Body = io.NopCloser(r.Body)
		}
		resp, err := p.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	slow := p.raw("POST /mcp HTTP/1.1\r\nHost: " + strings.TrimPrefix(p.url, "http://") +
		"\r\nAuthorization: Bearer ta\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{")
	until(t, func() bool { return status("ta", long, false) == http.StatusTooManyRequests })
	for _, tt := range []struct {
		token, body string
		chunked     bool
		want        int
	}{
		{"ta", long, true, 429}, {"ta", body, false, 200}, {"ta", body, true, 200},
		{"tb", long, false, 200}, {"tb", long, true, 200}, {"tb", long, true, 200},
	} {
		if got := status(tt.token, tt.body, tt.chunked); got != tt.want {
			t.Errorf("%s, %d bytes, chunked %v: %d", tt.token, len(tt.body), tt.chunked, got)
		}
	}
	_ = slow.Close()
	until(t, func() bool { return status("ta", long, false) == http.StatusOK })
	until(t, func() bool {
		p.handler.bodies.mu.Lock()
		defer p.handler.bodies.mu.Unlock()
		return len(p.handler.bodies.used) == 0
	})
}
