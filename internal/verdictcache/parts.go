package verdictcache

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Identity is what a scanner's verdicts depend on besides the content.
type Identity struct {
	Contract   string // version of the contract with scanners
	Relay      string // version and build
	Digest     string // of the scanner's program, or what tells its file from any other
	Name       string // of the scanner, in the configuration
	Program    string // what the program calls itself
	Version    string // of the program, as it says
	Config     Sum    // of its configuration and the files that this names
	MayRewrite bool   // whether the scanner may write text of its own
	Inventory  bool   // whether its verdicts depend on what other servers offer
}

// Sum is a SHA-256.
type Sum [sha256.Size]byte

// parts is everything that a verdict is looked up by.
type parts struct {
	Identity

	Phase            verdict.Phase
	Kind             verdict.Kind
	MIME             string
	Principal        string
	Client           string
	Server           string
	Method           string
	Target           string
	ProtocolVersion  string
	Request          Sum
	RequestTruncated bool
	Data             Sum
	Offered          Sum // of what other servers offer; zero: nothing, or it does not matter
}

func partsOf(id *Identity, c *verdict.Content) parts {
	o := &c.Origin
	p := parts{
		Identity: *id,
		Phase:    c.Phase, Kind: c.Kind, MIME: c.MIME,
		Principal: o.Principal, Client: o.Client, Server: o.Server, Method: o.Method, Target: o.Target,
		ProtocolVersion:  o.ProtocolVersion,
		RequestTruncated: c.RequestTruncated, Data: sha256.Sum256(c.Data),
	}
	if c.Request != nil {
		p.Request = sha256.Sum256(c.Request)
	}
	if id.Inventory && len(c.Inventory) > 0 {
		var w writer
		for _, o := range c.Inventory {
			w.text(o.Server)
			w.text(o.Name)
		}
		p.Offered = w.sum()
	}
	return p
}

// sum returns the key. Every part has its length before it, so that none runs
// into the next.
func (p *parts) sum() Sum {
	var buf [512]byte // most keys fit
	w := writer{buf: buf[:0]}
	for _, s := range [...]string{
		p.Contract, p.Relay, p.Digest, p.Name, p.Program, p.Version,
		p.MIME, p.Principal, p.Client, p.Server, p.Method, p.Target, p.ProtocolVersion,
	} {
		w.text(s)
	}
	w.flags(p.MayRewrite, p.RequestTruncated, p.Inventory)
	w.buf = append(w.buf, byte(p.Phase), byte(p.Kind))
	w.buf = append(w.buf, p.Config[:]...)
	w.buf = append(w.buf, p.Request[:]...)
	w.buf = append(w.buf, p.Data[:]...)
	w.buf = append(w.buf, p.Offered[:]...)
	return w.sum()
}

// writer gathers parts, so that the hash gets them at once.
type writer struct{ buf []byte }

func (w *writer) text(s string) {
	w.buf = binary.AppendUvarint(w.buf, uint64(len(s)))
	w.buf = append(w.buf, s...)
}

func (w *writer) flags(all ...bool) {
	for _, f := range all {
		b := byte(0)
		if f {
			b = 1
		}
		w.buf = append(w.buf, b)
	}
}

func (w *writer) sum() Sum { return sha256.Sum256(w.buf) }
