package process

import (
	"fmt"
	"os"
	"strings"
)

// pipes holds the three standard streams, both sides.
type pipes struct {
	child  [3]*os.File
	parent [3]*os.File
}

func openPipes() (*pipes, error) {
	p := &pipes{}
	for i := range p.child {
		r, w, err := os.Pipe()
		if err != nil {
			p.closeChild()
			p.closeParent()
			return nil, fmt.Errorf("open a pipe: %w", err)
		}
		if i == 0 {
			p.child[i], p.parent[i] = r, w
		} else {
			p.child[i], p.parent[i] = w, r
		}
	}
	return p, nil
}

func (p *pipes) closeChild()  { closeAll(p.child[:]) }
func (p *pipes) closeParent() { closeAll(p.parent[:]) }

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close() // a pipe end that nobody used; there is nothing to lose
		}
	}
}

// withCookie returns env with the cookie in front, replacing any other.
func withCookie(env []string, cookie string) []string {
	out := make([]string, 0, len(env)+1)
	out = append(out, cookieVariable+"="+cookie)
	for _, entry := range env {
		if !strings.HasPrefix(entry, cookieVariable+"=") {
			out = append(out, entry)
		}
	}
	return out
}
