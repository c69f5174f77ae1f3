package oauth

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// wire carries every request of this package.
type wire struct {
	guard  *guard
	client *http.Client
}

const (
	maxBody        = 1 << 20 // bytes of an answer, after decompression
	maxHead        = 64 << 10
	requestTimeout = 30 * time.Second
	maxRedirects   = 3
)

// newWire makes a client without cookies that asks nobody twice.
func newWire(g *guard, proxy func(*http.Request) (*url.URL, error)) *wire {
	choose := proxy
	if proxy != nil {
		choose = func(r *http.Request) (*url.URL, error) {
			u, err := proxy(r)
			if err == nil && u != nil {
				g.proxy(proxyAddress(u))
			}
			return u, err
		}
	}
	return &wire{guard: g, client: &http.Client{
		Timeout: requestTimeout,
		Transport: &http.Transport{
			Proxy:                  choose,
			DialContext:            g.dial,
			TLSHandshakeTimeout:    connectTimeout,
			ResponseHeaderTimeout:  requestTimeout,
			MaxResponseHeaderBytes: maxHead,
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true, // requests are hours apart
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		},
		CheckRedirect: withinOrigin,
	}}
}

// withinOrigin follows a redirect of a question for metadata to the same
// origin, and no other: it would carry a code or a secret somewhere else.
func withinOrigin(r *http.Request, via []*http.Request) error {
	first := via[0]
	asks := first.Method == http.MethodGet || first.Method == http.MethodHead
	if !asks || r.Method != first.Method || len(via) > maxRedirects || origin(r.URL) != origin(first.URL) {
		return http.ErrUseLastResponse
	}
	return nil
}

// proxyAddress returns what the transport dials for a proxy.
func proxyAddress(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	port := map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// isJSON reports whether the answer says that it is JSON. Some sites answer
// every path with a page.
func (a *answer) isJSON() bool {
	t, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	return err == nil && (t == "application/json" || strings.HasSuffix(t, "+json"))
}

// get asks for metadata.
func (w *wire) get(ctx context.Context, u *url.URL) (*answer, error) {
	return w.do(ctx, http.MethodGet, u, nil, http.Header{"Accept": {"application/json"}})
}

// post sends a form or a document.
func (w *wire) post(ctx context.Context, u *url.URL, body []byte, header http.Header) (*answer, error) {
	return w.do(ctx, http.MethodPost, u, body, header)
}

func (w *wire) do(ctx context.Context, method string, u *url.URL, body []byte, header http.Header) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errURL
	}
	r.Header = header
	r.Header.Set("User-Agent", "mcp-relay")
	resp, err := w.client.Do(r)
	if err != nil {
		return nil, discreet(ctx, err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, discreet(ctx, err)
	case len(content) > maxBody:
		return nil, errTooLarge
	}
	return &answer{resp.StatusCode, resp.Header, content}, nil
}

// What can go wrong on the way. The errors of net/http quote what the other
// side said and the address that was asked, so that they are not repeated.
var (
	errTooLarge    = errors.New("the answer is larger than 1 MiB")
	errUntrusted   = errors.New("the certificate is not trusted")
	errTime        = errors.New("no answer in time")
	errUnreachable = errors.New("the host cannot be reached")
	errNoHTTP      = errors.New("the answer is not one of HTTP, or broke off")
)

// discreet says in words of our own why a request failed.
func discreet(ctx context.Context, err error) error {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		network     *net.OpError
		name        *net.DNSError
		slow        net.Error
	)
	switch {
	case errors.Is(err, errAddress):
		return errAddress
	case ctx.Err() != nil:
		return fmt.Errorf("asking: %w", context.Cause(ctx))
	case errors.As(err, &certificate), errors.As(err, &record):
		return errUntrusted
	case errors.As(err, &slow) && slow.Timeout():
		return errTime
	case errors.As(err, &network), errors.As(err, &name):
		return errUnreachable
	}
	return errNoHTTP
}
