package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

const (
	startTimeout     = 10 * time.Second
	configureTimeout = 10 * time.Second
	drainTimeout     = 5 * time.Second // for scans in flight, then again for Drain
	stopGrace        = 500 * time.Millisecond

	healthEvery   = 10 * time.Second
	healthAgain   = 200 * time.Millisecond // after a miss
	healthTimeout = 2 * time.Second
	healthMisses  = 3
)

// retiring is the bit of generation.flights that keeps new scans out.
const retiring = 1 << 40

// generation is one run of a scanner's process.
type generation struct {
	proc   *process.Process
	conn   *grpc.ClientConn
	client scannerv1.ScannerServiceClient
	dir    *runDir
	log    *slog.Logger
	child  *child
	info   Info
	digest string

	flights atomic.Int64  // scans in the scanner, plus retiring
	idle    chan struct{} // closed when retiring and nothing is in flight
	idleOne sync.Once
	doubt   chan struct{} // asks for a health check now
	ended   chan struct{} // closed when the process is gone
	crowd   int64         // scans in flight at that moment; set before ended is closed
}

// startGeneration starts a scanner's process once and asks what it is.
func startGeneration(ctx context.Context, spec *Spec, said *vouched, w *process.Warden, log *slog.Logger) (*generation, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	bin, err := openProgram(spec)
	if err != nil {
		return nil, &StartError{Scanner: spec.Name, Err: err}
	}
	defer bin.close()
	dir, err := newRunDir(spec.RunDir)
	if err != nil {
		return nil, &StartError{Scanner: spec.Name, Err: err}
	}
	confinement, confined, err := confine(spec, spec.needs(said, bin), bin, dir.path)
	if err != nil {
		dir.remove()
		return nil, &StartError{Scanner: spec.Name, Err: err}
	}
	if confinement != nil {
		defer confinement.Close()
	}
	sum := make(chan error, 1)
	var digest string
	go func() {
		var err error
		digest, err = bin.sum()
		sum <- err
	}()
	c := &child{ctx: ctx, spec: spec, program: bin, dir: dir, warden: w, stderr: &stderr{log: log},
		silent: make(chan struct{}), confinement: confinement}
	conn, err := launch(c, startTimeout)
	err = errors.Join(err, <-sum)
	if err != nil {
		if conn != nil {
			conn.Close()
		}
		words := c.lastWords()
		dir.remove()
		return nil, &StartError{Scanner: spec.Name, Err: err, Stderr: words}
	}
	g := &generation{
		proc: c.proc, conn: conn, client: scannerv1.NewScannerServiceClient(conn), dir: dir, log: log, child: c,
		digest: digest, idle: make(chan struct{}), doubt: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	go g.watch()
	go g.listen()
	if err := g.describe(ctx); err != nil {
		if refused := c.refused.Load(); refused != nil {
			err = *refused
		}
		g.kill()
		return nil, &StartError{Scanner: spec.Name, Err: err, Stderr: c.lastWords()}
	}
	g.info.Sandbox = confined
	return g, nil
}

func (g *generation) describe(ctx context.Context) error {
	p, err := g.client.Describe(ctx, &scannerv1.DescribeRequest{})
	if err != nil {
		return fmt.Errorf("ask the scanner what it is: %w", err)
	}
	g.info, err = infoFrom(p)
	return err
}

// configure gives the scanner its configuration. What the scanner finds wrong
// with it comes back as a *ConfigError.
func (g *generation) configure(ctx context.Context, config json.RawMessage) error {
	if !g.info.Configurable {
		if len(config) > 0 && !emptyObject(config) {
			return &ConfigError{Problems: []Problem{{Message: "this scanner takes no configuration: remove it"}}}
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, configureTimeout)
	defer cancel()
	p, err := g.client.Configure(ctx, &scannerv1.ConfigureRequest{ConfigJson: string(config)})
	if err != nil {
		return fmt.Errorf("configure the scanner: %w", err)
	}
	var problems []Problem
	for i, q := range p.GetProblems() {
		if i == handshake.MaxProblems {
			break
		}
		problems = append(problems, Problem{
			Pointer: printable.Escape(q.GetPointer(), 256), Message: printable.Escape(q.GetMessage(), handshake.MaxText),
		})
	}
	if len(problems) > 0 {
		return &ConfigError{Problems: problems}
	}
	return nil
}

func emptyObject(config json.RawMessage) bool {
	var members map[string]json.RawMessage
	return json.Unmarshal(config, &members) == nil && len(members) == 0
}

// enter counts a scan in. It reports false when this generation takes no more;
// otherwise leave must be called.
func (g *generation) enter() bool {
	select {
	case <-g.proc.Done():
		return false
	default:
	}
	if g.flights.Add(1) > retiring {
		g.leave()
		return false
	}
	return true
}

func (g *generation) leave() {
	if g.flights.Add(-1) == retiring {
		g.idleOne.Do(func() { close(g.idle) })
	}
}

// watch waits for the end of the process and sees to it that one that no longer
// answers ends.
func (g *generation) watch() {
	timer := time.NewTimer(healthEvery)
	defer timer.Stop()
	misses := 0
	for {
		select {
		case <-g.proc.Done():
			g.crowd = g.flights.Load() &^ retiring
			close(g.ended)
			return
		case <-g.doubt:
		case <-timer.C:
		}
		next := healthEvery
		if g.healthy() {
			misses = 0
		} else if misses++; misses >= healthMisses {
			g.log.Warn("scanner does not answer, ending it")
			g.proc.Kill()
			continue
		} else {
			next = healthAgain
		}
		timer.Reset(next)
	}
}

// listen logs what the scanner prints where go-plugin has it printed.
func (g *generation) listen() {
	if printed, err := openStdio(context.Background(), g.conn); err == nil {
		g.child.stderr.follow(context.Background(), printed)
	}
}

func (g *generation) healthy() bool {
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	p, err := grpc_health_v1.NewHealthClient(g.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: handshake.PluginHealth})
	return err == nil && p.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING
}

// suspect asks for a health check soon.
func (g *generation) suspect() {
	select {
	case g.doubt <- struct{}{}:
	default:
	}
}

// retire lets no scan in any more, waits for those in flight, lets the scanner
// flush and ends it. A cancelled ctx ends the waiting, not the ending.
func (g *generation) retire(ctx context.Context) {
	if g.flights.Add(retiring) == retiring {
		g.idleOne.Do(func() { close(g.idle) })
	}
	wait, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	select {
	case <-g.idle:
	case <-g.ended:
	case <-wait.Done():
	}
	flush, cancelFlush := context.WithTimeout(ctx, drainTimeout)
	defer cancelFlush()
	if _, err := g.client.Drain(flush, &scannerv1.DrainRequest{}); err != nil {
		g.log.Debug("scanner did not drain")
	}
	g.conn.Close()
	g.proc.Stop(stopGrace)
	g.dir.remove()
}

// kill ends the process at once.
func (g *generation) kill() {
	g.proc.Kill()
	g.conn.Close()
	g.dir.remove()
}
