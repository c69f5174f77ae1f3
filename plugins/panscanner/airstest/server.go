package airstest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// TB is the part of testing.TB that [New] needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(fn func())
}

// Server is a running emulator. Its methods are safe for concurrent use.
type Server struct {
	// URL is the base address, for example http://127.0.0.1:9801.
	URL string
	// CertPEM is the certificate to trust when Config.TLS is set.
	CertPEM []byte

	config  Config
	dice    *dice
	limiter *limiter
	http    *http.Server
	closing chan struct{}
	close   func()

	mu     sync.Mutex
	queued []Fault
	log    []Record
	scans  map[string]*storedScan
	order  []string // ids in scans, oldest first
}

// New starts an emulator on a free loopback port and ends it with the test.
func New(tb TB, c Config) *Server {
	tb.Helper()
	s, err := Start("127.0.0.1:0", c)
	if err != nil {
		tb.Fatalf("start emulator: %v", err)
		return nil
	}
	tb.Cleanup(s.Close)
	return s
}

// Start serves on address, which should be a loopback one: the emulator's keys
// are not secrets.
func Start(address string, c Config) (*Server, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{
		config: c, dice: newDice(c.Seed), limiter: newLimiter(c.Rate),
		closing: make(chan struct{}), scans: map[string]*storedScan{},
	}
	s.close = sync.OnceFunc(func() { close(s.closing) })
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.URL = "http://" + listener.Addr().String()
	serve := s.http.Serve
	if c.TLS {
		if s.http.TLSConfig, s.CertPEM, err = serverTLS(); err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		s.URL = "https://" + listener.Addr().String()
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	go func() { _ = serve(listener) }()
	return s, nil
}

// Close ends the server and every request in it.
func (s *Server) Close() {
	s.close()
	_ = s.http.Close()
}

// Queue makes the next answers misbehave, one fault each, in order.
func (s *Server) Queue(faults ...string) error {
	for _, text := range faults {
		f, err := ParseFault(text)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.queued = append(s.queued, f)
		s.mu.Unlock()
	}
	return nil
}

// ServeHTTP answers one request. The order of the checks is an assumption:
// path, method, media type, size, credentials, rate, content.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	record := Record{Time: time.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header.Clone()}
	record.Proto = r.Proto
	if r.TLS != nil {
		record.TLS = r.TLS.Version
	}
	defer func() {
		record.Status, record.Answer, record.Gone = rec.status, rec.body, r.Context().Err() != nil
		s.mu.Lock()
		s.log = append(s.log, record)
		s.mu.Unlock()
	}()
	fault, err := s.faultFor(r)
	if err != nil {
		writeError(rec, badRequest(err.Error()))
		return
	}
	if apiErr := s.handle(rec, r, fault, &record); apiErr != nil {
		if apiErr.status == http.StatusTooManyRequests {
			writeRateLimited(rec, s.config.Rate)
			return
		}
		writeError(rec, apiErr)
	}
}

func (s *Server) handle(w http.ResponseWriter, r *http.Request, f Fault, record *Record) *apiError {
	route, ok := routes[r.URL.Path]
	if !ok {
		return &apiError{http.StatusNotFound, msgNotFound}
	}
	if r.Method != route.method {
		return &apiError{http.StatusMethodNotAllowed, msgBadMethod}
	}
	var body []byte
	if route.method == http.MethodPost {
		media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || media != "application/json" {
			return &apiError{http.StatusUnsupportedMediaType, msgMediaType}
		}
		if body, err = io.ReadAll(io.LimitReader(r.Body, int64(route.limit(&s.config))+1)); err != nil {
			return badRequest(msgMalformed)
		}
		record.Body = body
		if len(body) > route.limit(&s.config) {
			return &apiError{http.StatusRequestEntityTooLarge, msgTooLarge}
		}
	}
	key, apiErr := s.authenticate(r, body)
	if apiErr != nil {
		return apiErr
	}
	if s.before(f, w, r) {
		return nil
	}
	return route.serve(s, &exchange{w: w, r: r, body: body, key: key, fault: f})
}

// exchange is one authenticated request.
type exchange struct {
	w     http.ResponseWriter
	r     *http.Request
	body  []byte
	key   *Key
	fault Fault
}

var routes = map[string]struct {
	method string
	limit  func(*Config) int
	serve  func(*Server, *exchange) *apiError
}{
	"/v1/scan/sync/request":  {http.MethodPost, func(c *Config) int { return c.MaxSync }, (*Server).serveSync},
	"/v1/scan/async/request": {http.MethodPost, func(c *Config) int { return c.MaxAsync }, (*Server).serveAsync},
	"/v1/scan/results":       {http.MethodGet, nil, (*Server).serveResults},
	"/v1/scan/reports":       {http.MethodGet, nil, (*Server).serveReports},
}

func (s *Server) serveSync(x *exchange) *apiError {
	if !s.limiter.scan(1, len(x.body)) {
		return &apiError{status: http.StatusTooManyRequests}
	}
	created := time.Now()
	req, profile, err := s.parseScan(x.body, x.key)
	if err != nil {
		return err
	}
	if d := s.delayFor(x.r); d > 0 && !s.wait(x.r, d) {
		return nil
	}
	resp := s.judge(req, profile, s.dice.uuid(), created)
	s.store(resp, req, 0, created)
	s.answer(x.fault, x.w, resp)
	return nil
}

// authenticate checks the credentials and, when it is sent, the payload hash.
func (s *Server) authenticate(r *http.Request, body []byte) (*Key, *apiError) {
	token, bearer := r.Header.Get("X-Pan-Token"), r.Header.Get("Authorization")
	forbidden := &apiError{http.StatusForbidden, msgForbidden}
	var key *Key
	secret := token
	switch {
	case bearer != "": // with both, the service is said to prefer the token
		secret = bearer
		if !slices.Contains(s.config.Tokens, strings.TrimPrefix(bearer, "Bearer ")) {
			return nil, forbidden
		}
	case token == "":
		return nil, &apiError{http.StatusUnauthorized, msgUnauthorized}
	default:
		i := slices.IndexFunc(s.config.Keys, func(k Key) bool { return k.Value == token && !k.Revoked })
		if i < 0 {
			return nil, forbidden
		}
		key = &s.config.Keys[i]
	}
	if hash := r.Header.Get("X-Payload-Hash"); hash != "" && hash != payloadHash(secret, body) {
		return nil, &apiError{s.config.BadHashStatus, msgForbidden}
	}
	return key, nil
}

func payloadHash(secret string, body []byte) string {
	if body == nil {
		body = []byte("null") // what a GET is hashed as
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *Server) faultFor(r *http.Request) (Fault, error) {
	if text := r.Header.Get(HeaderFault); text != "" {
		return ParseFault(text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queued) > 0 {
		f := s.queued[0]
		s.queued = s.queued[1:]
		return f, nil
	}
	if share := s.config.FaultShare; share > 0 && !s.dice.hit(share) {
		return Fault{kind: "none"}, nil
	}
	return ParseFault(s.config.Fault)
}

func (s *Server) delayFor(r *http.Request) time.Duration {
	if d, err := time.ParseDuration(r.Header.Get(HeaderLatency)); err == nil {
		return d
	}
	return s.dice.delay(s.config.Latency)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		status, raw = http.StatusInternalServerError, []byte(`{}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}

func writeError(w http.ResponseWriter, e *apiError) {
	if e.status >= http.StatusInternalServerError {
		writeJSON(w, e.status, map[string]any{"status_code": e.status, "message": e.message})
		return
	}
	writeJSON(w, e.status, map[string]any{"error": map[string]string{"message": e.message}})
}

func messageOf(status int) string {
	known := map[int]string{
		400: msgMalformed, 401: msgUnauthorized, 403: msgForbidden, 404: msgNotFound, 405: msgBadMethod,
		413: msgTooLarge, 415: msgMediaType, 429: msgRate, 500: msgInternal,
	}
	if m, ok := known[status]; ok {
		return m
	}
	return http.StatusText(status)
}
