package measure

import (
	"os"
	"path/filepath"
	"time"

	"github.com/mcp-relay/relay/bench/internal/procstat"
)

// isServer tells the harness's own downstream server from a relay's process.
// What hides its program is no server of ours.
func isServer(p procstat.Proc) bool {
	self, err := os.Executable()
	if err != nil || len(p.Args) < 2 || p.Args[1] != "server" {
		return false
	}
	if resolved, err := filepath.EvalSymlinks(self); err == nil {
		self = resolved
	}
	return p.Exe == self
}

// split returns the processes of the target and of the servers behind it.
func (in *Instance) split() (proxies, servers []procstat.Proc) {
	if in.cmd != nil {
		for _, p := range procstat.Tree(in.cmd.Process.Pid) {
			if isServer(p) {
				servers = append(servers, p)
			} else {
				proxies = append(proxies, p)
			}
		}
	}
	if len(servers) == 0 && in.server != 0 {
		servers = append(servers, procstat.Proc{PID: in.server})
	}
	return proxies, servers
}

func (in *Instance) proxies() []procstat.Proc {
	p, _ := in.split()
	return p
}

func cpu(ps []procstat.Proc) (d time.Duration) {
	for _, p := range ps {
		d += procstat.CPU(p.PID)
	}
	return d
}

// proxyCPU adds what ended children used: a relay that starts a process per
// call pays for it here.
func proxyCPU(ps []procstat.Proc) time.Duration {
	d := cpu(ps)
	for _, p := range ps {
		d += procstat.Reaped(p.PID)
	}
	return d
}

// Run measures one block and accounts CPU time and memory to it.
func (in *Instance) Run(sc Scenario, limits Limits) Block {
	var proxies, servers []procstat.Proc
	var proxy, serving, client time.Duration
	b := run(in.sessions, sc, limits, func() {
		proxies, servers = in.split()
		for _, p := range proxies {
			procstat.ResetPeak(p.PID)
		}
		proxy, serving, client = proxyCPU(proxies), cpu(servers), procstat.Self()
	}, func() {
		client, proxy, serving = procstat.Self()-client, proxyCPU(proxies)-proxy, cpu(servers)-serving
	})
	if b.Calls > 0 {
		per := func(d time.Duration) float64 { return float64(d) / 1e3 / float64(b.Calls) }
		b.CPUProxy, b.CPUServer, b.CPUClient = per(proxy), per(serving), per(client)
	}
	for _, p := range proxies {
		b.PeakRSS += procstat.Mem(p.PID).Peak
	}
	b.Procs = len(proxies)
	return b
}
