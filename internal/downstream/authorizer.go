package downstream

import (
	"context"
	"net/http"

	"github.com/mcp-relay/relay/internal/peer"
)

// Authorizer holds what a server asks of those who may use it, for example the
// tokens of OAuth (MCP, authorization). It is asked on the goroutine of the
// request, and must be safe for concurrent use.
type Authorizer interface {
	// Authorization returns the value of the Authorization header for the next
	// request; "" for none. It may refresh a token, and waits for that.
	Authorization(ctx context.Context) (string, error)
	// Refused is told of a 401 or 403 with its WWW-Authenticate headers, which
	// are the server's words; it reports whether a request with what
	// Authorization returns now may be tried again.
	Refused(ctx context.Context, status int, challenge []string) (retry bool)
}

// authorizationError is why a request was not sent. It does not quote what the
// Authorizer said, which may hold words of an authorization server.
type authorizationError struct{ cause error }

func (*authorizationError) Error() string {
	return peer.ErrNotSent.Error() + ": no authorization for it"
}

// Unwrap makes it recognizable.
func (e *authorizationError) Unwrap() []error {
	return []error{peer.ErrNotSent, ErrUnauthorized, e.cause}
}

// isRefusal reports whether a status is about who asks. RFC 9110 says of both
// that the server did not do what it was asked for.
func isRefusal(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// challenge returns how the server wants to be asked.
func challenge(res *http.Response) []string { return res.Header.Values("WWW-Authenticate") }
