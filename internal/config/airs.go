package config

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// The environment variables that name AIRS credentials: the relay's own
// first, then those of pan-mcp-relay and the PANW hooks, then those of the SDK.
// The lists are written out, so that no other variable ever reaches a scanner.
var (
	airsKeyNames      = []string{"MCP_RELAY_AIRS_API_KEY", "PRISMA_AIRS_API_KEY", "PANW_AI_SEC_API_KEY"}
	airsTokenNames    = []string{"MCP_RELAY_AIRS_API_TOKEN", "PRISMA_AIRS_API_TOKEN", "PANW_AI_SEC_API_TOKEN"}
	airsEndpointNames = []string{"MCP_RELAY_AIRS_API_ENDPOINT", "PRISMA_AIRS_API_ENDPOINT", "PRISMA_AIRS_URL", "PANW_AI_SEC_API_ENDPOINT"}
	airsProfileNames  = []string{
		"MCP_RELAY_AIRS_AI_PROFILE", "PRISMA_AIRS_AI_PROFILE", "PRISMA_AIRS_PROFILE_ID", "PRISMA_AIRS_PROFILE_NAME",
		"PANW_AI_PROFILE_ID", "PANW_AI_PROFILE_NAME", "PANW_AI_SEC_PROFILE_NAME",
	}
	caFileNames = []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
)

// airsHost is where AIRS is without an endpoint; it decides whether NO_PROXY
// names it.
const airsHost = "https://service.api.aisecurity.paloaltonetworks.com"

// airs is what is known of the AIRS account outside the scanner's own config.
type airs struct {
	key, token, endpoint, profile, caFile string
	source                                string // where the credential came from
}

// setLegacy takes a key of the section mcpRelay; it reports whether it is one.
func (a *airs) setLegacy(name, value string) bool {
	switch name {
	case "apikey":
		a.key, a.source = value, "mcpRelay"
	case "aiprofile":
		a.profile = value
	case "apiendpoint", "endpoint":
		a.endpoint = value
	case "customcafile":
		a.caFile = value
	default:
		return false
	}
	return true
}

// setEnvironment takes what the environment says, which is stronger.
func (a *airs) setEnvironment(environ func(string) (string, bool)) {
	take := func(dst *string, names []string) string {
		for _, name := range names {
			if v, _ := environ(name); strings.TrimSpace(v) != "" {
				*dst = strings.TrimSpace(v)
				return name
			}
		}
		return ""
	}
	if name := take(&a.token, airsTokenNames); name != "" {
		a.source = name
	}
	if name := take(&a.key, airsKeyNames); name != "" {
		a.source = name
	}
	take(&a.endpoint, airsEndpointNames)
	take(&a.profile, airsProfileNames)
	take(&a.caFile, caFileNames)
}

// Complete returns the configuration of a bundled scanner as the relay would give
// it to it: that of panscanner with what the environment says, any other as it is.
func Complete(plugin string, given json.RawMessage, environ func(string) (string, bool)) json.RawMessage {
	if plugin != bundledAIRS {
		return given
	}
	var a airs
	a.setEnvironment(environ)
	return a.complete(given, environ)
}

func (a *airs) present() bool { return a.key != "" || a.token != "" }

// complete adds to the configuration of a panscanner what it does not say
// itself. Credentials come with the endpoint they are for: a scanner that has
// a key of its own is not pointed elsewhere by the environment.
func (a *airs) complete(config json.RawMessage, environ func(string) (string, bool)) json.RawMessage {
	keys := map[string]json.RawMessage{}
	if len(config) > 0 && json.Unmarshal(config, &keys) != nil {
		return config
	}
	has := func(name string) bool { _, ok := keys[name]; return ok }
	set := func(name, value string) {
		if value != "" && !has(name) {
			keys[name] = appendString(nil, value)
		}
	}
	if !has("api_key") && !has("api_token") {
		set("api_key", a.key)
		set("api_token", a.token)
		if !has("region") {
			set("endpoint", a.endpoint)
		}
	}
	set("profile", a.profile)
	if filepath.IsAbs(a.caFile) {
		set("ca_file", a.caFile)
	}
	set("proxy", proxyFor(stringOr(keys["endpoint"], airsHost), environ))
	out, err := json.Marshal(keys)
	if err != nil { // raw members that were valid stay valid
		return config
	}
	return out
}

func stringOr(raw json.RawMessage, fallback string) string {
	var s string
	if json.Unmarshal(raw, &s) != nil || s == "" {
		return fallback
	}
	return s
}

// proxyFor is the proxy that the environment names for an endpoint, or "".
func proxyFor(endpoint string, environ func(string) (string, bool)) string {
	first := func(names ...string) string {
		for _, name := range names {
			if v, _ := environ(name); v != "" {
				return v
			}
		}
		return ""
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	proxies := httpproxy.Config{
		HTTPSProxy: first("HTTPS_PROXY", "https_proxy"),
		HTTPProxy:  first("HTTP_PROXY", "http_proxy"),
		NoProxy:    first("NO_PROXY", "no_proxy"),
	}
	proxy, err := proxies.ProxyFunc()(u)
	if err != nil || proxy == nil {
		return ""
	}
	return proxy.String()
}
