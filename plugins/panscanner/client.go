package panscanner

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

const (
	maxConcurrent = 64      // scans at a time, and connections kept for them
	maxAnswer     = 8 << 20 // bytes of an answer; masked data repeats what was sent
	userAgent     = "mcp-relay-panscanner"
)

// client talks to one endpoint with one credential. It is safe for concurrent
// use. No error of it holds a byte of what the endpoint or a proxy answered.
type client struct {
	http     *http.Client
	base     string
	url      string      // of synchronous scans
	header   http.Header // includes the credential
	hashKey  []byte      // nil: no x-payload-hash
	timeout  time.Duration
	retries  int
	throttle *throttle
	hedge    *hedge // nil: off
	queries  queries
}

func newClient(c config) (*client, *scanner.Problem) {
	roots, problem := rootCAs(c.caFile)
	if problem != nil {
		return nil, problem
	}
	endpoint, message := parseEndpoint(c.base())
	if message != "" {
		return nil, &scanner.Problem{Pointer: "/endpoint", Message: message}
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: c.timeout / 2, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout: c.timeout / 2,
		ForceAttemptHTTP2:   true,
		// A connection that went silent would fail every scan until it is given up.
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
		MaxIdleConns:           maxConcurrent,
		MaxIdleConnsPerHost:    maxConcurrent,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
	if c.proxy != "" {
		proxy, message := parseProxy(c.proxy)
		if message != "" {
			return nil, &scanner.Problem{Pointer: "/proxy", Message: message}
		}
		transport.Proxy = http.ProxyURL(proxy)
	}
	cl := &client{
		http:    &http.Client{Transport: transport, CheckRedirect: refuseRedirect},
		base:    endpoint.String(),
		url:     endpoint.String() + scanPath,
		header:  http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "User-Agent": {userAgent}},
		timeout: c.timeout, retries: c.maxRetries,
		throttle: newThrottle(&c), hedge: newHedge(&c),
	}
	secret := c.apiKey
	if c.apiToken != "" {
		secret = "Bearer " + c.apiToken
		cl.header.Set("Authorization", secret)
	} else {
		cl.header.Set("X-Pan-Token", secret)
	}
	if c.payloadHash {
		cl.hashKey = []byte(secret)
	}
	return cl, nil
}

// refuseRedirect keeps the credential and the content at the configured
// address: the redirect itself becomes the answer, which no caller accepts.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func rootCAs(path string) (*x509.CertPool, *scanner.Problem) {
	if path == "" {
		return nil, nil // nil is what the standard library takes for the system's
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, &scanner.Problem{Pointer: "/ca_file", Message: "the file cannot be read"}
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, &scanner.Problem{Pointer: "/ca_file", Message: "the file holds no certificate in PEM form"}
	}
	return roots, nil
}

// close ends idle connections; requests in flight are not affected.
func (c *client) close() { c.http.CloseIdleConnections() }

// post sends body once. When the error is worth another attempt, retry is set,
// and RetryAfter of the error says when.
func (c *client) post(ctx context.Context, address string, body []byte) reply {
	return c.exchange(ctx, http.MethodPost, address, body)
}

func (c *client) exchange(parent context.Context, method, address string, body []byte) reply {
	ctx, cancel := context.WithTimeout(parent, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return reply{failure: &scanner.Error{Reason: scanner.ReasonInternal, Message: "the request cannot be made"}}
	}
	req.Header = c.header.Clone()
	if c.hashKey != nil && body != nil {
		req.Header.Set("X-Payload-Hash", payloadHash(c.hashKey, body))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return networkFailure(parent, ctx, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return networkFailure(parent, ctx, err)
	}
	if len(raw) > maxAnswer {
		return reply{failure: &scanner.Error{Reason: scanner.ReasonInternal, Message: "the answer is larger than any proper one"}}
	}
	if resp.StatusCode == http.StatusOK {
		return reply{answer: raw}
	}
	retry, failure := statusFailure(resp.StatusCode, resp.Header, raw)
	if resp.StatusCode == http.StatusTooManyRequests && method == http.MethodPost {
		if left, news := c.throttle.refused(failure.RetryAfter); news {
			//nolint:sloglint // Serve makes it the relay's log
			slog.WarnContext(parent, "Prisma AIRS refuses requests: the limits are lowered for a while",
				"percent", int(100*left), "retry_after", failure.RetryAfter)
		}
	}
	return reply{retry: retry, failure: failure}
}

func payloadHash(key, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// networkFailure says in fixed words why there is no answer. An attempt that took
// too long may be tried again while the scan has time.
func networkFailure(parent, ctx context.Context, err error) reply {
	if ctx.Err() != nil {
		return reply{retry: parent.Err() == nil, failure: unanswered()}
	}
	var (
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		tlsE tls.RecordHeaderError
		op   *net.OpError
		u    *url.Error
	)
	what := "the connection failed"
	switch {
	case errors.As(err, &dns):
		what = "its name cannot be resolved"
	case errors.As(err, &cert):
		what = "its certificate is not trusted; see ca_file"
	case errors.As(err, &tlsE):
		what = "it does not speak TLS"
	case errors.As(err, &op) && op.Op == "proxyconnect":
		what = "the proxy cannot be reached"
	case errors.As(err, &op) && op.Op == "dial":
		what = "no connection can be made"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		what = "the connection was closed in the middle"
	case errors.As(err, &u) && u.Timeout():
		what = "the connection timed out"
	default:
	}
	return reply{retry: cert == nil, failure: &scanner.Error{
		Reason:  scanner.ReasonUnavailable,
		Message: fmt.Sprintf("Prisma AIRS cannot be reached: %s", what),
	}}
}
