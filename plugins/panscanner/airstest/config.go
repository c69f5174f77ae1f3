package airstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Defaults of a Config that leaves the fields empty.
const (
	DefaultKey     = "airstest-key"
	DefaultProfile = "airstest"
)

// Config is what an emulator is started with. The zero value is useful: one
// key, one profile with every detector set to block, no delay, no rate limit.
type Config struct {
	// Seed makes ids, delays and the order of asynchronous results repeatable.
	Seed uint64 `json:"seed"`
	// Keys are the accepted values of x-pan-token. Empty: [DefaultKey].
	Keys []Key `json:"keys"`
	// Tokens are the accepted OAuth bearer tokens, without "Bearer ".
	Tokens []string `json:"tokens"`
	// Profiles are the security profiles. Empty: [DefaultProfile].
	Profiles []Profile `json:"profiles"`

	// MaxSync and MaxAsync bound request bodies, in bytes. Zero: 2 MB and 5 MB.
	MaxSync  int `json:"max_sync"`
	MaxAsync int `json:"max_async"`
	// MaxBatch bounds an asynchronous batch. The sources disagree (5, 20, 25). Zero: 25.
	MaxBatch int `json:"max_batch"`
	// MaxURLs bounds the links of a request. Zero: 100.
	MaxURLs int `json:"max_urls"`
	// AllowEmptyString lets empty strings pass with "allow"; the sources disagree.
	AllowEmptyString bool `json:"allow_empty_string"`
	// BadHashStatus answers a wrong x-payload-hash; unpublished. Zero: 403.
	BadHashStatus int `json:"bad_hash_status"`

	Rate    Rate    `json:"rate"`
	Latency Latency `json:"latency"`
	// AsyncDelay is how long an asynchronous scan stays pending.
	AsyncDelay Duration `json:"async_delay"`
	// Fault is applied to every answer that has no fault of its own.
	Fault string `json:"fault"`
	// FaultShare is the share of answers, 0 to 1, that have Fault. Zero: all.
	FaultShare float64 `json:"fault_share"`
	// TLS serves HTTPS (TLS 1.3, HTTP/1.1 and HTTP/2) with a certificate made at start.
	TLS bool `json:"tls"`
}

// Key is one API key.
type Key struct {
	Value string `json:"value"`
	// Profile is the profile linked to the key, for requests that name none.
	Profile string `json:"profile"`
	// Revoked keys, expired keys and keys of another region answer alike.
	Revoked bool `json:"revoked"`
}

// Profile is one security profile.
type Profile struct {
	Name string `json:"name"`
	ID   string `json:"id"` // UUID; made from the name when empty
	// Actions maps a detector to "block", "alert" or "off". Missing: block.
	Actions map[string]string `json:"actions"`
	// AlertOnly answers "allow" with category "malicious" instead of blocking.
	AlertOnly bool `json:"alert_only"`
	// MaskInline adds masked data to blocks by the dlp detector.
	MaskInline bool `json:"mask_inline"`
	// ExactMask masks [start,end). The documented example masks one byte more,
	// which can eat the quote that ends a JSON string; that is the default.
	ExactMask bool `json:"exact_mask"`
	// SourceCode adds the undocumented flag "source_code" and a data pattern
	// that takes source code and JSON schemas for sensitive data.
	SourceCode bool `json:"source_code"`
	// URLs are further addresses that the url_cats detector calls malicious.
	URLs []string `json:"urls"`
	// BlockedTopics are words that the topic_violation detector looks for.
	BlockedTopics []string `json:"blocked_topics"`
	// SlowDetectors run over the latency budget and end as timeouts.
	SlowDetectors []string `json:"slow_detectors"`
	// TimeoutAction is the action of a partial result: "block" (default) or "allow".
	TimeoutAction string `json:"timeout_action"`
}

// Rate is the rate limiter. Zero values mean no limit.
type Rate struct {
	RequestsPerSecond float64 `json:"requests_per_second"`
	Burst             int     `json:"burst"`
	TokensPerMinute   float64 `json:"tokens_per_minute"` // one token is four characters
	QueriesPerMinute  float64 `json:"queries_per_minute"`
	// CountRows has a batch count as many requests as it has rows; unpublished.
	CountRows bool `json:"count_rows"`
	// Shape of the 429 body: nested (default), top, header, fault or none.
	Shape string `json:"shape"`
	// Interval and Unit are what retry_after says. Empty: 5 minute.
	Interval int    `json:"interval"`
	Unit     string `json:"unit"`
}

// ServiceRate is the published default of a tenant. Bursts are smoothed.
func ServiceRate() Rate {
	return Rate{RequestsPerSecond: 150, Burst: 10, TokensPerMinute: 15e6, QueriesPerMinute: 10}
}

// Latency is a log-normal delay of every scan. Zero: no delay.
type Latency struct {
	Median Duration `json:"median"`
	P95    Duration `json:"p95"`
}

// ServiceLatency is a middle of the figures that integrators have published.
func ServiceLatency() Latency {
	return Latency{Median: Duration(150 * time.Millisecond), P95: Duration(450 * time.Millisecond)}
}

// Duration is a time.Duration that JSON spells as "1.5s".
type Duration time.Duration

// UnmarshalJSON reads a duration string.
func (d *Duration) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("a duration is a string such as \"150ms\": %w", err)
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("read duration: %w", err)
	}
	*d = Duration(v)
	return nil
}

// ReadConfig reads a Config as JSON and refuses unknown names.
func ReadConfig(r io.Reader) (Config, error) {
	var c Config
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("read emulator configuration: %w", err)
	}
	return c, nil
}

// withDefaults returns c with its empty fields filled, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if len(c.Profiles) == 0 {
		c.Profiles = []Profile{{Name: DefaultProfile}}
	}
	c.Profiles = append([]Profile(nil), c.Profiles...)
	for i := range c.Profiles {
		if c.Profiles[i].ID == "" {
			c.Profiles[i].ID = uuidFrom("profile " + c.Profiles[i].Name)
		}
	}
	if len(c.Keys) == 0 {
		c.Keys = []Key{{Value: DefaultKey, Profile: c.Profiles[0].Name}}
	}
	c.MaxSync = orDefault(c.MaxSync, 2_000_000)
	c.MaxAsync = orDefault(c.MaxAsync, 5_000_000)
	c.MaxBatch = orDefault(c.MaxBatch, 25)
	c.MaxURLs = orDefault(c.MaxURLs, 100)
	c.BadHashStatus = orDefault(c.BadHashStatus, 403)
	c.Rate.Interval = orDefault(c.Rate.Interval, 5)
	if c.Rate.Unit == "" {
		c.Rate.Unit = "minute"
	}
	var errs []error
	if _, err := ParseFault(c.Fault); err != nil {
		errs = append(errs, err)
	}
	for _, p := range c.Profiles {
		for name, action := range p.Actions {
			if action != actionBlock && action != actionAlert && action != actionOff {
				errs = append(errs, fmt.Errorf("profile %q: action of %q must be block, alert or off", p.Name, name))
			}
		}
	}
	return c, errors.Join(errs...)
}

func orDefault(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}
