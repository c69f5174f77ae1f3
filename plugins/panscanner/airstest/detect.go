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

// expression is a regular expression that is only tried on texts that hold one
// of the hints, which are in lower case: content can be megabytes.
type expression struct {
	hints []string
	expr  *regexp.Regexp
}

func (e expression) match(t prepared) bool { return e.hinted(t) && e.expr.MatchString(t.text) }

func (e expression) hinted(t prepared) bool {
	return slices.ContainsFunc(e.hints, func(hint string) bool { return strings.Contains(t.lower, hint) })
}

// prepared is a text with its lower-case form.
type prepared struct{ text, lower string }

func prepare(text string) prepared { return prepared{text: text, lower: strings.ToLower(text)} }

var expressions = sync.OnceValue(func() map[string]expression {
	of := func(expr string, hints ...string) expression {
		return expression{hints: hints, expr: regexp.MustCompile(expr)}
	}
	return map[string]expression{
		injection: of(`(?i)(ignore|disregard|forget) (all |any |the |your )*`+
			`(previous|prior|above|current|earlier) (instruction|guardrail|rule)`+
			`|<important>|do not (tell|inform) the user|reveal your system prompt`,
			"instruction", "guardrail", "rule", "<important>", "do not ", "system prompt"),
		agent:        of(`(?i)~?/\.ssh/id_[a-z0-9]+|pretend i am|before using this tool`, "/.ssh/", "pretend i am", "before using"),
		urlCats:      of(`(?i)urlfiltering\.paloaltonetworks\.com/test-(malware|phishing|command-and-control|grayware)`, "urlfiltering."),
		dbSecurity:   of(`(?i)\b(drop|truncate) table\b|' or '?1'?\s*=\s*'?1`, " table", "' or "),
		toxicContent: of(`(?i)\bairstest toxic phrase\b`, "airstest"),
		maliciousCode: of(`EICAR-STANDARD-ANTIVIRUS-TEST-FILE|(?i)curl [^|]{1,200}\| *(ba|z)?sh\b|rm -rf /(\s|$)`,
			"eicar", "curl", "rm -rf"),
		sourceCode: of(`(?m)^\s*(def \w+\(|func \w+\(|import \w+|#include <)|"type"\s*:\s*"object"`,
			"def ", "func ", "import ", "#include", `"object"`),
	}
})

// pattern is one data pattern of the dlp detector.
type pattern struct {
	expression
	names      []string
	credential bool
}

var patterns = sync.OnceValue(func() []pattern {
	of := func(expr, hint string, credential bool, names ...string) pattern {
		return pattern{expression{[]string{hint}, regexp.MustCompile(expr)}, names, credential}
	}
	return []pattern{
		of(`\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b`, "-", false, "Tax Id - US - TIN", "National Id - US Social Security Number - SSN"),
		of(`\b4[0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b`, "4", false, "Credit Card Number"),
		of(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`, "ia", true, "Secret Key - AWS Access Key ID"),
		of(`\bgh[pousr]_[0-9A-Za-z]{36}\b`, "gh", true, "Secret Key - GitHub Token"),
		of(`-----BEGIN [A-Z ]*PRIVATE KEY-----`, "-----begin", true, "Secret Key - Private Key"),
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
	d, t := detection{flags: flags{}}, prepare(text)
	for _, f := range features {
		if p.actionOf(f) == actionOff || slices.Contains(p.SlowDetectors, f) {
			continue
		}
		d.flags[f] = p.fires(f, t, &d)
	}
	if p.SourceCode && slices.Contains(features, dlp) {
		d.flags[sourceCode] = expressions()[sourceCode].match(t)
		d.flags[dlp] = d.flags[dlp] || d.flags[sourceCode]
	}
	return d
}

func (p *Profile) fires(feature string, t prepared, d *detection) bool {
	switch feature {
	case dlp:
		hit := false
		for _, pat := range patterns() {
			if pat.match(t) {
				hit = true
				d.credential = d.credential || pat.credential
			}
		}
		return hit
	case topicViolation:
		for _, topic := range p.BlockedTopics {
			if strings.Contains(t.lower, strings.ToLower(topic)) {
				d.topics = append(d.topics, topic)
			}
		}
		return len(d.topics) > 0
	case urlCats:
		listed := func(u string) bool { return strings.Contains(t.text, u) }
		return expressions()[urlCats].match(t) || slices.ContainsFunc(p.URLs, listed)
	default:
		return expressions()[feature].match(t) // none: no hints, no match
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
