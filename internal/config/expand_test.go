package config

import "testing"

func TestExpand(t *testing.T) {
	env := environ("A=1", "E=", "REF=${A}", "HASH=a # b: {c}", "D=$A")
	for in, want := range map[string]string{
		"plain":            "plain",
		"${A}":             "1",
		"x${A}y${A}z":      "x1y1z",
		"${env:A}":         "1",
		"${A:-d}":          "1",
		"${E}":             "",
		"${E:-d}":          "d",
		"${N:-d}":          "d",
		"${N:-}":           "",
		"${N:-a:b-c}":      "a:b-c",
		"${N:-http://x:1}": "http://x:1",
		"$${A}":            "${A}",
		"a$${A}${A}":       "a${A}1",
		"$A $ {A}":         "$A $ {A}",
		"${D}{A}":          "$A{A}", // joined text is not expanded again
		"${REF}":           "${A}",
		"${HASH}":          "a # b: {c}", // parsed before, so it stays one scalar
		"${userHome}/x":    "/home/u/x",
		"${HOME}":          "/home/u",
	} {
		out := &notes{}
		v := variables{environ: env, home: "/home/u", notes: out, dotenv: func() *dotenv { return &dotenv{} }}
		n := &node{kind: stringKind, text: in}
		v.expandTree(n, true)
		if len(out.problems) > 0 || n.text != want || n.broken {
			t.Errorf("%q gives %q, want %q; %v", in, n.text, want, out.problems)
		}
	}
}

// A variable stays inside its scalar and cannot add keys or arguments.
func TestExpandStaysInScalar(t *testing.T) {
	c := load(t, "relay.yaml", "mcpServers: {x: {command: c, args: ['${A}'], env: {K: '${A}'}}}\n", "A=a\", \"hidden_mode\": true, \"b\n  y: ${B}")
	s := c.Servers[0]
	if len(c.Servers) != 1 || len(s.Args) != 1 || s.Hidden || s.Env["K"] != s.Args[0] {
		t.Errorf("server %+v", s)
	}
}
