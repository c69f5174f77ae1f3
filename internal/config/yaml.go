package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits that keep the YAML parser, which recurses and is quadratic in the
// length of a mapping, from costing more than a moment.
const (
	maxYAMLLines   = 3_000
	maxYAMLTokens  = 100_000
	maxYAMLNesting = 50  // open [ and {
	maxYAMLIndent  = 200 // columns before the first word of a line
	maxYAMLCompact = 20  // "- - - a" and the like in one line
	maxYAMLMarks   = 500 // anchors, aliases and tags
	yamlLinesHint  = "write the file as JSON, or split it"
	yamlSyntaxHint = "look just before this place for wrong indentation, a missing colon or an unclosed quote or bracket"
)

// yamlFile reads YAML into nodes. It takes the syntax tree and not decoded
// values, because decoding loses places and turns 1.10 into 1.1.
type yamlFile struct {
	builder
	anchors map[string]ast.Node
}

// parseYAML returns the tree of a YAML file, nil after a problem.
func parseYAML(data []byte, out *notes) *node {
	f := &yamlFile{builder: builder{notes: out}, anchors: map[string]ast.Node{}}
	if n := countLines(string(data)); n > maxYAMLLines {
		out.problem(nil, yamlLinesHint, "the file has %d lines; YAML is read up to %d", n, maxYAMLLines)
		return nil
	}
	file, err := f.parse(string(data))
	if err != nil {
		f.syntax(err)
		return nil
	}
	var root ast.Node
	for _, doc := range file.Docs {
		if doc == nil || doc.Body == nil {
			continue
		}
		if root != nil {
			out.problem(f.at(doc.Body), "keep one document", "the file has several YAML documents")
			return nil
		}
		root = doc.Body
	}
	if root == nil {
		return f.node(nullKind, 1, 1, 0)
	}
	f.collect(root)
	return f.value(root, 0)
}

// countLines counts line breaks as YAML does: a lone carriage return is one.
func countLines(text string) int {
	return strings.Count(text, "\n") + strings.Count(text, "\r") - strings.Count(text, "\r\n")
}

// parse runs the parser behind its limits. It recovers, because a panic in a
// foreign parser must become a message and not a crash with a stack trace.
func (f *yamlFile) parse(text string) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the YAML parser cannot read it")
		}
	}()
	tokens := lexer.Tokenize(text)
	if err := boundTokens(tokens); err != nil {
		return nil, err
	}
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// boundTokens refuses token streams that would make the parser recurse deeply.
func boundTokens(tokens token.Tokens) error {
	if len(tokens) > maxYAMLTokens {
		return &yaml.SyntaxError{Message: fmt.Sprintf("it has more than %d words and marks", maxYAMLTokens), Token: tokens[maxYAMLTokens]}
	}
	nesting, compact, marks, line := 0, 0, 0, 0
	for _, tk := range tokens {
		if tk.Position.Line != line {
			line, compact = tk.Position.Line, 0
			if tk.Position.Column > maxYAMLIndent && nesting == 0 {
				return &yaml.SyntaxError{Message: fmt.Sprintf("the line is indented by more than %d columns", maxYAMLIndent), Token: tk}
			}
		}
		switch tk.Type {
		case token.MappingStartType, token.SequenceStartType:
			nesting++
		case token.MappingEndType, token.SequenceEndType:
			nesting--
		case token.SequenceEntryType, token.MappingKeyType:
			compact++
		case token.AnchorType, token.AliasType, token.TagType:
			marks++
		default:
		}
		if nesting > maxYAMLNesting || compact > maxYAMLCompact {
			return &yaml.SyntaxError{Message: "values are nested too deeply", Token: tk}
		}
		if marks > maxYAMLMarks {
			return &yaml.SyntaxError{Message: fmt.Sprintf("there are more than %d anchors, aliases and tags", maxYAMLMarks), Token: tk}
		}
	}
	return nil
}

// syntax reports why the text is not YAML. The parser's messages are fixed
// texts; its rendering of the source, which may hold secrets, is not used.
func (f *yamlFile) syntax(err error) {
	at := &node{}
	reason := "the parser cannot read it"
	if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
		reason = printable(syntax.Message)
		if syntax.Token != nil && syntax.Token.Position != nil {
			at.line, at.col = syntax.Token.Position.Line, syntax.Token.Position.Column
		}
	}
	f.notes.problem(at, yamlSyntaxHint, "this is not valid YAML: %s", reason)
}

// at is the place where a value starts.
func (f *yamlFile) at(n ast.Node) *node {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		n = m.Key
	}
	tk := n.GetToken()
	if tk == nil || tk.Position == nil {
		return &node{}
	}
	return &node{line: tk.Position.Line, col: tk.Position.Column}
}

// collect remembers what every anchor names.
func (f *yamlFile) collect(root ast.Node) {
	for _, n := range ast.Filter(ast.AnchorType, root) {
		if anchor, ok := n.(*ast.AnchorNode); ok && anchor.Name != nil {
			f.anchors[anchor.Name.GetToken().Value] = anchor.Value
		}
	}
}
