package panscanner

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// LiveConfig returns a configuration with which a scan is exactly one request,
// whatever becomes of it. What cannot be read is returned as it is.
func LiveConfig(raw []byte) []byte {
	var members map[string]jsontext.Value
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return raw
	}
	// A wrong one is left to be reported. A second request for a slow answer is
	// only sent once there were others.
	if set, wrong := members["max_retries"]; !wrong || integer(new(int), 0, mostRetries)(set) == "" {
		members["max_retries"] = jsontext.Value("0")
	}
	out, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		return raw
	}
	return out
}

// Advice says what to do when a scan ends without a verdict for this reason.
func Advice(reason string) string {
	switch reason {
	case "unauthenticated":
		return "copy the key again from where it was made, make a new one if it was revoked or has expired, " +
			"and set region to the region it was made in: elsewhere it is refused like a wrong one"
	case "internal":
		return "check the name or the UUID in profile, and that region or endpoint is the address of the scan API; " +
			"without a profile the key needs one that is linked to it"
	case "unavailable":
		return "check that the address can be reached from here: name server, firewall, proxy, ca_file behind one that inspects TLS"
	case "timeout":
		return "check region (a near one answers sooner), the network and the proxy; then raise timeout"
	case "rate_limited":
		return "wait and try again; the quota or the rate limit of the tenant is used up: see rate and tokens_per_minute"
	default:
		return ""
	}
}
