package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/mcp-relay/relay/bench/internal/jscan"
)

// readEvents reads an event stream up to the response to id, then drains it so
// that the connection can be used again. The draining is not timed.
func (t *httpT) readEvents(l *lane, r io.Reader, id int64) (res []byte, at time.Time, err error) {
	in := bufio.NewReaderSize(r, 32<<10)
	want := strconv.FormatInt(id, 10)
	data := l.body[:0]
	for {
		line, e := wholeLine(in)
		if e != nil {
			if errors.Is(e, io.EOF) {
				e = errors.New("event stream ended without the response")
			}
			return nil, time.Now(), e
		}
		if len(line) > 0 {
			if v, ok := bytes.CutPrefix(line, []byte("data:")); ok {
				if len(data) > 0 {
					data = append(data, '\n')
				}
				data = append(data, bytes.TrimPrefix(v, []byte(" "))...)
			}
			continue
		}
		if len(data) == 0 {
			continue
		}
		at = time.Now()
		var rawID, method []byte
		_ = jscan.Object(data, func(k, v []byte) bool {
			switch string(k) {
			case "id":
				rawID = v
			case "method":
				method = v
			}
			return true
		})
		if method == nil && string(rawID) == want {
			l.body = data
			_, err = io.Copy(io.Discard, in)
			return data, at, err
		}
		if method == nil {
			return nil, at, fmt.Errorf("stream carries a response to id %s, want %s", rawID, want)
		}
		data = data[:0]
	}
}

// wholeLine returns a line without its end.
func wholeLine(in *bufio.Reader) (line []byte, err error) {
	part, err := in.ReadSlice('\n')
	if err == nil {
		return bytes.TrimRight(part, "\r\n"), nil
	}
	buf := bytes.Clone(part)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(buf) > maxMessage {
			return nil, errors.New("event too long")
		}
		part, err = in.ReadSlice('\n')
		buf = append(buf, part...)
	}
	if err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf, "\r\n"), nil
}
