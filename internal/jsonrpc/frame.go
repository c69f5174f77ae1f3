package jsonrpc

import "bytes"

const version = `{"jsonrpc":"2.0"`

// AppendRequest appends a request. Params is raw JSON, or nil for none.
func AppendRequest(dst []byte, id ID, method string, params []byte) []byte {
	dst = append(dst, version+`,"id":`...)
	dst = append(dst, id.raw...)
	return appendCall(dst, method, params)
}

// AppendNotification appends a notification. Params is raw JSON, or nil for
// none.
func AppendNotification(dst []byte, method string, params []byte) []byte {
	return appendCall(append(dst, version...), method, params)
}

func appendCall(dst []byte, method string, params []byte) []byte {
	dst = append(dst, `,"method":`...)
	dst = AppendString(dst, method)
	if params != nil {
		dst = append(dst, `,"params":`...)
		dst = append(dst, params...)
	}
	return append(dst, '}')
}

// AppendResult appends the answer to the request id. Result is raw JSON.
func AppendResult(dst []byte, id ID, result []byte) []byte {
	return appendAnswer(dst, id, `,"result":`, result)
}

// AppendError appends an error that answers the request id; the zero ID says
// that the request's id could not be read. The error object is raw JSON.
func AppendError(dst []byte, id ID, errorObject []byte) []byte {
	return appendAnswer(dst, id, `,"error":`, errorObject)
}

func appendAnswer(dst []byte, id ID, member string, value []byte) []byte {
	dst = append(dst, version+`,"id":`...)
	if id.IsZero() {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, id.raw...)
	}
	dst = append(dst, member...)
	dst = append(dst, value...)
	return append(dst, '}')
}

// Compact removes line feeds and carriage returns between the tokens of frame.
// It returns frame itself when there are none. It leaves those inside strings
// alone: valid JSON has none there.
func Compact(frame []byte) []byte {
	if oneLine(frame) {
		return frame
	}
	out := make([]byte, 0, len(frame))
	for i := 0; i < len(frame); {
		switch frame[i] {
		case '\n', '\r':
			i++
		case '"':
			end := skipString(frame, i)
			out = append(out, frame[i:end]...)
			i = end
		default:
			out = append(out, frame[i])
			i++
		}
	}
	return out
}

// oneLine reports whether no reader takes frame for two lines.
func oneLine(frame []byte) bool {
	return bytes.IndexByte(frame, '\n') < 0 && bytes.IndexByte(frame, '\r') < 0
}
