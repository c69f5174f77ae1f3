package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// driverEra names the variable with the era that the driver speaks to the relay.
const driverEra = "RELAY_DRIVER_ERA"

// driverMain is the client under test of the suite's client scenarios: a relay
// with the suite's server behind it, and a client that has it do what the
// scenario is about.
func driverMain(args []string) int {
	if len(args) == 0 {
		return 2
	}
	d := &driver{scenario: os.Getenv("MCP_CONFORMANCE_SCENARIO"), era: os.Getenv(driverEra)}
	_ = json.Unmarshal([]byte(os.Getenv("MCP_CONFORMANCE_CONTEXT")), &d.context)
	if err := d.run(args[len(args)-1]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", d.scenario, err)
		return 1
	}
	return 0
}

type driver struct {
	scenario, era string
	context       struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		Issuer       string `json:"issuer"`
		ToolCalls    []struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments"`
		} `json:"toolCalls"`
	}
	dir, runDir string
	config      map[string]any
}

func (d *driver) run(server string) (err error) {
	if d.dir, err = os.MkdirTemp("", "relay-driver-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(d.dir) }()
	d.runDir = filepath.Join(d.dir, "r")
	if err := os.Mkdir(d.runDir, 0o700); err != nil {
		return err
	}
	entry := object("type", "http", "url", server)
	if strings.HasPrefix(d.scenario, "auth/") {
		oauth := object("client_metadata_url", "https://conformance-test.local/client-metadata.json")
		if d.context.ClientID != "" {
			oauth = object("client_id", d.context.ClientID, "client_secret", d.context.ClientSecret, "issuer", d.context.Issuer)
		}
		entry["oauth"] = oauth
	}
	d.config = object("mcpServers", object("reference", entry),
		"relay", object("naming", "bare", "scanners", []any{object("name", "noop", "plugin", "noop")}))
	if !strings.HasPrefix(d.scenario, "auth/") {
		return d.session(d.act)
	}
	// A person logs in, and again whenever the server wants more than it was
	// given: a relay that runs opens no login page of its own accord.
	for range 4 {
		if err = d.login(); err != nil {
			return err
		}
		if err = d.session(d.act); err == nil {
			return nil
		}
	}
	return err
}

// get fetches a page, wherever it sends its reader.
func get(address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	return io.ReadAll(res.Body)
}

func (d *driver) login() error {
	p := relayIn(d.fail, d.dir, d.runDir, d.config, "login", "reference", "--browser", filepath.Join(filepath.Dir(os.Args[0]), browserRole))
	out, err := p.cmd.Output()
	if err != nil {
		return fmt.Errorf("logging in: %w: %s%s", err, out, p.stderr)
	}
	return nil
}

func (d *driver) fail(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// session starts a relay with a client on its standard streams.
func (d *driver) session(act func(c *mcpClient) error) error {
	p := relayIn(d.fail, d.dir, d.runDir, d.config)
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	c := newMCPClient(newLineWire(out, in), d.era == modern)
	err = act(c)
	c.wire.close()
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(15 * time.Second):
		_ = p.cmd.Process.Kill()
		<-ended
		return errors.Join(err, errors.New("the relay did not end with its client"))
	}
	if err != nil {
		return fmt.Errorf("%w\nthe relay said: %s", err, p.stderr)
	}
	return nil
}

// act does what the scenario wants of a client.
func (d *driver) act(c *mcpClient) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.handshake(ctx); err != nil {
		return err
	}
	tools, err := c.tools(ctx)
	if err != nil {
		return err
	}
	call := func(name, arguments string) error {
		result, err := c.request(ctx, "tools/call", `{"name":`+string(quote(name))+`,"arguments":`+arguments+`}`)
		if err == nil && string(member(result, "isError")) == "true" {
			err = fmt.Errorf("the call failed: %s", result)
		}
		return err
	}
	switch d.scenario {
	case "tools_call":
		return call("add_numbers", `{"a":5,"b":3}`)
	case "elicitation-sep1034-client-defaults":
		return call("test_client_elicitation_defaults", `{}`)
	case "sse-retry":
		return call("test_reconnection", `{}`)
	case "json-schema-2020-12-preservation":
		return call("json_schema_echo", `{"schema":`+string(tools["json_schema_2020_12_tool"])+`}`)
	case "sep-2322-client-request-state":
		for _, name := range []string{"test_mrtr_echo_state", "test_mrtr_no_state", "test_mrtr_unrelated", "test_mrtr_no_result_type"} {
			_ = call(name, `{}`)
		}
	case "http-standard-headers":
		for name := range tools {
			_ = call(name, `{}`)
			break
		}
		_ = c.readFirst(ctx, "resources/list", "resources", "uri", "resources/read")
		_ = c.readFirst(ctx, "prompts/list", "prompts", "name", "prompts/get")
	case "http-custom-headers":
		for _, want := range d.context.ToolCalls {
			_ = call(want.Name, string(want.Arguments))
		}
	case "http-invalid-tool-headers":
		for name := range tools {
			_ = call(name, `{"region":"us-west1"}`)
		}
	default:
		if strings.HasPrefix(d.scenario, "auth/") {
			return call("test-tool", `{}`)
		}
	}
	return nil
}

// browserMain is the browser of a person who agrees to everything: it opens the
// page and goes where it is sent.
func browserMain(args []string) int {
	if len(args) == 0 {
		return 2
	}
	if _, err := get(args[len(args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
