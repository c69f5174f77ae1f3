package panscanner

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mcp-relay/relay/scanner"
)

func TestParseConfig(t *testing.T) {
	const uuid = "7b4a9de9-09e9-4ce5-b090-7f99fdffc9a5"
	tests := map[string]struct {
		config   string
		problems []string // pointers, in any order
		mention  string   // in one of the messages
	}{
		"least": {`{"api_key":"k"}`, nil, ""},
		"token": {`{"api_token":"Bearer tok"}`, nil, ""},
		"all": {
			`{"api_key":"k","region":"de","profile":"` + uuid + `","proxy":"http://u:p@proxy:3128","app_name":"a","app_user":"u","ai_model":"m",
			"payload_hash":true,"context_request":true,"timeout":"2s","max_retries":0,"max_request_bytes":1000000,"chunk_overlap":2048,"max_chunks":4}`, nil, "",
		},
		"loopback http":         {`{"api_key":"k","endpoint":"http://127.0.0.1:9801/"}`, nil, ""},
		"localhost":             {`{"api_key":"k","endpoint":"http://localhost:9801"}`, nil, ""},
		"IPv6 loopback":         {`{"api_key":"k","endpoint":"http://[::1]:9801"}`, nil, ""},
		"path":                  {`{"api_key":"k","endpoint":"https://gateway.example.com/airs/"}`, nil, ""},
		"nothing":               {`{}`, []string{""}, "api_key"},
		"not an object":         {`[]`, []string{""}, "object"},
		"null":                  {`null`, []string{""}, "object"},
		"twice":                 {`{"api_key":"a","api_key":"b"}`, []string{""}, "duplicate"},
		"both credentials":      {`{"api_key":"k","api_token":"t"}`, []string{"/api_token"}, "not both"},
		"both addresses":        {`{"api_key":"k","region":"us","endpoint":"https://example.com"}`, []string{"/region"}, "not both"},
		"all at once":           {`{"apikey":"k","regoin":"us","timeout":5,"max_retries":-1,"zzz":1}`, []string{"", "/apikey", "/regoin", "/timeout", "/max_retries", "/zzz"}, `"region"`},
		"did you mean":          {`{"api_key":"k","Profile":"x"}`, []string{"/Profile"}, `"profile"`},
		"pointer is escaped":    {`{"api_key":"k","a/b~c":1}`, []string{"/a~1b~0c"}, "known are"},
		"line break in the key": {`{"api_key":"k\n"}`, []string{"/api_key"}, "line break"},
		"key too long":          {`{"api_key":"` + strings.Repeat("k", 2049) + `"}`, []string{"/api_key"}, "2048"},
		"empty key":             {`{"api_key":""}`, []string{"/api_key"}, "empty"},
		"unknown region":        {`{"api_key":"k","region":"eu"}`, []string{"/region"}, "sg"},
		"http":                  {`{"api_key":"k","endpoint":"http://example.com"}`, []string{"/endpoint"}, "https"},
		"http by look-alike":    {`{"api_key":"k","endpoint":"http://127.0.0.1.example.com"}`, []string{"/endpoint"}, "https"},
		"user information":      {`{"api_key":"k","endpoint":"https://u:p@example.com"}`, []string{"/endpoint"}, "password"},
		"query":                 {`{"api_key":"k","endpoint":"https://example.com?x=1"}`, []string{"/endpoint"}, "query"},
		"other scheme":          {`{"api_key":"k","endpoint":"file:///etc/passwd"}`, []string{"/endpoint"}, "address"},
		"no scheme":             {`{"api_key":"k","endpoint":"example.com"}`, []string{"/endpoint"}, "address"},
		"bad proxy":             {`{"api_key":"k","proxy":"ftp://x"}`, []string{"/proxy"}, "proxy"},
		"types": {
			`{"api_key":1,"profile":[],"payload_hash":"yes","timeout":"soon","max_retries":1.5,"max_request_bytes":99999999}`,
			[]string{"/api_key", "/profile", "/payload_hash", "/timeout", "/max_retries", "/max_request_bytes"}, "true or false",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, problems := parseConfig([]byte(test.config))
			var got []string
			mentioned := test.mention == ""
			for _, p := range problems {
				got = append(got, p.Pointer)
				mentioned = mentioned || strings.Contains(p.Message, test.mention)
			}
			slices.Sort(got)
			slices.Sort(test.problems)
			if !slices.Equal(got, test.problems) {
				t.Errorf("problems at %q, want %q:\n%v", got, test.problems, problems)
			}
			if !mentioned {
				t.Errorf("no message mentions %q:\n%v", test.mention, problems)
			}
		})
	}
}

// TestProblemsQuoteNoSecret gives every member the same wrong value.
func TestProblemsQuoteNoSecret(t *testing.T) {
	const secret = "hunter2 \u0000"
	c := defaults()
	members := map[string]any{"hunter3": secret}
	for name := range c.fields() {
		members[name] = secret
	}
	raw, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	_, problems := parseConfig(raw)
	if len(problems) < 10 {
		t.Errorf("only %d problems", len(problems))
	}
	for _, p := range problems {
		if strings.Contains(p.Message, "hunter") {
			t.Errorf("%s: %s", p.Pointer, p.Message)
		}
	}
}

// TestSchema checks that the schema knows the same members as the parser, with
// the same limits, and marks what may be secret.
func TestSchema(t *testing.T) {
	var schema struct {
		Properties map[string]struct {
			WriteOnly   bool   `json:"writeOnly"`
			Description string `json:"description"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(configSchema, &schema); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/prisma-airs.md")
	if err != nil {
		t.Fatal(err)
	}
	c := defaults()
	for name := range c.fields() {
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("%s is not documented", name)
		}
		p, ok := schema.Properties[name]
		if !ok || p.Description == "" {
			t.Errorf("%s is not in the schema, or has no description", name)
		}
		if secret := name == "api_key" || name == "api_token" || name == "proxy"; p.WriteOnly != secret {
			t.Errorf("%s: writeOnly is %v", name, p.WriteOnly)
		}
	}
	if len(schema.Properties) != len(c.fields())+1 { // and budget
		t.Errorf("%d members in the schema, %d in the parser", len(schema.Properties), len(c.fields()))
	}
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(string(configSchema)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("config.json", parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	for config, valid := range map[string]bool{
		`{"api_key":"k","max_request_bytes":131072,"chunk_overlap":4096,"region":"jp"}`:                                                          true,
		`{"rate":0.5,"burst":3,"hedge_after":"p95","hedge_percent":10,"budget":{"calls":5,"per":"server","every":"1h","on_exhausted":"outage"}}`: true,
		`{"budget":{}}`: false, `{"budget":{"calls":0}}`: false, `{"budget":{"calls":1,"per":"day"}}`: false, `{"hedge_after":"p50"}`: false, `{"rate":0}`: false,
		`{"api_key":""}`: false, `{"max_request_bytes":131071}`: false, `{"chunk_overlap":4097}`: false, `{"region":"eu"}`: false, `{"max_retries":11}`: false,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(config))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(value); (err == nil) != valid {
			t.Errorf("%s: the schema says %v", config, err)
		}
	}
}

func TestProfile(t *testing.T) {
	for profile, want := range map[string]wireProfile{
		"":                                     {},
		"mcp tools":                            {Name: "mcp tools"},
		"7b4a9de9-09e9-4ce5-b090-7f99fdffc9a5": {ID: "7b4a9de9-09e9-4ce5-b090-7f99fdffc9a5"},
		"7b4a9de909e94ce5b0907f99fdffc9a5":     {Name: "7b4a9de909e94ce5b0907f99fdffc9a5"},
	} {
		if c := (&config{profile: profile}); c.aiProfile() != want {
			t.Errorf("%q: %+v", profile, c.aiProfile())
		}
	}
}

func TestCAFile(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.pem")
	if err := os.WriteFile(bad, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{bad, bad + ".missing"} {
		c := testConfig()
		c.caFile = path
		if _, problem := newClient(*c); problem == nil || problem.Pointer != "/ca_file" || strings.Contains(problem.Message, "bad") {
			t.Errorf("%s: %+v", path, problem)
		}
	}
}

func TestIdentifier(t *testing.T) {
	for id, same := range map[string]bool{"": true, "sess-1": true, strings.Repeat("é", 100): true, strings.Repeat("x", 101): false, "\xff": false} {
		got := identifier(id)
		if (got == id) != same || len([]rune(got)) > maxID {
			t.Errorf("%q becomes %q", id, got)
		}
	}
	if identifier(strings.Repeat("x", 101)) == identifier(strings.Repeat("x", 102)) {
		t.Error("two long ids are one")
	}
}

// TestProblemsAreProblems guards against a nil of the wrong type.
func TestProblemsAreProblems(t *testing.T) {
	s := New()
	configurer, ok := s.(scanner.Configurer)
	if !ok {
		t.Fatal("not a Configurer")
	}
	if err := configurer.Configure(t.Context(), []byte(`{"api_key":"k"}`)); err != nil {
		t.Errorf("a good configuration is refused: %v", err)
	}
	if err := configurer.Configure(t.Context(), []byte(`{}`)); err == nil {
		t.Error("a bad one is taken")
	}
	if s.(*airs).state.Load() == nil {
		t.Error("the good configuration is no longer in force")
	}
}
