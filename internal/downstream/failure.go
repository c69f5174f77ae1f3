package downstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/process"
)

// Why a child's connection ended, beside its exit status.
var (
	errStalled = errors.New("the server did not read what it was sent")
	errExited  = errors.New("the server ended by itself")
)

// errSessionEnded is met when an HTTP server has forgotten the session.
var errSessionEnded = fmt.Errorf("%w: it has ended the session", peer.ErrGone)

var (
	// ErrUnauthorized says that the server refused a request because of who asks
	// for it, or that there is no authorization to show. It comes with an error
	// of package peer that says whether the request was sent.
	ErrUnauthorized = errors.New("the server wants other credentials")
	// ErrOldTransport says that the server may speak the old HTTP+SSE transport,
	// see HTTP.FallbackSSE.
	ErrOldTransport = peer.ErrOldTransport
)

// StatusError is how a call ends that an HTTP server refused without an answer.
// It is a peer.ErrStatus; with 401 and 403 it is an ErrUnauthorized, with Old
// an ErrOldTransport.
type StatusError struct {
	Status int
	Old    bool // what a server says that knows the old transport only
}

// Error names the status, not the server's words for it.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%v: HTTP status %d", peer.ErrStatus, e.Status)
}

// Unwrap returns peer.ErrStatus.
func (*StatusError) Unwrap() error { return peer.ErrStatus }

// Is reports whether target is what the status means.
func (e *StatusError) Is(target error) bool {
	return target == ErrUnauthorized && isRefusal(e.Status) || target == ErrOldTransport && e.Old
}

// isOldStatus reports whether a server that knows the old transport only may
// answer a POST with this status (MCP 2026-07-28, Streamable HTTP, backward
// compatibility).
func isOldStatus(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusNotFound || status == http.StatusMethodNotAllowed
}

// refusal reads the JSON-RPC error in a response that is not 2xx.
func refusal(res *http.Response, shape *jsonrpc.Shape) (jsonrpc.Message, bool) {
	if mediaType(res) != jsonType {
		return jsonrpc.Message{}, false
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxErrorBody+1))
	if err != nil || len(body) > maxErrorBody {
		return jsonrpc.Message{}, false
	}
	m, err := jsonrpc.Parse(body, shape)
	return m, err == nil && m.Error != nil
}

// isChallenge reports whether a refusal is about who asks, so that what else it
// says is not an answer. A 403 without a challenge may be one.
func isChallenge(res *http.Response) bool {
	return res.StatusCode == http.StatusUnauthorized || (res.StatusCode == http.StatusForbidden && len(challenge(res)) > 0)
}

// describe says what kind of failure an error of net/http is. The error's own
// text may quote what the server sent and the URL, which may hold a secret.
func describe(err error) string {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		op          *net.OpError
		timeout     interface{ Timeout() bool }
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "the exchange was ended"
	case errors.As(err, &dns):
		return "the host name cannot be resolved"
	case errors.As(err, &certificate):
		return "the server's certificate is not trusted"
	case errors.As(err, &record):
		return "the server does not speak TLS"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "the server did not answer in time"
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection to the server"
	default:
		return "the connection failed"
	}
}

// sendError returns what a refusal of the frame writer means for a call.
func sendError(err error) error {
	switch {
	case errors.Is(err, jsonrpc.ErrFull):
		return peer.ErrBusy
	case errors.Is(err, jsonrpc.ErrNotOneLine):
		return fmt.Errorf("%w: %w", peer.ErrNotSent, err)
	default:
		return peer.ErrGone
	}
}

// installers says where frequent commands come from.
var installers = map[string]string{
	"npx": "Node.js", "npm": "Node.js", "node": "Node.js", "bunx": "Bun", "bun": "Bun", "deno": "Deno",
	"uvx": "uv", "uv": "uv", "pipx": "pipx", "python": "Python", "python3": "Python",
	"docker": "Docker", "podman": "Podman", "java": "a Java runtime", "dotnet": ".NET",
}

// startError explains why a server did not start.
func startError(server, command string, err error) error {
	switch {
	case errors.Is(err, process.ErrNotFound):
		hint := "install it, or write its full path"
		if what, ok := installers[strings.TrimSuffix(strings.ToLower(filepath.Base(command)), ".exe")]; ok {
			hint = "install " + what + ", or write the full path"
		}
		return fmt.Errorf("server %q: %w: %s (a desktop program may have a shorter PATH than your shell: env.PATH sets another)",
			server, err, hint)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("server %q: there is no program %q, or no such working directory: check command and cwd: %w",
			server, command, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("server %q: %q may not be executed: check its permissions: %w", server, command, err)
	default:
		return fmt.Errorf("server %q: %w", server, err)
	}
}
