package guard

import "strings"

// newDictionary returns the words that are looked for in letters set apart, in
// digits for letters and in joined words: those of which orders are made.
// Other words are left as they are, so that ordinary names and numbers are.
func newDictionary() map[string]bool {
	words := strings.Fields(`
about above access account activate act admin administrator agent all always answer anyone anything append
approve assistant attach authority before bypass call carry character code command commands comply conceal
confidential content contents context conversation credential credentials credit data decode delete
developer directive directives disable disclose discard disregard do download email enable encode enter
everything execute exfiltrate exploit expose file files filter filters first follow forget forward from
grant guideline guidelines hack hacker hidden hide history ignore important include inform input instead
instruct instruction instructions invoke jailbreak key keys know leak limit limits list malware me mention
message messages mode model must never new not notify now obey order orders output overridden override
password passwords phishing policies policy post prefer pretend previous print prior privilege prohibited
prompt prompts protocol question read remember remove repeat reply request respond response restriction
restrictions restricted return reveal role rule rules run safety say script secret secrets security send
sensitive server shell should show silently start steal store summary system task tell that the their these
this token tokens tool tools transfer transmit unfiltered unrestricted upload use user users using virus
website with without write you your`)
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[w] = true
	}
	return set
}

// disguisedSentence is how many words of the dictionary must come to light.
const disguisedSentence = 2
