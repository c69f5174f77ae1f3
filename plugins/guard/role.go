package guard

import (
	"slices"
	"strings"
	"sync"
	"unicode"
)

// parameterWords says which words in the name of a parameter stand for which
// role. Of the words of one name, the first in this order decides.
var parameterWords = [...]struct {
	role  role
	words string
}{
	{rolePattern, "pattern patterns regex regexp glob globs selector selectors xpath oldtext newtext oldstring " +
		"newstring oldstr newstr replacement replace patch diff"},
	{roleTemplate, "template templates tpl"},
	{roleURL, "url urls uri uris href link links webhook endpoint callback redirect"},
	{roleCommand, "command commands cmd cmdline shell bash args argv argument arguments"},
	{roleSQL, "sql statement statements ddl"},
	{roleFilter, "filter filters where condition conditions predicate criteria jql sort order orderby having"},
	{roleExpression, "expression expr formula formulas equation math"},
	{roleCode, "code script scripts snippet function source_text html css javascript js python yaml manifest " +
		"dockerfile latex mermaid svg cypher graphql jsx workflow program"},
	{rolePath, "path paths file files filename filenames filepath dir dirs directory directories folder folders " +
		"destination dest cwd root attachment attachments entry source src output"},
	{roleHost, "host hosts hostname hostnames ip ips ipaddress domain domains fqdn nameserver cidr server " +
		"servers"},
	{roleBody, "content contents text body message description comment comments prompt note notes summary " +
		"markdown observation observations thought title subject bio caption instruction instructions " +
		"reason explanation details abstract feedback headers task tasks goal objective plan answer reply"},
	{roleQuery, "query queries q search keyword keywords term terms question topic phrase"},
	{roleIdentifier, "id ids uuid guid branch ref revision commit sha tag container pod namespace package packages " +
		"pkg table tables column columns username user login email uid cn timezone tz locale lang " +
		"language limit offset page port count size interface device region zone bucket repo repository " +
		"slug sku currency date status cursor version image"},
}

// parameterRoles maps a word to its role and to its place in parameterWords.
var parameterRoles = sync.OnceValue(func() map[string]int {
	m := map[string]int{}
	for i, p := range parameterWords {
		for w := range strings.FieldsSeq(p.words) {
			m[w] = i
		}
	}
	return m
})

// longArgument is the length from which an unnamed argument is prose, in bytes.
const longArgument = 400

// longValue is the length from which a named argument is no value of its kind
// but a text, in bytes.
const longValue = 2 << 10

// statementRoles are the roles of arguments that can as well be a statement.
const statementRoles = roleSet(1<<roleArgument | 1<<roleQuery | 1<<roleFilter | 1<<roleBody)

// argumentRole infers the role of an argument from the names of the tool and of
// the parameter, and from the value.
func argumentRole(tool, name, text string) role {
	r, known := parameterRole(name)
	switch {
	case !known:
		r = roleArgument
		if len(text) > longArgument || strings.Count(text, "\n") > 1 {
			r = roleBody
		}
	case len(text) > longValue || strings.Count(text, "\n") > 2:
		// No name of anything is that long, whatever the parameter is called.
		if longRoles&(1<<r) == 0 && r != roleCommand && r != rolePattern && r != roleURL {
			r = roleBody
		}
	case r == roleHost && strings.ContainsAny(text, " ") && spokenName(text):
		r = roleArgument
	}
	if tool != "" {
		r = languageRole(tool, name, toolRole(tool, name, r))
	}
	if r == roleBody && shortSaying(name, text) {
		r = roleArgument
	}
	r = askedRole(tool, text, r)
	if statementRoles.has(r) && startsSQL(text) {
		return roleSQL
	}
	return r
}

// sayingWords is how many words a text has at least; with fewer it is as good as
// a value.
const sayingWords = 6

// shortSaying reports whether what people say in text is too short to be a text
// that talks about attacks. Contents of files can be anything.
func shortSaying(name, text string) bool {
	if len(text) > longArgument || strings.Contains(text, "\n") || slices.ContainsFunc(nameWords(name), func(w string) bool {
		return w == "content" || w == "contents" || w == "body" || w == "thought" || w == "markdown"
	}) {
		return false
	}
	words := 0
	for range strings.FieldsSeq(text) {
		words++
	}
	return words < sayingWords
}

// parameterRole returns the role that the words of a parameter's name stand for.
func parameterRole(name string) (role, bool) {
	roles := parameterRoles()
	best := len(parameterWords)
	words := nameWords(name)
	for _, w := range words {
		if i, ok := roles[w]; ok {
			best = min(best, i)
		}
	}
	if len(words) > 1 {
		if i, ok := roles[strings.Join(words, "")]; ok {
			best = min(best, i)
		}
	}
	if best == len(parameterWords) {
		return roleArgument, false
	}
	return parameterWords[best].role, true
}

// toolRole corrects a role that a parameter's name leaves open by what the tool
// is called.
func toolRole(tool, name string, r role) role {
	words := nameWords(tool)
	is := func(list ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
	}
	open := r == roleArgument || r == roleQuery || r == roleBody
	switch {
	case open && is("ping", "traceroute", "nslookup", "whois", "dig", "dns", "portscan", "nmap") && (name == "target" || r == roleArgument):
		return roleHost
	case open && is("sql", "mysql", "postgres", "sqlite") && r == roleQuery:
		return roleSQL
	case (open || r == roleCode) && name != "description" && name != "prompt" &&
		is("bash", "shell", "terminal", "command", "cmd", "exec", "powershell"):
		return roleCommand
	case open && is("grep", "ripgrep", "regex") || r == roleQuery && is("code", "file", "files"):
		return rolePattern
	default:
		return r
	}
}

// languageRole corrects a role where the tool reads a language of its own, or the
// name of the parameter stands for something else as well.
func languageRole(tool, name string, r role) role {
	words := nameWords(tool)
	short := r == roleArgument || r == roleQuery || r == roleExpression || r == rolePath || r == roleFilter
	switch {
	case short && slices.ContainsFunc(words, readsExpressions):
		return rolePattern
	case r == roleCode && name == "code" && !programs(words):
		return roleArgument
	case name == "old", name == "new", name == "expected", name == "actual":
		return rolePattern
	default:
		return r
	}
}

// readsExpressions reports whether a word of a tool's name is a language in which
// documents and conditions are asked about.
func readsExpressions(word string) bool {
	switch word {
	case "xpath", "jsonpath", "jq", "jmespath", "jsonata", "xquery", "cel", "rego", "opa", "regex":
		return true
	}
	return false
}

// askedRole returns the role of what a search engine is asked.
func askedRole(tool, text string, r role) role {
	if r == roleQuery && searchesWeb(tool) && asked(text) {
		return roleBody
	}
	return r
}

// programs reports whether a tool of a name with these words has to do with
// programs; others call a voucher or a flight a code.
func programs(words []string) bool {
	for _, w := range words {
		switch w {
		case "code", "python", "js", "javascript", "node", "run", "exec", "execute", "eval", "evaluate", "lint", "format", "explain",
			"review", "script", "repl", "snippet", "sandbox", "compile", "test", "analyze", "edit", "insert", "create", "write",
			"blender", "unity", "unreal", "figma", "notebook", "cell", "browser", "puppeteer", "playwright", "interpreter",
			"jupyter", "sql":
			return true
		}
	}
	return false
}

// searchesWeb reports whether a tool asks a search engine, to which a question
// about an attack is a question.
func searchesWeb(tool string) bool {
	words := nameWords(tool)
	has := func(w string) bool { return slices.Contains(words, w) }
	return has("web") || has("websearch") || has("google") || has("brave") || has("tavily") || has("bing") || has("duckduckgo") ||
		has("internet") || has("stackoverflow")
}

// askedWords is how many words make a question of what is searched for.
const askedWords = 2

// asked reports whether text has words for people besides those of statements and
// commands.
func asked(text string) bool {
	n := 0
	for w := range strings.FieldsSeq(text) {
		w = strings.Trim(w, "?!.,:;\"'")
		if len(w) > 1 && strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") == "" && !spokenByMachines(w) {
			n++
		}
	}
	return n >= askedWords
}

// spokenByMachines reports whether w is a word of statements and commands.
func spokenByMachines(w string) bool {
	switch w {
	case "select", "union", "all", "from", "where", "and", "or", "not", "like", "null", "drop", "table", "insert", "into", "values",
		"update", "set", "delete", "order", "by", "cat", "curl", "wget", "bash", "sh", "echo", "rm", "id", "whoami", "sleep", "users",
		"exec", "print", "having", "limit", "waitfor", "delay":
		return true
	}
	return false
}

// nameWords splits a name at its separators and capitals, in lower case.
func nameWords(name string) []string {
	var words []string
	start := 0
	var before rune
	flush := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(name[start:end]))
		}
	}
	for i, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush(i)
			start = i + len(string(r))
		case unicode.IsUpper(r) && unicode.IsLower(before):
			flush(i)
			start = i
		}
		before = r
	}
	flush(len(name))
	return words
}

// spokenName reports whether text is words for people rather than a machine's
// name: no digit, no dot, nothing that a shell reads.
func spokenName(text string) bool {
	return !strings.ContainsAny(text, ".0123456789;|`$<>{}'\"\n/")
}

// statementStarts are the words that statements begin with, and one that follows.
var statementStarts = [...]struct{ first, then string }{
	{"select", " from "}, {"select", "("}, {"select", " 1"}, {"with", " as ("}, {"insert", " into "}, {"update", " set "},
	{"delete", " from "}, {"create", " table"}, {"create", " index"}, {"create", " view"}, {"create", " function"},
	{"create", " database"}, {"create", " temp"}, {"create", " unique"}, {"create", " schema"}, {"create", " or replace"},
	{"alter", " table"}, {"drop", " table"}, {"drop", " view"}, {"drop", " index"}, {"explain", " select"}, {"show", " tables"},
	{"show", " create"}, {"describe", " table"}, {"pragma", ""}, {"begin", ";"}, {"merge", " into "},
	{"alter", " add"}, {"alter", " owner to "}, {"grant", " on "}, {"revoke", " on "}, {"comment", " on "}, {"truncate", " table"},
}

// startsSQL reports whether text is a statement rather than part of one.
func startsSQL(text string) bool {
	head := strings.ToLower(strings.TrimSpace(text[:min(len(text), 2<<10)]))
	head = strings.Join(strings.Fields(head), " ")
	for _, s := range statementStarts {
		if strings.HasPrefix(head, s.first) && strings.Contains(head[len(s.first):], s.then) {
			return true
		}
	}
	return false
}
