package panscanner

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answerWith(status int, body string, header ...string) (*http.Response, error) {
	r := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r, nil
}

func clientWith(t *testing.T, retries int, answer roundTrip) *client {
	t.Helper()
	c := testConfig()
	c.maxRetries = retries
	cl, problem := newClient(*c)
	if problem != nil {
		t.Fatal(problem)
	}
	cl.http.Transport = answer
	return cl
}

func TestRetries(t *testing.T) {
	const allow = `{"action":"allow"}`
	type step struct {
		status int
		body   string
		header []string
		err    error
	}
	tests := map[string]struct {
		steps    []step // the last one repeats
		retries  int
		deadline time.Duration
		calls    int
		atLeast  time.Duration
		atMost   time.Duration
		reason   scanner.Reason // of the error; unspecified: answered
		after    time.Duration
	}{
		"at once":             {[]step{{status: 200, body: allow}}, 2, time.Minute, 1, 0, 0, 0, 0},
		"server error":        {[]step{{status: 503}, {status: 200, body: allow}}, 2, time.Minute, 2, 1, 200 * time.Millisecond, 0, 0},
		"network error":       {[]step{{err: syscall.ECONNREFUSED}, {status: 200, body: allow}}, 2, time.Minute, 2, 1, 200 * time.Millisecond, 0, 0},
		"used up":             {[]step{{status: 500}}, 2, time.Minute, 3, 2, 700 * time.Millisecond, scanner.ReasonUnavailable, 0},
		"none wanted":         {[]step{{status: 500}}, 0, time.Minute, 1, 0, 0, scanner.ReasonUnavailable, 0},
		"no time left":        {[]step{{status: 429, body: `{"error":{"retry_after":{"interval":10,"unit":"second"}}}`}}, 2, 5 * time.Second, 1, 0, 0, scanner.ReasonRateLimited, 10 * time.Second},
		"no deadline":         {[]step{{status: 429, body: `{"error":{"retry_after":{"interval":10,"unit":"second"}}}`}}, 2, 0, 1, 0, 0, scanner.ReasonRateLimited, 10 * time.Second},
		"rate, nested":        {[]step{{status: 429, body: `{"error":{"retry_after":{"interval":2,"unit":"second"}}}`}, {status: 200, body: allow}}, 2, time.Minute, 2, 2 * time.Second, 2200 * time.Millisecond, 0, 0},
		"rate, top level":     {[]step{{status: 429, body: `{"error":"slow down","retry_after":{"interval":"1","unit":"minutes"}}`}, {status: 200, body: allow}}, 2, time.Hour, 2, time.Minute, 61 * time.Second, 0, 0},
		"rate, header":        {[]step{{status: 429, header: []string{"Retry-After", "3"}}, {status: 200, body: allow}}, 2, time.Minute, 2, 3 * time.Second, 3200 * time.Millisecond, 0, 0},
		"rate, nothing said":  {[]step{{status: 429, body: `{"fault":{"faultstring":"quota"}}`}, {status: 200, body: allow}}, 2, time.Minute, 2, 1, 200 * time.Millisecond, 0, 0},
		"bad request":         {[]step{{status: 400, body: `{"error":{"message":"x"}}`}}, 5, time.Minute, 1, 0, 0, scanner.ReasonInternal, 0},
		"unauthorized":        {[]step{{status: 401}}, 5, time.Minute, 1, 0, 0, scanner.ReasonUnauthenticated, 0},
		"forbidden":           {[]step{{status: 403}}, 5, time.Minute, 1, 0, 0, scanner.ReasonUnauthenticated, 0},
		"not found":           {[]step{{status: 404}}, 5, time.Minute, 1, 0, 0, scanner.ReasonInternal, 0},
		"too large":           {[]step{{status: 413}}, 5, time.Minute, 1, 0, 0, scanner.ReasonTooLarge, 0},
		"media type":          {[]step{{status: 415}}, 5, time.Minute, 1, 0, 0, scanner.ReasonInternal, 0},
		"redirect":            {[]step{{status: 307, header: []string{"Location", "https://example.com/"}}}, 5, time.Minute, 1, 0, 0, scanner.ReasonUnavailable, 0},
		"no content":          {[]step{{status: 204}}, 5, time.Minute, 1, 0, 0, scanner.ReasonInternal, 0},
		"deadline in backoff": {[]step{{status: 500}}, 10, 300 * time.Millisecond, 0, 0, 300 * time.Millisecond, scanner.ReasonUnavailable, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				cl := clientWith(t, test.retries, func(*http.Request) (*http.Response, error) {
					s := test.steps[min(calls, len(test.steps)-1)]
					if calls++; s.err != nil {
						return nil, s.err
					}
					return answerWith(s.status, s.body, s.header...)
				})
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				began := time.Now()
				_, failure := cl.send(ctx, "files", []byte("{}"))
				took := time.Since(began)
				if test.calls > 0 && calls != test.calls {
					t.Errorf("%d calls, want %d", calls, test.calls)
				}
				if took < test.atLeast || took > test.atMost {
					t.Errorf("took %v, want %v to %v", took, test.atLeast, test.atMost)
				}
				if test.reason == 0 {
					if failure != nil {
						t.Fatal(failure)
					}
					return
				}
				if failure == nil || failure.Reason != test.reason || failure.RetryAfter != test.after {
					t.Errorf("error %+v", failure)
				}
			})
		})
	}
}

// TestHangEndsInTime checks both clocks: the attempt's and the caller's.
func TestHangEndsInTime(t *testing.T) {
	for name, test := range map[string]struct {
		deadline    time.Duration
		calls       int
		least, most time.Duration
	}{
		"attempts": {time.Hour, 4, 20 * time.Second, 24 * time.Second},
		"caller":   {time.Second, 1, time.Second, time.Second},
		"both":     {8 * time.Second, 2, 8 * time.Second, 8 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				cl := clientWith(t, 3, func(r *http.Request) (*http.Response, error) {
					calls++
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
				ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
				defer cancel()
				began := time.Now()
				_, failure := cl.send(ctx, "files", []byte("{}"))
				if failure == nil || failure.Reason != scanner.ReasonTimeout || !failure.ContentCaused || calls != test.calls {
					t.Errorf("error %+v after %d calls", failure, calls)
				}
				if took := time.Since(began); took < test.least || took > test.most {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	tests := map[string]struct {
		header, body string
		want         time.Duration
	}{
		"nested":         {"", `{"error":{"message":"m","retry_after":{"interval":5,"unit":"minute"}}}`, 5 * time.Minute},
		"top":            {"", `{"retry_after":{"interval":5,"unit":"second"}}`, 5 * time.Second},
		"nested first":   {"9", `{"error":{"retry_after":{"interval":1,"unit":"second"}},"retry_after":{"interval":2,"unit":"second"}}`, time.Second},
		"fraction":       {"", `{"retry_after":{"interval":0.5,"unit":"seconds"}}`, 500 * time.Millisecond},
		"hours":          {"", `{"retry_after":{"interval":2,"unit":"Hours"}}`, 2 * time.Hour},
		"header":         {"7", `{}`, 7 * time.Second},
		"header, html":   {"7", `<html>`, 7 * time.Second},
		"a year":         {"31536000", ``, 24 * time.Hour},
		"endless":        {"", `{"retry_after":{"interval":1e300,"unit":"day"}}`, 24 * time.Hour},
		"negative":       {"-5", `{"retry_after":{"interval":-1,"unit":"second"}}`, 0},
		"not a number":   {"soon", `{"retry_after":{"interval":"NaN","unit":"second"}}`, 0},
		"unknown unit":   {"", `{"retry_after":{"interval":5,"unit":"fortnight"}}`, 0},
		"wrong type":     {"", `{"error":"x","retry_after":5}`, 0},
		"past date":      {"Mon, 02 Jan 2006 15:04:05 GMT", ``, 0},
		"nothing":        {"", ``, 0},
		"error as list":  {"", `{"error":[{"retry_after":1}]}`, 0},
		"duplicate name": {"", `{"retry_after":{"interval":1,"interval":2}}`, 0},
	}
	apart := http.Header{"Retry-After": {"Mon, 02 Jan 2006 15:04:35 GMT"}, "Date": {"Mon, 02 Jan 2006 15:04:05 GMT"}}
	if got := retryAfter(apart, nil); got != 30*time.Second {
		t.Errorf("by another clock: %v", got)
	}
	for name, test := range tests {
		if got := retryAfter(http.Header{"Retry-After": {test.header}}, []byte(test.body)); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// TestPayloadHash uses the published construction: HMAC-SHA256 over the bytes of
// the body, with the key or the whole Authorization value.
func TestPayloadHash(t *testing.T) {
	const body = `{"ai_profile":{"profile_name":"p"},"contents":[{"prompt":"hi"}]}`
	tests := []struct{ key, body, want string }{
		{"test-key", body, "92139dfd455bb9c206b8cdab8593093ff69d384b84de3ddf9ee4dcadc1748f38"},
		{"Bearer tok", body, "3a4c9343527ddd147dba85f5d0a285aef91d0818742444f195c981cfbfcd7b40"},
		{"test-key", "null", "07f8e04469d9c53389fa1f531522a3ec7dad1d3b1826d1e71ca2b278a335d60d"},
	}
	for _, test := range tests {
		if got := payloadHash([]byte(test.key), []byte(test.body)); got != test.want {
			t.Errorf("%s over %s: %s, want %s", test.key, test.body, got, test.want)
		}
	}
}

// TestRedirectsAreRefused checks that neither content nor credential reaches
// the target of a redirect, be it another host, another port or plain http.
func TestRedirectsAreRefused(t *testing.T) {
	var reached atomic.Int32
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		_, _ = w.Write([]byte(`{"action":"allow"}`))
	}))
	defer target.Close()
	port := target.URL[strings.LastIndexByte(target.URL, ':'):]
	for _, location := range []string{target.URL + scanPath, "http://localhost" + port + "/", "//127.0.0.1" + port + scanPath} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.WriteHeader(status)
				_, _ = w.Write([]byte(`{"action":"allow"}`))
			}))
			c := testConfig()
			c.endpoint = origin.URL
			cl, problem := newClient(*c)
			if problem != nil {
				t.Fatal(problem)
			}
			_, failure := cl.send(t.Context(), "files", []byte("{}"))
			if failure == nil || failure.Reason != scanner.ReasonUnavailable {
				t.Errorf("%d to %s: error %v", status, location, failure)
			}
			origin.Close()
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests reached the target", n)
	}
}

// TestErrorsQuoteNothing checks that neither the credential nor a byte of an
// answer is in an error.
func TestErrorsQuoteNothing(t *testing.T) {
	const secret, foreign = "s3cr3t-key", "foreign text \x1b[31m"
	answers := map[string]roundTrip{
		"network": func(*http.Request) (*http.Response, error) { return nil, errors.New(foreign + secret) },
		"html":    func(*http.Request) (*http.Response, error) { return answerWith(502, foreign) },
	}
	for _, status := range []int{204, 301, 400, 401, 403, 404, 413, 418, 429, 500, 599} {
		answers[http.StatusText(status)] = func(*http.Request) (*http.Response, error) {
			return answerWith(status, `{"error":{"message":"profile `+foreign+`"}}`, "Location", foreign, "Retry-After", foreign)
		}
	}
	for name, answer := range answers {
		cl := clientWith(t, 0, answer)
		cl.header.Set("X-Pan-Token", secret)
		_, failure := cl.send(t.Context(), "files", []byte("{}"))
		if failure == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if text := failure.Error(); strings.Contains(text, secret) || strings.Contains(text, "foreign") || strings.ContainsRune(text, '\x1b') {
			t.Errorf("%s: %q", name, text)
		}
	}
}

func TestAnswerSizeIsBounded(t *testing.T) {
	cl := clientWith(t, 0, func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(endless{})}, nil
	})
	if _, failure := cl.send(t.Context(), "files", nil); failure == nil {
		t.Error("an endless answer is taken")
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestProxyFromConfigurationOnly also looks at the transport, since the
// standard library would not use the environment's proxy for loopback.
func TestProxyFromConfigurationOnly(t *testing.T) {
	var proxied atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied.Store(r.URL.IsAbs())
		_, _ = w.Write([]byte(`{"action":"allow"}`))
	}))
	defer srv.Close()
	for _, proxy := range []string{"", srv.URL} {
		c := testConfig()
		c.endpoint, c.proxy = srv.URL, proxy
		if proxy != "" {
			c.endpoint = "http://127.0.0.1:1" // reachable through the proxy only
		}
		cl, problem := newClient(*c)
		if problem != nil {
			t.Fatal(problem)
		}
		if transport, ok := cl.http.Transport.(*http.Transport); !ok || (transport.Proxy != nil) != (proxy != "") {
			t.Errorf("proxy %q: the transport has another", proxy)
		}
		if _, failure := cl.send(t.Context(), "files", []byte("{}")); failure != nil || proxied.Load() != (proxy != "") {
			t.Errorf("proxy %q: error %v, proxied %v", proxy, failure, proxied.Load())
		}
		cl.close()
	}
}
