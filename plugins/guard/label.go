package guard

import "strings"

// maxLabelled is the length up to which a string is read with its name, in bytes.
const maxLabelled = 512

// telling are parts of names that say what a value without a form of its own is.
var telling = [...]string{
	"pass", "pwd", "secret", "token", "key", "auth", "cred", "card", "ssn", "social", "iban", "account", "routing", "tax", "insurance",
	"nino", "nhs", "national", "identi", "aadhaar", "cpf", "cnpj", "pesel", "bsn", "medicare", "license", "licence", "vin", "imei", "pin",
	"nric", "curp", "sin", "dea", "npi", "nir", "dni", "nie", "tfn", "abn", "session", "cookie", "phone", "mobile", "birth", "steuer",
}

// labelled looks at a short string together with the name of the member it
// stands in: the name is what a line of a file would say beside it.
func (s *scan) labelled(f field) {
	if f.key || len(f.text) < 6 || len(f.text) > maxLabelled || f.role == roleDescription || strings.Contains(f.text, "\n") {
		return
	}
	name := memberName(f.pointer)
	lower := strings.ToLower(name)
	known := name != "" && len(name) < 64
	for i := 0; known && i < len(telling); i++ {
		if strings.Contains(lower, telling[i]) {
			prefix := name + ": "
			s.look(f, 0, &view{text: prefix + f.text, segments: []segment{
				{0, 0, int32(len(prefix)), 0}, {int32(len(prefix)), 0, 1, 1}, //nolint:gosec // short
			}}, asFolded|asIs)
			return
		}
	}
}

// longestName is how far back the beginning of a name is looked for, in bytes.
const longestName = 40

// from returns where what the rule's exceptions read begins: for a rule that
// looks at values, at the start of the name in whose middle the match begins.
func (r *rule) from(text string, at int) int {
	if r.Check == "" {
		return at
	}
	for n := 0; n < longestName && at > 0 && (wordByte(text[at-1]) || text[at-1] == '.' || text[at-1] == '-'); n++ {
		at--
	}
	return at
}
