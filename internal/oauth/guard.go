package oauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"
)

// reach is a kind of address, or how far requests may go.
type reach uint8

const (
	nowhere  reach = iota // link-local, multicast, reserved: never
	loopback              // this machine
	private               // a network of one's own, and carrier-grade NAT
	public
)

// ranges are the kinds of addresses that netip's own questions do not single
// out.
type ranges struct {
	reserved []netip.Prefix
	carrier  netip.Prefix
	nat64    netip.Prefix // the last four bytes are the real address
}

var special = sync.OnceValue(func() ranges {
	r := ranges{carrier: netip.MustParsePrefix("100.64.0.0/10"), nat64: netip.MustParsePrefix("64:ff9b::/96")}
	for _, s := range []string{
		"0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		r.reserved = append(r.reserved, netip.MustParsePrefix(s))
	}
	return r
})

// reachOf says what kind of address ip is.
func reachOf(ip netip.Addr) reach {
	ip = ip.Unmap()
	known := special()
	if known.nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	switch {
	case !ip.IsValid() || ip.Zone() != "" || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast():
		return nowhere
	case ip.IsLoopback():
		return loopback
	case ip.IsPrivate() || known.carrier.Contains(ip):
		return private
	}
	for _, p := range known.reserved {
		if p.Contains(ip) {
			return nowhere
		}
	}
	return public
}

// guard decides where requests of this package may go: to public addresses,
// and to addresses of the kind that the configured server's own URL spells out.
// A host name that the user wrote may also mean a private address. Every other
// name that leads to this machine or to the local network is refused.
type guard struct {
	server reach
	dialer net.Dialer
	// connect dials. Tests put a network of their own here.
	connect func(ctx context.Context, d *net.Dialer, network, address string) (net.Conn, error)

	mu      sync.Mutex
	trusted map[string]bool // host names that the user wrote
	proxies map[string]bool // addresses, with ports, of proxies that the user chose
}

const connectTimeout = 10 * time.Second

func newGuard(serverHost string) *guard {
	g := &guard{
		dialer:  net.Dialer{Timeout: connectTimeout},
		trusted: map[string]bool{strings.ToLower(serverHost): true},
		proxies: map[string]bool{},
		connect: func(ctx context.Context, d *net.Dialer, network, address string) (net.Conn, error) {
			return d.DialContext(ctx, network, address)
		},
	}
	g.server = public
	if kind, err := hostKind(serverHost); err == nil {
		g.server = kind
	}
	return g
}

// trust records a host name that the user wrote.
func (g *guard) trust(host string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trusted[strings.ToLower(host)] = true
}

// proxy records the address of a proxy that the user chose.
func (g *guard) proxy(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.proxies[address] = true
}

// errAddress is what a refused address is. It quotes nothing: the address may
// be what somebody wants to find out.
var errAddress = errors.New("the address is on this machine, on the local network or reserved, and is not asked")

// dial connects to address, after checking what its name led to.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, errAddress
	}
	g.mu.Lock()
	trusted, proxy := g.trusted[strings.ToLower(host)], g.proxies[address]
	g.mu.Unlock()
	d := g.dialer
	d.ControlContext = func(_ context.Context, _, actual string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(actual)
		if err != nil {
			return errAddress
		}
		if proxy {
			return nil
		}
		return g.permit(reachOf(ap.Addr()), trusted)
	}
	conn, err := g.connect(ctx, &d, network, address)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	return conn, nil
}

// permit decides about one kind of address.
func (g *guard) permit(kind reach, trusted bool) error {
	switch {
	case kind == public:
		return nil
	case kind == nowhere:
		return errAddress
	case kind == g.server:
		return nil
	case kind == private && trusted:
		return nil
	}
	return errAddress
}
