package airstest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// The detectors' names, which are also the names of their flags.
const (
	injection      = "injection"
	urlCats        = "url_cats"
	dlp            = "dlp"
	dbSecurity     = "db_security"
	toxicContent   = "toxic_content"
	maliciousCode  = "malicious_code"
	agent          = "agent"
	topicViolation = "topic_violation"
	ungrounded     = "ungrounded"
	sourceCode     = "source_code"
)

// Which detectors look at which part of a request. The published response
// object has no flag "injection": a tool result sent as "response" gets none.
var (
	promptFeatures   = []string{urlCats, dlp, injection, toxicContent, maliciousCode, agent, topicViolation}
	responseFeatures = []string{urlCats, dlp, dbSecurity, toxicContent, maliciousCode, agent, ungrounded, topicViolation}
	toolFeatures     = []string{injection, urlCats, dlp, dbSecurity, toxicContent, maliciousCode, agent, topicViolation}
	codeFeatures     = []string{maliciousCode}
)

var expressions = sync.OnceValue(func() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		injection: regexp.MustCompile(`(?i)(ignore|disregard|forget) (all |any |the |your )*(previous|prior|above|current|earlier) (instruction|guardrail|rule)` +
			`|<important>|do not (tell|inform) the user|reveal your system prompt`),
		agent:         regexp.MustCompile(`(?i)~?/\.ssh/id_[a-z0-9]+|pretend i am|before using this tool`),
		urlCats:       regexp.MustCompile(`(?i)urlfiltering\.paloaltonetworks\.com/test-(malware|phishing|command-and-control|grayware)`),
		dbSecurity:    regexp.MustCompile(`(?i)\b(drop|truncate) table\b|' or '?1'?\s*=\s*'?1`),
		toxicContent:  regexp.MustCompile(`(?i)\bairstest toxic phrase\b`),
		maliciousCode: regexp.MustCompile(`EICAR-STANDARD-ANTIVIRUS-TEST-FILE|(?i)curl [^|]{1,200}\| *(ba|z)?sh\b|rm -rf /(\s|$)`),
		sourceCode:    regexp.MustCompile(`(?m)^\s*(def \w+\(|func \w+\(|import \w+|#include <)|"type"\s*:\s*"object"`),
	}
})

// pattern is one data pattern of the dlp detector.
type pattern struct {
	names      []string
	expr       *regexp.Regexp
	credential bool
}

var patterns = sync.OnceValue(func() []pattern {
	return []pattern{
		{
			names: []string{"Tax Id - US - TIN", "National Id - US Social Security Number - SSN"},
			expr:  regexp.MustCompile(`\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b`),
		},
		{names: []string{"Credit Card Number"}, expr: regexp.MustCompile(`\b4[0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b`)},
		{names: []string{"Secret Key - AWS Access Key ID"}, expr: regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`), credential: true},
		{names: []string{"Secret Key - GitHub Token"}, expr: regexp.MustCompile(`\bgh[pousr]_[0-9A-Za-z]{36}\b`), credential: true},
		{names: []string{"Secret Key - Private Key"}, expr: regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`), credential: true},
	}
})

// detection is what the detectors found in one text.
type detection struct {
	flags      flags
	topics     []string
	credential bool
}

// detect runs the enabled ones of the named detectors over text.
func (p *Profile) detect(text string, features []string) detection {
	d := detection{flags: flags{}}
	for _, f := range features {
		if p.actionOf(f) == actionOff || slices.Contains(p.SlowDetectors, f) {
			continue
		}
		d.flags[f] = p.fires(f, text, &d)
	}
	if p.SourceCode && slices.Contains(features, dlp) {
		d.flags[sourceCode] = expressions()[sourceCode].MatchString(text)
		d.flags[dlp] = d.flags[dlp] || d.flags[sourceCode]
	}
	return d
}

func (p *Profile) fires(feature, text string, d *detection) bool {
	switch feature {
	case dlp:
		hit := false
		for _, pat := range patterns() {
			if pat.expr.MatchString(text) {
				hit = true
				d.credential = d.credential || pat.credential
			}
		}
		return hit
	case topicViolation:
		for _, topic := range p.BlockedTopics {
			if strings.Contains(strings.ToLower(text), strings.ToLower(topic)) {
				d.topics = append(d.topics, topic)
			}
		}
		return len(d.topics) > 0
	case urlCats:
		listed := func(u string) bool { return strings.Contains(text, u) }
		return expressions()[urlCats].MatchString(text) || slices.ContainsFunc(p.URLs, listed)
	default:
		expr := expressions()[feature]
		return expr != nil && expr.MatchString(text)
	}
}

// notGrounded stands in for contextual grounding: a number in the response
// that the context does not have.
func notGrounded(context, response string) bool {
	for _, number := range regexp.MustCompile(`[0-9]+`).FindAllString(response, -1) {
		if !strings.Contains(context, number) {
			return true
		}
	}
	return false
}

// threats names what the service calls the threats of a tool event. It says
// "context poisoning" for any malicious tool event, whatever the reason.
func (d detection) threats() []string {
	out := []string{}
	if !d.any() {
		return out
	}
	if d.credential {
		out = append(out, "credential leakage")
	}
	return append(out, "context poisoning")
}

func (d detection) any() bool {
	for _, on := range d.flags {
		if on {
			return true
		}
	}
	return false
}

// readable returns the strings and names of a JSON text, one per line, as a
// reader of it would see them; a text that is not JSON is returned as it is.
func readable(text string) string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	var b strings.Builder
	appendReadable(&b, v)
	return b.String()
}

func appendReadable(b *strings.Builder, v any) {
	switch v := v.(type) {
	case string:
		b.WriteString(v)
		b.WriteByte('\n')
	case []any:
		for _, e := range v {
			appendReadable(b, e)
		}
	case map[string]any:
		for name, e := range v {
			b.WriteString(name)
			b.WriteByte('\n')
			appendReadable(b, e)
		}
	default:
	}
}
