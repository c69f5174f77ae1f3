package panscanner

import (
	"net"
	"net/url"
	"strings"
)

const (
	scanPath   = "/v1/scan/sync/request"
	asyncPath  = "/v1/scan/async/request"
	resultPath = "/v1/scan/results"
)

// regions maps a region to its base address. A key works in its own region only.
// Those of Japan and Australia come from published integrations, not from the
// API's own documents.
var regions = map[string]string{
	"us": "https://service.api.aisecurity.paloaltonetworks.com",
	"de": "https://service-de.api.aisecurity.paloaltonetworks.com",
	"in": "https://service-in.api.aisecurity.paloaltonetworks.com",
	"sg": "https://service-sg.api.aisecurity.paloaltonetworks.com",
	"jp": "https://service-jp.api.aisecurity.paloaltonetworks.com",
	"au": "https://service-au.api.aisecurity.paloaltonetworks.com",
}

// base returns the address that requests go to.
func (c *config) base() string {
	switch {
	case c.endpoint != "":
		return c.endpoint
	case c.region != "":
		return regions[c.region]
	default:
		return regions["us"]
	}
}

// regionName names the region for people.
func (c *config) regionName() string {
	switch {
	case c.endpoint != "":
		for name, base := range regions {
			if strings.TrimSuffix(c.endpoint, "/") == base {
				return name
			}
		}
		return "by endpoint"
	case c.region != "":
		return c.region
	default:
		return "us"
	}
}

// parseEndpoint checks a base address: the credential travels there.
func parseEndpoint(raw string) (*url.URL, string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, "must be an address such as https://service.api.aisecurity.paloaltonetworks.com"
	case u.User != nil:
		return nil, "must not contain a user name or password"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, "must not contain a query or fragment"
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, "must use https; http is only for loopback addresses"
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, "must use https"
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u, ""
}

// parseProxy checks the address of a proxy, which may hold a password.
func parseProxy(raw string) (*url.URL, string) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
		return nil, "must be an address of a proxy: http://, https:// or socks5://host:port"
	}
	return u, ""
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
