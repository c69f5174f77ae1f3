package guard

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// secretData are the rules of gitleaks, generated from the version in go.mod:
// see secrets/README.md.
//
//go:embed secrets/gitleaks.json
var secretData []byte

// tokenData are our own rules for tokens with a form of their own, in the same
// format. They ask for no randomness: a form that is exact says enough.
//
//go:embed secrets/tokens.json
var tokenData []byte

// secretFile is what secretData holds.
type secretFile struct {
	Source   string            `json:"source"`
	Allow    secretAllow       `json:"allow"` // for every rule
	Rules    []secretRule      `json:"rules"`
	Unusable map[string]string `json:"unusable"` // rule -> why
}

// secretRule finds one kind of secret.
type secretRule struct {
	ID       string        `json:"id"`
	Title    string        `json:"title"`
	Regex    string        `json:"regex"`
	Group    int           `json:"group,omitempty"` // 0: the first group, or the match
	Entropy  float64       `json:"entropy,omitempty"`
	Keywords []string      `json:"keywords"`
	Allow    []secretAllow `json:"allow,omitempty"`

	name     string // what findings call it
	category string
	own      bool // from tokenData
}

// secretAllow says what is not a secret although a rule found it.
type secretAllow struct {
	All       bool     `json:"all,omitempty"`    // every list must agree
	Target    string   `json:"target,omitempty"` // secret (empty), match or line
	Regexes   []string `json:"regexes,omitempty"`
	Stopwords []string `json:"stopwords,omitempty"`

	compiled func() []*regexp.Regexp
}

// keywordFor replaces upstream keywords that are so common that they do not
// narrow the search, by ones that every match contains as well.
var keywordFor = [...]struct{ id, keyword string }{
	{"jwt", "eyj"},
	{"jwt-base64", "zxlk"},
}

// tokenRules are the rules with common keywords whose own exceptions say that
// a secret has a digit.
var tokenRules = [...]string{genericSecret, "vault-service-token"}

var errNoRules = errors.New("no secret rules")

// loadSecrets reads the embedded secret rules.
func loadSecrets() (*secretFile, error) {
	var f, tokens secretFile
	if err := f.read(secretName, secretData); err != nil {
		return nil, fmt.Errorf("read the secret rules: %w", err)
	}
	if err := tokens.read(tokenName, tokenData); err != nil {
		return nil, fmt.Errorf("read the token rules: %w", err)
	}
	if len(f.Rules) == 0 || len(tokens.Rules) == 0 {
		return nil, errNoRules
	}
	f.Allow.prepare()
	for i := range f.Rules {
		r := &f.Rules[i]
		r.prepare(secretPrefix)
		for _, k := range keywordFor {
			if k.id == r.ID {
				r.Keywords = []string{k.keyword}
			}
		}
	}
	for i := range tokens.Rules {
		tokens.Rules[i].prepare(tokenPrefix)
		tokens.Rules[i].own = true
	}
	f.Rules = append(f.Rules, tokens.Rules...)
	return &f, nil
}

// The names of the files with secret rules.
const (
	secretName = "secrets/gitleaks.json"
	tokenName  = "secrets/tokens.json"
)

// read reads one file, as it was compiled or, where it has changed since, from
// its JSON.
func (f *secretFile) read(name string, data []byte) error {
	if loadCompiled().file(name, data, f) {
		return nil
	}
	return f.decode(data)
}

func (f *secretFile) decode(data []byte) error {
	return json.Unmarshal(data, f) //nolint:wrapcheck // the caller says which rules
}

// tokenPrefix begins the names of our own rules for tokens.
const tokenPrefix = "guard/token-"

func (r *secretRule) prepare(prefix string) {
	r.name = prefix + r.ID
	r.category = "secret." + underscored(r.ID)
	for i := range r.Allow {
		r.Allow[i].prepare()
	}
}

// underscored returns an id as categories are written.
func underscored(id string) string {
	return strings.ReplaceAll(strings.ReplaceAll(id, "-", "_"), ".", "_")
}

func (a *secretAllow) prepare() {
	a.compiled = sync.OnceValue(func() []*regexp.Regexp {
		compiled := make([]*regexp.Regexp, len(a.Regexes))
		for i, e := range a.Regexes {
			compiled[i] = regexp.MustCompile(e)
		}
		return compiled
	})
}

// accepts reports whether what the rule found is a secret, and where: the
// entropy is high enough and no list allows it.
func (f *secretFile) accepts(r *secretRule, m found) bool {
	secret := m.text[m.at.start:m.at.end]
	if r.own {
		return !placeholder(secret)
	}
	if r.Entropy > 0 && entropy(secret) <= r.Entropy {
		return false
	}
	if f.Allow.allows(m) {
		return false
	}
	for i := range r.Allow {
		if r.Allow[i].allows(m) {
			return false
		}
	}
	return true
}

// allows reports whether the list says that m is no secret.
func (a *secretAllow) allows(m found) bool {
	target := m.at
	switch a.Target {
	case "match":
		target = m.match
	case "line":
		target = line(m.text, m.match)
	}
	text := m.text[target.start:target.end]
	byRegex := false
	for _, e := range a.compiled() {
		if byRegex = e.MatchString(text); byRegex {
			break
		}
	}
	byWord := false
	if len(a.Stopwords) > 0 {
		lower := strings.ToLower(m.text[m.at.start:m.at.end])
		for _, w := range a.Stopwords {
			if byWord = strings.Contains(lower, w); byWord {
				break
			}
		}
	}
	if a.All {
		return (byRegex || len(a.Regexes) == 0) && (byWord || len(a.Stopwords) == 0)
	}
	return byRegex || byWord
}

// line widens s to whole lines, but no further than a line of code goes.
func line(text string, s span) span {
	const far = 400
	from, to := max(0, s.start-far), min(len(text), s.end+far)
	if i := strings.LastIndexByte(text[from:s.start], '\n'); i >= 0 {
		from += i + 1
	}
	if i := strings.IndexByte(text[s.end:to], '\n'); i >= 0 {
		to = s.end + i
	}
	return span{from, to}
}
