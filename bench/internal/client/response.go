package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"strconv"
	"strings"
)

// head is what the head of a response says.
type head struct {
	status  int
	length  int64 // -1 when unknown
	chunked bool
	sse     bool
	close   bool
	session string
}

func readHead(r *bufio.Reader) (h head, err error) {
	for {
		h = head{length: -1}
		line, err := r.ReadSlice('\n')
		if err != nil {
			if len(line) == 0 && (errors.Is(err, io.EOF) || strings.Contains(err.Error(), "reset")) {
				err = errStale
			}
			return h, err
		}
		if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
			return h, fmt.Errorf("bad status line %q", clip(line))
		}
		h.close = line[7] == '0'
		h.status, _ = strconv.Atoi(string(line[9:12]))
		for {
			if line, err = r.ReadSlice('\n'); err != nil {
				return h, err
			}
			line = bytes.TrimRight(line, "\r\n")
			if len(line) == 0 {
				break
			}
			k, v, _ := bytes.Cut(line, []byte(":"))
			v = bytes.TrimSpace(v)
			switch {
			case bytes.EqualFold(k, []byte("Content-Length")):
				h.length, _ = strconv.ParseInt(string(v), 10, 64)
			case bytes.EqualFold(k, []byte("Transfer-Encoding")):
				h.chunked = bytes.EqualFold(v, []byte("chunked"))
			case bytes.EqualFold(k, []byte("Content-Type")):
				h.sse = bytes.HasPrefix(v, []byte("text/event-stream"))
			case bytes.EqualFold(k, []byte("Connection")):
				h.close = bytes.EqualFold(v, []byte("close"))
			case bytes.EqualFold(k, []byte("Mcp-Session-Id")):
				h.session = string(v)
			}
		}
		if h.status >= 200 {
			return h, nil
		}
	}
}

func (h *head) body(r *bufio.Reader) io.Reader {
	switch {
	case h.status == 204:
		h.length = 0
		return io.LimitReader(r, 0)
	case h.chunked:
		return httputil.NewChunkedReader(r)
	case h.length >= 0:
		return io.LimitReader(r, h.length)
	}
	h.close = true
	return r
}

// skipTrailer reads what follows the last chunk, which the chunked reader leaves.
func skipTrailer(r *bufio.Reader) error {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil || len(bytes.TrimRight(line, "\r\n")) == 0 {
			return err
		}
	}
}

func readAll(r io.Reader, dst []byte, length int64) ([]byte, error) {
	if length > maxMessage {
		return dst, errors.New("response too long")
	}
	if length >= 0 {
		if int64(cap(dst)) < length {
			dst = make([]byte, 0, length)
		}
		n, err := io.ReadFull(r, dst[:length])
		return dst[:n], err
	}
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, make([]byte, max(4096, len(dst)))...)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if errors.Is(err, io.EOF) {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
		if len(dst) > maxMessage {
			return dst, errors.New("response too long")
		}
	}
}
