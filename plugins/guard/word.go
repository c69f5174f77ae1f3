package guard

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// word is one word of a text, with what is known about it.
type word struct {
	at       span
	sentence int
	classes  classList
}

// Pieces of the names of files that hold secrets, and of files that agents and
// shells obey. They are looked for in words that can be paths.
var (
	secretFiles = []string{
		".ssh", "id_rsa", "id_ed25519", "id_ecdsa", ".env", ".aws", ".netrc", ".npmrc", ".pypirc", ".git-credentials",
		".kube/config", ".gnupg", "/etc/passwd", "wallet.json", ".kdbx", "system-connections", "/etc/shadow",
		"mcp.json", "claude_desktop_config", ".pem", "wallet.dat",
		".docker/config", "gcloud/", ".config/gh", "bash_history", "zsh_history", ".pgpass", "/proc/self", "keychain-db",
		"login.keychain", "cookies.sqlite", "169.254.169.254", "credentials.json", "secrets.y", "secrets.toml", "/credentials",
		"hosts.yml", "secrets.json", ".vault-token", ".key",
	}
	rulesFiles = []string{
		"claude.md", "agents.md", "gemini.md", ".cursorrules", "copilot-instructions", ".windsurfrules", ".clinerules", "/rules",
		".bashrc", ".zshrc", ".profile", "bash_profile", "crontab", "authorized_keys", ".git/hooks", "pre-commit", "mcp.json",
		"settings.json", "claude_desktop_config", "launchagents", "/etc/hosts", "systemd",
	}
)

// secretParts are parts of the names of variables that hold secrets.
var secretParts = []string{"_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_PASS", "_PAT", "_CREDENTIALS"}

// hostEnds end names of hosts more often than those of files or members.
var hostEnds = []string{
	"com", "net", "org", "io", "dev", "app", "co", "xyz", "info", "ru", "cn", "top", "site", "online", "cloud", "me",
	"example", "test",
}

// wrapping is what stands around words without being part of them.
const wrapping = "\"'`*_()[]{}<>.,;:!?#|=&-"

// wordsOf cuts a text into words and finds their classes. Words of names, such as
// api_key and apiKey, are words like any other.
func (l *lexicon) wordsOf(text string) []word {
	out := make([]word, 0, len(text)/6+1)
	sentence := 0
	for i := 0; i < len(text); {
		if spaceByte(text[i]) {
			from := i
			for i < len(text) && spaceByte(text[i]) {
				i++
			}
			if newSentence(text, from, i) {
				sentence++
			}
			continue
		}
		from := i
		for i < len(text) && !spaceByte(text[i]) {
			i++
		}
		out = l.chunk(out, text, span{from, i}, sentence)
	}
	return out
}

// chunk adds the words between two spaces.
func (l *lexicon) chunk(out []word, text string, at span, sentence int) []word {
	inner := trimmed(text, at)
	first := len(out)
	if c := text[inner.start:inner.end]; hasForm(c) {
		set, whole := forms(strings.ToLower(c))
		if whole {
			return append(out, word{inner, sentence, set})
		}
		if joined := compound(c); joined >= 0 {
			set.add(joined)
		}
		if len(set) > 0 {
			// The name of a file is what its first word begins and its last one ends.
			defer func() {
				if len(out) > first {
					out[first].classes.join(&set)
					out[len(out)-1].classes.join(&set)
				}
			}()
		}
	}
	for i := inner.start; i < inner.end; {
		if !letterByte(text[i]) {
			i++
			continue
		}
		from := i
		for i < inner.end && letterByte(text[i]) && (i == from || !upper(text[i]) || upper(text[i-1])) {
			i++
		}
		out = l.classify(append(out, word{at: span{from, i}, sentence: sentence}), text)
	}
	if len(out) > first && quoted(text, at) {
		out[len(out)-1].classes.add(formQuoted)
	}
	return out
}

// hasForm reports whether the form of a chunk can tell something: words are
// letters only.
func hasForm(chunk string) bool {
	for i := range len(chunk) {
		if c := chunk[i]; c == '.' || c == '/' || c == '@' || c == ':' || c == '_' || digit(c) {
			return true
		}
	}
	return false
}

// classify finds the classes of the last word of out.
func (l *lexicon) classify(out []word, text string) []word {
	w := &out[len(out)-1]
	name := strings.ToLower(text[w.at.start:w.at.end])
	if set, ok := l.words[name]; ok {
		w.classes = set
	}
	for _, j := range l.joined[name] {
		first := len(out) - 1 - len(j.before)
		if first < 0 || out[first].sentence != w.sentence {
			continue
		}
		same := true
		for k, before := range j.before {
			at := out[first+k].at
			if same = strings.EqualFold(text[at.start:at.end], before); !same {
				break
			}
		}
		if same {
			w.classes.add(j.class)
		}
	}
	return out
}

// forms returns the classes of a lower-case chunk that its form decides, and
// whether it is no words besides.
func forms(c string) (set classList, whole bool) {
	switch i := strings.IndexByte(c, '@'); {
	case strings.Contains(c, "://"), len(c) >= len("1.1.1.1") && strings.Count(c, ".") == 3 && digits(c)+3+strings.Count(c, ":") == len(c):
		set.add(formURL)
		whole = true
	case i > 0 && strings.IndexByte(c[i:], '.') > 0 && !strings.Contains(c, "/"):
		set.add(formEmail)
		whole = true
	}
	if accountNumber(c) {
		set.add(formAccount)
		whole = true
	}
	if i := strings.LastIndexByte(c, '.'); i > 0 && slices.Contains(hostEnds, c[i+1:]) && !strings.ContainsAny(c, "/(") {
		set.add(formDomain)
	}
	if containsOne(c, secretFiles) {
		set.add(formSecretFile)
	}
	if containsOne(c, rulesFiles) {
		set.add(formRulesFile)
	}
	return set, whole
}

// compound returns the class of a name of several words: of a tool, as send_mail,
// or of a variable that holds a secret, as GITHUB_TOKEN; -1 for anything else.
func compound(c string) int {
	if strings.IndexByte(c, '_') <= 0 {
		return -1
	}
	lower, upperCase := true, true
	for i := range len(c) {
		switch b := c[i]; {
		case b == '_' || digit(b):
		case upper(b):
			lower = false
		case b >= 'a' && b <= 'z':
			upperCase = false
		default:
			return -1
		}
	}
	switch {
	case lower && !upperCase:
		return formNamed
	case upperCase && !lower && containsOne(c, secretParts):
		return formSecretVariable
	default:
		return -1
	}
}

// accountNumber reports whether c can be the number of an account or a wallet's
// address.
func accountNumber(c string) bool {
	n := digits(c)
	switch {
	case strings.HasPrefix(c, "0x"):
		return len(c) > 30
	case len(c) > 14 && n > len(c)*2/3 && !digit(c[0]) && !digit(c[1]) && digit(c[2]) && digit(c[3]): // IBAN
		return strings.Trim(c, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
	default:
		return n >= 10 && n+strings.Count(c, "-")+strings.Count(c, "+") == len(c) && !strings.HasPrefix(c, "20")
	}
}

func containsOne(s string, parts []string) bool {
	for _, p := range parts {
		if i := strings.Index(s, p); i >= 0 {
			// The end of a name is not the beginning of another one: .keys, .environment.
			if end := i + len(p); end == len(s) || !letterByte(s[end]) && s[end] != '-' && s[end] != '_' || strings.ContainsAny(p, "_/") {
				return true
			}
		}
	}
	return false
}

func digits(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}

// trimmed cuts wrapping off both ends, but for the dot of a hidden file.
func trimmed(text string, at span) span {
	for at.start < at.end && strings.IndexByte(wrapping, text[at.start]) >= 0 &&
		(text[at.start] != '.' || at.start+1 == at.end || !letterByte(text[at.start+1])) {
		at.start++
	}
	for at.start < at.end && strings.IndexByte(wrapping, text[at.end-1]) >= 0 {
		at.end--
	}
	return at
}

// quoted reports whether a chunk stands in quotes on its own.
func quoted(text string, at span) bool {
	c := strings.TrimRight(strings.TrimLeft(text[at.start:at.end], "("), ".,;:!?)")
	if len(c) < 3 || strings.IndexByte("\"'`", c[0]) < 0 || c[len(c)-1] != c[0] {
		return false
	}
	for _, b := range []byte(c[1 : len(c)-1]) {
		if !wordByte(b) && b != '-' && b != '.' {
			return false
		}
	}
	return true
}

// newSentence reports whether the space text[from:to] is between sentences. A
// line break alone is none: descriptions are wrapped.
func newSentence(text string, from, to int) bool {
	if from == 0 || to == len(text) {
		return false
	}
	end := from
	for end > 0 && strings.IndexByte("\"'`)*]", text[end-1]) >= 0 {
		end--
	}
	if end > 0 && strings.IndexByte(".!?", text[end-1]) >= 0 {
		return end < 3 || text[end-3] != '.' && text[end-3] != ' ' || text[end-1] != '.' // not e.g. nor i.e.
	}
	switch strings.Count(text[from:to], "\n") {
	case 0:
		return false
	case 1:
		if c := text[to]; c >= 'a' && c <= 'z' {
			next := text[to:]
			if i := strings.IndexAny(next, " \n"); i > 0 {
				next = next[:i]
			}
			return strings.HasSuffix(next, ":")
		}
		return true
	default:
		return true
	}
}

func letterByte(c byte) bool {
	return c >= 'a' && c <= 'z' || upper(c) || c >= '0' && c <= '9' || c == '\'' || c >= utf8.RuneSelf
}

func spaceByte(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
