package guard

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/zricethezav/gitleaks/v8/config"
)

var update = flag.Bool("update", false, "write secrets/gitleaks.json from the gitleaks version in go.mod")

// gitleaksFile is what the scanner uses of a gitleaks configuration.
type gitleaksFile struct {
	Allowlist gitleaksAllow
	Rules     []struct {
		ID, Description, Regex string
		SecretGroup            int
		Entropy                float64
		Keywords               []string
		Allowlists             []gitleaksAllow
	}
}

type gitleaksAllow struct {
	Condition, RegexTarget string
	Paths                  []string
	Regexes                []string
	Stopwords              []string
}

// TestSecretRulesAreCurrent makes secrets/gitleaks.json from the gitleaks
// module again and compares. The file exists so that the relay need not link
// the module's configuration library and parse its format at every start.
func TestSecretRulesAreCurrent(t *testing.T) {
	want := convertGitleaks(t)
	if *update {
		if err := os.WriteFile("secrets/gitleaks.json", want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("secrets/gitleaks.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("secrets/gitleaks.json does not match the gitleaks module: run go generate ./plugins/guard")
	}
}

func convertGitleaks(t *testing.T) []byte {
	t.Helper()
	var in gitleaksFile
	if err := toml.Unmarshal([]byte(config.DefaultConfig), &in); err != nil {
		t.Fatal(err)
	}
	out := secretFile{
		Source:   "github.com/zricethezav/gitleaks/v8 " + gitleaksVersion(t) + " config/gitleaks.toml, MIT",
		Unusable: map[string]string{},
	}
	allow, _ := convertAllow(in.Allowlist)
	out.Allow = allow
	for _, r := range in.Rules {
		// A rule for files of certain names is used on all text: a result does not
		// say from which file it is.
		if reason := unusable(r.ID, r.Regex); reason != "" {
			out.Unusable[r.ID] = reason
			continue
		}
		rule := secretRule{
			ID: r.ID, Title: r.Description, Regex: r.Regex, Group: r.SecretGroup, Entropy: r.Entropy, Keywords: r.Keywords,
		}
		for _, a := range r.Allowlists {
			if c, ok := convertAllow(a); ok {
				rule.Allow = append(rule.Allow, c)
			}
		}
		out.Rules = append(out.Rules, rule)
	}
	data, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

// unusable says why a rule cannot be used on text without a file name.
func unusable(id, regex string) string {
	if regex == "" {
		return "looks at file names only"
	}
	if id == "hashicorp-tf-password" {
		return "takes every quoted password for a secret; guard/secret-assignment looks closer"
	}
	if _, err := syntax.Parse(regex, syntax.Perl); err != nil {
		return "expression is not RE2"
	}
	return ""
}

// convertAllow leaves out what is about paths: a list that needs one to agree
// cannot apply to text without a file name.
func convertAllow(a gitleaksAllow) (secretAllow, bool) {
	all := strings.EqualFold(a.Condition, "AND")
	if all && len(a.Paths) > 0 || len(a.Regexes)+len(a.Stopwords) == 0 {
		return secretAllow{}, false
	}
	words := slices.Clone(a.Stopwords)
	for i := range words {
		words[i] = strings.ToLower(words[i])
	}
	return secretAllow{All: all, Target: a.RegexTarget, Regexes: a.Regexes, Stopwords: words}, true
}

// gitleaksVersion reads go.mod.
func gitleaksVersion(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), "github.com/zricethezav/gitleaks/v8 ")
	if !ok {
		t.Fatal("go.mod does not name the gitleaks module")
	}
	version, _, _ := strings.Cut(rest, "\n")
	version, _, _ = strings.Cut(version, " ")
	return version
}
