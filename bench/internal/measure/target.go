package measure

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

// Target is one thing to measure: a relay with its configuration, or the server
// itself as the baseline. Command, URL, Env, Headers and the contents of Files
// are texts of text/template over [Vars].
type Target struct {
	Name     string            `json:"name"`
	Front    string            `json:"front"`              // "stdio" or "http": how the harness talks to it
	Down     string            `json:"down,omitempty"`     // "stdio" or "http": how it talks to the server
	Baseline string            `json:"baseline,omitempty"` // target to compare with; default: direct-FRONT
	Command  []string          `json:"command,omitempty"`  // empty: the shared HTTP server is the target
	URL      string            `json:"url,omitempty"`      // front "http"; several are separated by spaces
	Headers  []string          `json:"headers,omitempty"`
	Env      []string          `json:"env,omitempty"`
	Files    map[string]string `json:"files,omitempty"` // name -> text, or "@path" relative to the targets file
	Protocol string            `json:"protocol,omitempty"`
	Tools    int               `json:"tools,omitempty"`   // generated tools per server, instead of the plan's
	Servers  int               `json:"servers,omitempty"` // servers behind it, instead of the plan's
	Ops      []string          `json:"ops,omitempty"`     // if set, only these operations
	MaxC     int               `json:"max_c,omitempty"`   // if set, skip scenarios with more calls in flight
	Note     string            `json:"note,omitempty"`
	Single   bool              `json:"single,omitempty"` // can stand before one server only
}

// Programs are the paths of what the standard targets start.
type Programs struct {
	Relay string // the relay that is measured
	Floor string // the floor relay
}

// Vars is what the templates see.
type Vars struct {
	Programs

	Bench   string // path of this program
	Dir     string // directory of the target's files, removed afterwards
	Port    int    // free port on 127.0.0.1
	Tools   int    // generated tools per server
	Servers []Server
}

// Server is one downstream server.
type Server struct {
	Name string   // s0, s1, ...
	URL  string   // Streamable HTTP endpoint
	Args []string // arguments to start it over stdio
}

// LoadTargets reads a targets file.
func LoadTargets(path string) ([]Target, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	targets, err := ParseTargets(text, os.DirFS(filepath.Dir(path)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return targets, nil
}

// ParseTargets reads the text of a targets file. Files whose text is "@path" are
// read from dir.
func ParseTargets(text []byte, dir fs.FS) ([]Target, error) {
	var file struct {
		Targets []Target `json:"targets"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, err
	}
	for i := range file.Targets {
		t := &file.Targets[i]
		if t.Name == "" || t.Front != "stdio" && t.Front != "http" {
			return nil, fmt.Errorf("target %d needs a name and a front of stdio or http", i)
		}
		if t.Baseline == "" {
			t.Baseline = "direct-" + t.Front
		}
		for name, content := range t.Files {
			from, ok := strings.CutPrefix(content, "@")
			if !ok {
				continue
			}
			read, err := fs.ReadFile(dir, from)
			if err != nil {
				return nil, fmt.Errorf("target %s: %w", t.Name, err)
			}
			t.Files[name] = string(read)
		}
	}
	return file.Targets, nil
}

// vars makes the variables of a target that is about to start in dir.
func (t *Target) vars(o *StartOptions, dir string) (Vars, error) {
	self, err := os.Executable()
	if err != nil {
		return Vars{}, err
	}
	port, err := freePort()
	if err != nil {
		return Vars{}, err
	}
	v := Vars{Programs: o.Programs, Bench: self, Dir: dir, Tools: o.Tools, Port: port}
	for i := range o.Servers {
		s := Server{Name: fmt.Sprintf("s%d", i), URL: o.HTTPBase + "/mcp"}
		s.Args = []string{"server", "-tools", strconv.Itoa(o.Tools)}
		if o.Servers > 1 {
			s.Args = append(s.Args, "-prefix", s.Name+"_")
			s.URL = o.HTTPBase + "/s/" + s.Name + "/mcp"
		}
		v.Servers = append(v.Servers, s)
	}
	return v, nil
}

func expand(text string, v Vars) (string, error) {
	t, err := template.New("").Option("missingkey=error").Funcs(template.FuncMap{
		"json": func(x any) (string, error) { b, err := json.Marshal(x); return string(b), err },
		"join": strings.Join,
		"env":  os.Getenv,
	}).Parse(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, v)
	return b.String(), err
}

func expandAll(texts []string, v Vars) (out []string, err error) {
	for _, text := range texts {
		expanded, e := expand(text, v)
		err = errors.Join(err, e)
		out = append(out, expanded)
	}
	return out, err
}
