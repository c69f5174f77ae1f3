package panscanner

import (
	_ "embed" // the schema
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/scanner"
)

// configSchema is the JSON Schema of the configuration. It leaves unknown
// members to Configure, which says what was probably meant.
//
//go:embed config.schema.json
var configSchema []byte

// Limits of the service, in bytes unless stated.
const (
	maxBody       = 2_000_000 // of a synchronous request, as a whole
	minBody       = 128 << 10 // room for twice the overlap, however it is escaped
	minOverlap    = 1 << 10
	maxOverlap    = 4 << 10
	maxCredential = 2048
	maxProfile    = 100 // characters
	maxURLs       = 100 // addresses in one request
	mostRetries   = 10
	maxTemplate   = 512
	leastRate     = 0.1 // requests a second
	mostRate      = 10_000
)

// config is the configuration after parsing. It holds a credential: never log it.
type config struct {
	apiKey   string
	apiToken string
	region   string
	endpoint string
	profile  string
	proxy    string
	caFile   string

	appName string
	appUser string
	aiModel string
	agent   wireAgent

	reportURL string

	payloadHash    bool
	contextRequest bool
	timeout        time.Duration
	maxRetries     int
	maxRequest     int
	overlap        int
	maxChunks      int

	rate            float64 // requests a second
	burst           int
	tokensPerMinute int
	hedgeAfter      time.Duration
	hedgeQuantile   float64
	hedgePercent    int
	batch           string
	share           bool
	allowance       limits
}

func defaults() config {
	return config{
		appName: "mcp-relay", timeout: 5 * time.Second, maxRetries: 2,
		maxRequest: maxBody, overlap: minOverlap, maxChunks: 32,
		rate: 150, burst: 10, tokensPerMinute: 15_000_000, hedgePercent: 5, batch: batchAuto, share: true,
		allowance: limits{per: perSession},
	}
}

// parseConfig reads the configuration and reports everything that is wrong.
func parseConfig(raw []byte) (config, scanner.Problems) {
	c := defaults()
	fields := c.fields()
	var members map[string]jsontext.Value
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return c, scanner.Problems{{Message: "the configuration must be one JSON object without duplicate names"}}
	}
	nested := members["budget"]
	delete(members, "budget")
	problems := readMembers(members, fields, "")
	if nested != nil {
		problems = append(problems, c.allowance.read(nested)...)
	}
	return c, append(problems, c.check(members)...)
}

// readMembers reads the members of an object at prefix and says what is wrong.
func readMembers(members map[string]jsontext.Value, fields map[string]func(jsontext.Value) string, prefix string) scanner.Problems {
	var problems scanner.Problems
	for _, name := range slices.Sorted(maps.Keys(members)) {
		pointer := prefix + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		set, ok := fields[name]
		if !ok {
			problems = append(problems, scanner.Problem{Pointer: pointer, Message: unknownMember(name, fields)})
			continue
		}
		if message := set(members[name]); message != "" {
			problems = append(problems, scanner.Problem{Pointer: pointer, Message: message})
		}
	}
	return problems
}

// fields maps a member to what reads it; the answer is what is wrong, or empty.
func (c *config) fields() map[string]func(jsontext.Value) string {
	return map[string]func(jsontext.Value) string{
		"api_key":           credential(&c.apiKey),
		"api_token":         credential(&c.apiToken),
		"region":            text(&c.region, maxProfile),
		"endpoint":          text(&c.endpoint, maxCredential),
		"profile":           text(&c.profile, maxProfile),
		"proxy":             text(&c.proxy, maxCredential),
		"ca_file":           text(&c.caFile, maxCredential),
		"app_name":          text(&c.appName, maxProfile),
		"app_user":          text(&c.appUser, maxProfile),
		"ai_model":          text(&c.aiModel, maxProfile),
		"payload_hash":      boolean(&c.payloadHash),
		"context_request":   boolean(&c.contextRequest),
		"timeout":           duration(&c.timeout, 100*time.Millisecond, 5*time.Minute),
		"max_retries":       integer(&c.maxRetries, 0, mostRetries),
		"max_request_bytes": integer(&c.maxRequest, minBody, maxBody),
		"chunk_overlap":     integer(&c.overlap, minOverlap, maxOverlap),
		"max_chunks":        integer(&c.maxChunks, 1, 1000),

		"agent_id":          text(&c.agent.ID, maxProfile),
		"agent_version":     text(&c.agent.Version, maxProfile),
		"agent_arn":         text(&c.agent.ARN, maxCredential),
		"report_url":        text(&c.reportURL, maxTemplate),
		"rate":              number(&c.rate, leastRate, mostRate),
		"burst":             integer(&c.burst, 1, 10_000),
		"tokens_per_minute": integer(&c.tokensPerMinute, 1000, 10_000_000_000),
		"hedge_after":       hedging(&c.hedgeAfter, &c.hedgeQuantile),
		"hedge_percent":     integer(&c.hedgePercent, 1, 50),
		"batch":             word(&c.batch, batchAuto, batchSync),
		"share_in_flight":   boolean(&c.share),
	}
}

// check reports what only shows when the members are looked at together.
func (c *config) check(members map[string]jsontext.Value) scanner.Problems {
	var problems scanner.Problems
	add := func(pointer, message string) {
		problems = append(problems, scanner.Problem{Pointer: pointer, Message: message})
	}
	has := func(name string) bool { _, ok := members[name]; return ok }
	switch {
	case has("api_key") && has("api_token"):
		add("/api_token", "give api_key or api_token, not both")
	case !has("api_key") && !has("api_token"):
		add("", "give api_key (an API key) or api_token (an OAuth token)")
	default:
	}
	if has("region") && has("endpoint") {
		add("/region", "give region or endpoint, not both")
	}
	if c.region != "" && regions[c.region] == "" {
		add("/region", "must be one of us, de, in, sg, jp and au")
	}
	if c.endpoint != "" {
		if _, message := parseEndpoint(c.endpoint); message != "" {
			add("/endpoint", message)
		}
	}
	if c.reportURL != "" {
		if message := parseReportURL(c.reportURL); message != "" {
			add("/report_url", message)
		}
	}
	if c.proxy != "" {
		if _, message := parseProxy(c.proxy); message != "" {
			add("/proxy", message)
		}
	}
	return problems
}

var uuidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// aiProfile returns the profile as requests name it: by id when it looks like a
// UUID, else by name; neither means the profile that is linked to the key.
func (c *config) aiProfile() wireProfile {
	if uuidPattern.MatchString(c.profile) {
		return wireProfile{ID: c.profile}
	}
	return wireProfile{Name: c.profile}
}
