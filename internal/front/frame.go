package front

import (
	"bytes"
	"strconv"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// response makes the frame of an answer, on one line, and reads its JSON-RPC
// error code: 0 for a result.
func response(id jsonrpc.ID, c peer.Cleared) (frame []byte, code int, err error) {
	frame, err = peer.AppendResponse(make([]byte, 0, len(c.Body())+envelope), id, c)
	if err != nil {
		return nil, 0, err
	}
	if c.Part() == peer.Error {
		code = errorCode(c.Body())
	}
	frame, err = oneLine(frame)
	return frame, code, err
}

// request makes the frame of a request or, with a zero id, of a notification,
// on one line.
func request(id jsonrpc.ID, c peer.Cleared) ([]byte, error) {
	frame, err := peer.AppendRequest(make([]byte, 0, len(c.Body())+len(c.Method())+envelope), id, c)
	if err != nil {
		return nil, err
	}
	return oneLine(frame)
}

// oneLine removes line ends between the tokens of a frame: each would begin a
// new line of an event. Valid JSON has none elsewhere.
func oneLine(frame []byte) ([]byte, error) {
	out := jsonrpc.Compact(frame)
	if len(out) != len(frame) && bytes.ContainsAny(out, "\r\n") {
		return nil, jsonrpc.ErrNotOneLine
	}
	return out, nil
}

// unknownCode stands for an error whose code is not a whole number.
const unknownCode = 1

func errorCode(object []byte) int {
	raw, ok := jsonrpc.Member(object, "code")
	if !ok {
		return unknownCode
	}
	code, err := strconv.Atoi(string(raw))
	if err != nil || code == 0 {
		return unknownCode
	}
	return code
}
