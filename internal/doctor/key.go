package doctor

import (
	"encoding/json"

	"github.com/mcp-relay/relay/internal/config"
)

// airs is the bundled scanner that needs an account.
const airs = "panscanner"

// Credentials looks at whether scanners and tokens have what they need. No value
// is repeated.
func Credentials(cfg *config.Config) Report {
	var out Report
	for i := range cfg.Relay.Scanners {
		s := &cfg.Relay.Scanners[i]
		if !s.Bundled || s.Plugin != airs {
			continue
		}
		var keys map[string]json.RawMessage
		_ = json.Unmarshal(s.Config, &keys) // nothing else comes out of the loader
		c := Check{Area: Keys, Subject: s.Name, Status: OK, What: "a credential for Prisma AIRS is present"}
		switch {
		case blank(keys["api_key"]) && blank(keys["api_token"]):
			c.Status, c.What, c.Do = Fail, "there is no credential for Prisma AIRS", "set PRISMA_AIRS_API_KEY where the relay is started"
		case blank(keys["profile"]):
			c.Status, c.What = Warn, c.What+", and no AI profile"
			c.Do = "set PRISMA_AIRS_AI_PROFILE, unless the key belongs to a profile"
		}
		out = append(out, c)
	}
	for i := range cfg.Servers {
		s := &cfg.Servers[i]
		if s.Disabled {
			continue
		}
		for _, values := range []map[string]string{s.Env, s.Headers} {
			for name, value := range values {
				if value == "" {
					out = append(out, Check{
						Area: Keys, Subject: s.Name, Status: Warn, What: name + " is empty",
						Do: "set the variable that it is taken from, or remove it",
					})
				}
			}
		}
	}
	return out
}

func blank(raw json.RawMessage) bool {
	var s string
	return json.Unmarshal(raw, &s) != nil || s == ""
}

// Keychain returns the check for whether there is a keychain that answers without
// asking the user. It is needed for logins only.
func Keychain(needed, reachable bool) Check {
	c := Check{Area: Keys, Subject: "keychain", Status: OK, What: "there is a keychain to seal logins with"}
	switch {
	case !reachable && needed:
		c.Status, c.What = Warn, "there is no keychain: logins to servers last as long as the relay runs"
		c.Do = "start the relay in a session with a keychain"
	case !reachable:
		c.What = "there is no keychain, and no server needs a login"
	}
	return c
}
