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
		"reason explanation details abstract feedback"},
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
		r = toolRole(tool, name, r)
	}
	if r == roleBody && shortSaying(name, text) {
		r = roleArgument
	}
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
