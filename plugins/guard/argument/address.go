package argument

import (
	"net/netip"
	"strconv"
	"strings"
)

// Reach says what an address leads to.
type Reach uint8

// What addresses lead to. Outside is everything else.
const (
	Outside   Reach = iota
	Metadata        // the service that gives a cloud machine its credentials
	Disguised       // loopback or an internal address, spelt so that a filter does not see it
	Internal        // loopback or an internal address, at a port, name or path that only programs use
	Local           // any other loopback or internal address
)

// metadataNames are the names of metadata services.
var metadataNames = [...]string{
	"metadata.google.internal", "metadata.goog", "metadata", "instance-data",
	"metadata.azure.internal", "metadata.tencentyun.com", "instance-data.ec2.internal",
}

// rebinders resolve a name with an address in it to that address, or to loopback.
var rebinders = [...]string{
	".nip.io", ".sslip.io", ".xip.io", ".1u.ms", ".rbndr.us", ".lvh.me", ".localtest.me", ".vcap.me", ".lacolhost.com",
}

// programPorts are ports of services that trust who can reach them.
var programPorts = [...]string{
	"22", "23", "25", "111", "389", "445", "873", "2049", "2181", "2375", "2376", "2379", "3389",
	"5984", "6379", "6443", "8500", "9200", "9300", "10250", "10255", "11211", "27017", "50070",
}

// Address reports what the address or host in text leads to, read the way that
// fetching programs read it rather than as standards say.
func Address(text string) Reach {
	text = strings.TrimSpace(Decode(text))
	if plain := narrow(text); plain != text {
		if r := Address(plain); r == Internal || r == Local {
			return Disguised
		}
		text = plain
	}
	rest, scheme, ok := cutScheme(text)
	if !ok {
		return Outside
	}
	slashes := len(rest) - len(strings.TrimLeft(rest, "/"))
	rest = rest[slashes:]
	authority := rest
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		authority = rest[:i]
		if r := disputed(authority, rest[i:]); scheme && r != Outside {
			return r
		}
	}
	worst := worstHost(authority, !scheme)
	odd := strings.Contains(authority, "@") || slashes != 2
	switch {
	case worst == Metadata, worst == Outside:
		return worst
	case !scheme && worst == Internal:
		return Outside
	case scheme && odd:
		return Disguised
	case worst == Internal && !programPort(authority) && !clusterName(authority) && !programPath(rest):
		return Local
	default:
		return worst
	}
}

// worstHost judges what stands between the at signs of an authority: programs
// disagree about which of it is the host.
func worstHost(authority string, bare bool) Reach {
	worst := Outside
	for part := range strings.SplitSeq(authority, "@") {
		if r := hostReach(part, bare); r == Metadata || r != Outside && worst == Outside {
			worst = r
		}
	}
	return worst
}

// cutScheme cuts the scheme off, when text has one that fetches pages, and
// reports whether text can be an address at all.
func cutScheme(text string) (rest string, scheme, ok bool) {
	name, rest, found := strings.Cut(text, ":")
	if found && (strings.EqualFold(name, "http") || strings.EqualFold(name, "https")) {
		return rest, true, true
	}
	return text, false, !strings.ContainsAny(text, " \n") && !strings.Contains(text, "://")
}

// disputed judges http://a#@b and http://a\@b, where programs disagree about
// which of the two is the host. rest begins behind a.
func disputed(authority, rest string) Reach {
	tail, ok := strings.CutPrefix(rest[1:], "@")
	if !ok || rest[0] != '#' && rest[0] != '\\' {
		return Outside
	}
	switch r := hostReach(strings.TrimRight(tail, "/"), false); {
	case r == Metadata:
		return Metadata
	case r != Outside, hostReach(authority, false) != Outside:
		return Disguised
	default:
		return Outside
	}
}

// hostReach judges one host, with or without a port. A bare one, without a
// scheme, is taken for an address only where it can be nothing else.
func hostReach(host string, bare bool) Reach {
	host = strings.ToLower(hostOf(host))
	for _, n := range metadataNames {
		if host == n && (!bare || strings.Contains(n, ".")) {
			return Metadata
		}
	}
	for _, r := range rebinders {
		if strings.HasSuffix("."+host, r) {
			return Disguised
		}
	}
	plain, err := netip.ParseAddr(strings.Trim(host, "[]"))
	spelt := false
	if err != nil {
		if bare && !strings.Contains(host, "0x") {
			return Outside
		}
		var ok bool
		if plain, ok = loose(host); !ok {
			if host == "localhost" || strings.HasSuffix(host, ".localhost") || clusterName(host) {
				return Internal
			}
			return Outside
		}
		spelt = true
	}
	if plain.Is4In6() {
		plain, spelt = plain.Unmap(), true
	}
	return addressReach(plain, spelt)
}

// addressReach judges an address; spelt says that it was not written as usual.
func addressReach(a netip.Addr, spelt bool) Reach {
	switch s := a.String(); {
	case s == "169.254.169.254", s == "169.254.170.2", s == "169.254.170.23", s == "100.100.100.200",
		s == "192.0.0.192", s == "fd00:ec2::254", s == "fd00:ec2::23", s == "fd20:ce::254":
		return Metadata
	case spelt && (a.IsLoopback() || a.IsPrivate() || a.IsUnspecified() || a.IsLinkLocalUnicast()):
		return Disguised
	case a.Is6() && (a.IsLoopback() || a.IsUnspecified()):
		return Disguised
	case a.Is4() && a.IsLoopback() && s != "127.0.0.1" && s != "127.0.1.1" && s != "127.0.0.53":
		return Disguised
	case a.IsLoopback(), a.IsPrivate(), a.IsUnspecified():
		return Internal
	default:
		return Outside
	}
}

// hostOf cuts the port off.
func hostOf(authority string) string {
	if i := strings.IndexByte(authority, ']'); strings.HasPrefix(authority, "[") && i > 0 {
		return authority[:i+1]
	}
	host, _, _ := strings.Cut(authority, ":")
	return strings.TrimSuffix(host, ".")
}

// loose reads an address as inet_aton does: one to four numbers, decimal, octal
// or hexadecimal, of which the last fills what is left. Numbers above a byte
// wrap, as they do in some programs.
func loose(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 || host == "" {
		return netip.Addr{}, false
	}
	var value uint64
	for i, part := range parts {
		n, err := strconv.ParseUint(octal(part), 0, 40)
		if err != nil || strings.Contains(part, "_") {
			return netip.Addr{}, false
		}
		if i < len(parts)-1 {
			value = value<<8 | n&0xff
			continue
		}
		left := uint(8 * (5 - len(parts)))
		value = value<<left | n&(1<<left-1)
	}
	return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true
}

// octal spells a number with a leading zero so that ParseUint reads it as such.
func octal(part string) string {
	if strings.HasPrefix(part, "0") && !strings.ContainsAny(part, "xX89") && len(part) > 1 {
		return "0o0" + part
	}
	if strings.HasPrefix(strings.ToLower(part), "0b") || strings.HasPrefix(strings.ToLower(part), "0o") {
		return "-"
	}
	return part
}

func programPort(authority string) bool {
	i := strings.LastIndexByte(authority, ':')
	if i < 0 || strings.HasSuffix(authority, "]") {
		return false
	}
	for _, p := range programPorts {
		if authority[i+1:] == p {
			return true
		}
	}
	return false
}

// programPaths are parts of paths by which programs are administered.
var programPaths = [...]string{
	"/admin", "/cgi-bin", "/manager/html", "/actuator", "/internal/", "/secrets", "/shutdown", "/server-status",
	"/_cat/", "/v1/kv", "/containers/", "/.env", "/wp-admin", "/phpmyadmin", "/jmx", "/debug/pprof", "/api/v1/namespaces",
}

func programPath(rest string) bool {
	for _, p := range programPaths {
		if strings.Contains(rest, p) {
			return true
		}
	}
	return false
}

// clusterName reports whether host is the control plane of a cluster.
func clusterName(host string) bool {
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	return host == "kubernetes.default" || strings.HasPrefix(host, "kubernetes.default.svc")
}
