package measure

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// startHTTPServer starts the Streamable HTTP server that stands behind targets
// with an HTTP side, and writes its address into the options.
func startHTTPServer(o *StartOptions) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	cmd := exec.CommandContext(context.Background(), self, "server", "-http", address, "-tools", strconv.Itoa(o.Tools))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	ready := Target{Name: "server", Front: "http", URL: "http://" + address + "/mcp"}
	in, err := ready.Start(StartOptions{Servers: 1, Tools: o.Tools, Lanes: 1, Protocol: "2025-06-18", Timeout: 10 * time.Second})
	if err != nil {
		stop()
		return nil, err
	}
	in.Stop()
	o.HTTPBase, o.HTTPPID = "http://"+address, cmd.Process.Pid
	return stop, nil
}
