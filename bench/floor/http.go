package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/mcp-relay/relay/bench/internal/jscan"
)

// relayHTTP serves clients over HTTP until it is told to end. Requests of all of
// them must have different ids: it keeps nothing of a client but who waits for
// which id, and answers both eras of the protocol alike.
func relayHTTP(address string, command []string, s *scanner) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	cmd, down, up, err := start(command)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	d := &desk{down: down, scanner: s, waiting: map[string]chan []byte{}}
	go func() {
		_ = lines(up, d.take)
		stop()
	}()
	server := &http.Server{Handler: d, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err = server.Serve(listener); errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, down.Close(), cmd.Wait())
}

// desk hands requests in and answers out.
type desk struct {
	scanner *scanner

	writing sync.Mutex // not mu: who hands answers out must not wait for the command to read
	down    io.Writer

	mu      sync.Mutex
	waiting map[string]chan []byte // by request id
}

// take hands a line of the server to whoever waits for it.
func (d *desk) take(line []byte) error {
	id := string(jscan.Get(line, "id"))
	d.mu.Lock()
	answer := d.waiting[id]
	delete(d.waiting, id)
	d.mu.Unlock()
	if answer != nil {
		answer <- bytes.Clone(line)
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxMessage))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	_ = jscan.Get(body, "params", "name")
	id := string(jscan.Get(body, "id"))
	answer := make(chan []byte, 1)
	if id != "" {
		d.mu.Lock()
		d.waiting[id] = answer
		d.mu.Unlock()
	}
	d.writing.Lock()
	_, err = d.down.Write(append(body, '\n'))
	d.writing.Unlock()
	switch {
	case err != nil:
		w.WriteHeader(http.StatusBadGateway)
		return
	case id == "":
		w.WriteHeader(http.StatusAccepted)
		return
	}
	select {
	case message := <-answer:
		if d.scanner != nil && d.scanner.scan(message) != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(message)))
		_, _ = w.Write(message)
	case <-r.Context().Done():
	}
}
