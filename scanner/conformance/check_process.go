package conformance

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// processChecks are about the process around a scanner, up to the first call.
func processChecks() []check {
	return []check{
		{
			name: "by-hand", section: onStart, process: true, run: byHand,
			expected: "started without the cookie, it explains itself on standard error and exits with another status than 0",
		},
		{
			name: "handshake", section: onHandshake, process: true, run: greets,
			expected: "within 10 seconds the first line on standard output is 1|1|unix|SOCKET|grpc|CERTIFICATE",
		},
		{
			name: "socket", section: onHandshake, process: true, need: connection, run: listens,
			expected: "it listens on one socket directly in PLUGIN_UNIX_SOCKET_DIR and nowhere else",
		},
		{
			name: "mutual-tls", section: onTLS, process: true, need: connection, run: refusesStrangers,
			expected: "only the client with the certificate in PLUGIN_CLIENT_CERT can call it",
		},
		{
			name: "health", section: onServices, process: true, need: connection, run: tellsHealth,
			expected: "the health of the service \"plugin\" is SERVING",
		},
		{
			name: "describe", section: onOrder, need: connection, run: describes,
			expected: "Describe works before Configure, is valid, and never changes",
		},
	}
}

func byHand(p *probe) {
	c, err := p.suite.program.launch(false)
	if err != nil {
		p.fault("%v", err)
		return
	}
	defer c.kill()
	if !c.gone(p.suite.opts.sizes.start) {
		p.fault("it still runs after %v", p.suite.opts.sizes.start)
		return
	}
	if c.exit == nil {
		p.fault("it exits with status 0")
	}
	select {
	case <-c.err.ended:
	case <-time.After(time.Second): // it left a process that holds it
	}
	if size, _ := c.err.written(); size == 0 {
		p.fault("it says nothing on standard error")
	}
	if line := c.out.line(); strings.Count(line, "|") >= 4 {
		p.fault("it prints a handshake line")
	}
}

// greets runs first: without a handshake nothing else can be checked.
func greets(p *probe) {
	c, err := p.suite.program.start(p.ctx)
	if err != nil {
		p.fault("%v", err)
		p.suite.lost = "there is no handshake: see the check handshake"
		return
	}
	defer c.kill()
	g, err := parseGreeting(c.greeting)
	if err != nil {
		p.fault("%v", err)
		p.suite.lost = "the handshake cannot be used: see the check handshake"
		return
	}
	if err := g.certificate.VerifyHostname(peerName); err != nil {
		p.fault("the certificate is not for %s: %v", peerName, err)
		p.suite.lost = "the certificate cannot be used: see the check handshake"
	}
}

func listens(p *probe) {
	c, err := p.suite.program.start(p.ctx)
	if err != nil {
		p.fault("%v", err)
		return
	}
	defer c.kill()
	g, err := parseGreeting(c.greeting)
	if err != nil {
		p.fault("%v", err)
		return
	}
	if err := g.checkAddress(c.sockets); err != nil {
		p.fault("%v", err)
	}
	for _, where := range listeners(c.cmd.Process.Pid) {
		if where != g.address {
			p.fault("it also listens on %.120q", where)
		}
	}
}

func refusesStrangers(p *probe) {
	c, err := p.suite.program.start(p.ctx)
	if err != nil {
		p.fault("%v", err)
		return
	}
	defer c.kill()
	g, err := parseGreeting(c.greeting)
	if err != nil {
		p.fault("%v", err)
		return
	}
	stranger, err := newIdentity()
	if err != nil {
		p.fault("%v", err)
		return
	}
	nobody := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // what the server accepts is the question
	other := nobody.Clone()
	other.Certificates = append(other.Certificates, stranger.certificate)
	for name, security := range map[string]credentials.TransportCredentials{
		"a client without TLS":                insecure.NewCredentials(),
		"a client without a certificate":      credentials.NewTLS(nobody),
		"a client with another's certificate": credentials.NewTLS(other),
	} {
		if answers(p.ctx, c, g, security) {
			p.fault("%s can call it", name)
		}
	}
	// The failures above mean something only if the relay gets through.
	if !answers(p.ctx, c, g, credentials.NewTLS(c.identity.clientConfig(g.certificate))) {
		p.fault("the client with the right certificate cannot call it")
		p.suite.lost = "the relay cannot connect: see the check mutual-tls"
	}
}

// answers reports whether a call gets an answer from the scanner, whatever it is.
func answers(ctx context.Context, c *child, g greeting, security credentials.TransportCredentials) bool {
	conn, err := c.dialWith(g, security)
	if err != nil {
		return false
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err = scannerv1.NewScannerServiceClient(conn).Describe(ctx, &scannerv1.DescribeRequest{})
	return err == nil
}

func tellsHealth(p *probe) {
	l := p.fresh()
	if l == nil {
		return
	}
	r, err := l.health.Check(p.ctx, &grpc_health_v1.HealthCheckRequest{Service: handshake.PluginHealth})
	switch {
	case err != nil:
		p.fault("the health check failed: %v", errorFrom(err))
	case r.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING:
		p.fault("it is %v", r.GetStatus())
	}
}

func (s *suite) describe(ctx context.Context, l *link) (*scannerv1.DescribeResponse, error) {
	d, err := l.scans.Describe(ctx, &scannerv1.DescribeRequest{})
	if err != nil {
		return nil, fmt.Errorf("the call failed: %w", errorFrom(err))
	}
	return d, nil
}

// silent is the check that nothing but the handshake is on standard output.
func silent(p *probe) {
	l := p.own()
	if l == nil {
		return
	}
	for _, s := range p.suite.small() {
		_, _ = l.Scan(p.ctx, s.content())
	}
	_ = l.Drain(p.ctx)
	if !p.leave(l) {
		return // another check says so
	}
	<-l.child.out.ended
	if more := bytes.TrimSpace(l.child.out.after()); len(more) > 0 {
		p.fault("after the handshake line there are further bytes on standard output: %.100q", more)
	}
}

// leave closes the scanner's standard input and reports whether it ends.
func (p *probe) leave(l *link) bool {
	_ = l.child.stdin.Close()
	return l.child.gone(p.suite.opts.sizes.leave)
}
