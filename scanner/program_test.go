package scanner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/handshake"
	"github.com/mcp-relay/relay/scanner/scannertest"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// TestMain lets this test binary be a scanner's program.
func TestMain(m *testing.M) {
	if len(os.Args) >= 2 {
		switch os.Args[1] {
		case "serve", "describe":
			scanner.Serve(chatty{})
			return
		case "invalid":
			scanner.Serve(misnamed{})
			return
		default:
		}
	}
	os.Exit(m.Run())
}

// chatty prints wherever it can.
type chatty struct{}

func (chatty) Describe() scanner.Info { return scanner.Info{Name: "chatty", Version: "1"} }

func (chatty) Scan(context.Context, scanner.Content) (scanner.Verdict, error) {
	fmt.Println("printed to standard output" + strings.Repeat(".", 1000))
	fmt.Fprintln(os.Stderr, "printed to standard error")
	log.Print("logged with log")
	slog.Warn("logged with slog", "@message", 1, "level", 7) //nolint:sloglint // as authors do
	return scanner.Allow(), nil
}

func (chatty) Configure(context.Context, []byte) error { return nil }

func (chatty) Drain(context.Context) error {
	slog.Info("drained") //nolint:sloglint // as authors do
	return nil
}

type misnamed struct{ chatty }

func (misnamed) Describe() scanner.Info { return scanner.Info{Name: "../chatty"} }

func program(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestProgram(t *testing.T) {
	if _, err := scannertest.Start(t, program(t), "serve").Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestPrintingCannotHurt starts the program without go-plugin's client, to see
// what is written where.
func TestPrintingCannotHurt(t *testing.T) {
	//nolint:usetesting // the path of a socket must be short
	dir, err := os.MkdirTemp("", "scanner")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cmd := exec.Command(program(t), "serve")
	cmd.Env = []string{handshake.CookieKey + "=" + handshake.CookieValue, "PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_UNIX_SOCKET_DIR=" + dir,
		"PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000"}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	line := make([]byte, 4096)
	n, err := stdout.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Split(strings.TrimSpace(string(line[:n])), "|")
	if len(fields) != 6 || fields[0] != "1" || fields[1] != "1" || fields[4] != "grpc" {
		t.Fatalf("handshake line %q", line[:n])
	}
	conn, err := grpc.NewClient("passthrough:scanner", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, fields[2], fields[3])
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := scannerv1.NewScannerServiceClient(conn)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := client.Configure(ctx, &scannerv1.ConfigureRequest{}); err != nil {
		t.Fatal(err)
	}
	content := &scannerv1.Content{Phase: scannerv1.Phase_PHASE_REQUEST, Kind: scannerv1.Kind_KIND_TEXT}
	for range 100 { // more than a pipe that nobody reads would hold
		if _, err := client.Scan(ctx, &scannerv1.ScanRequest{ScanId: "x", Content: content}); err != nil {
			t.Fatal(err)
		}
	}
	stdin.Close()
	rest := make([]byte, 4096)
	if n, _ := stdout.Read(rest); n > 0 {
		t.Errorf("standard output holds more than the handshake: %q", rest[:n])
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the program did not end well: %v", err)
	}
	for _, want := range []string{"printed to standard output...", "printed to standard error\n", `"@message":"logged with log"`, `"@message":"drained"`} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("the relay's log lacks %q", want)
		}
	}
	for line := range strings.Lines(stderr.String()) {
		if !strings.Contains(line, "logged with slog") {
			continue
		}
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if entry["@message"] != "logged with slog" || entry["@level"] != "warn" {
			t.Errorf("log line %q", line)
		}
		if _, err := time.Parse(time.RFC3339Nano, fmt.Sprint(entry["@timestamp"])); err != nil {
			t.Errorf("log line %q: %v", line, err)
		}
		break
	}
}

func TestStartedByHand(t *testing.T) {
	for args, want := range map[string]string{
		"serve":   "chatty is a scanner: the relay starts it.",
		"invalid": `scanner name "../chatty" is invalid`,
	} {
		cmd := exec.Command(program(t), args)
		cmd.Env = []string{}
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("%s: got %v, want exit status 1", args, err)
		}
		if stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), want) {
			t.Errorf("%s: stdout %q, stderr %q", args, &stdout, &stderr)
		}
	}
}

func TestDescribeCommand(t *testing.T) {
	out, err := exec.Command(program(t), "describe").Output()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got["name"] != "chatty" || got["protocol"] != 1.0 || got["configurable"] != any(true) || len(got["phases"].([]any)) != 5 {
		t.Errorf("got %s", out)
	}
}
