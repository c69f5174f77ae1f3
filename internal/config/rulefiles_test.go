package config

import (
	"path/filepath"
	"testing"
)

func TestRuleFilesStartAtTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	l := &loader{}
	l.reader.dir = dir
	l.opts.Home = "/home/me"
	for given, want := range map[string]string{
		`{"rules":["./mine.yaml"]}`:  `{"rules":["` + filepath.ToSlash(filepath.Join(dir, "mine.yaml")) + `"]}`,
		`{"rules":["mine.yaml"]}`:    `{"rules":["mine.yaml"]}`,
		`{"rules":[1],"disable":[]}`: `{"rules":[1],"disable":[]}`,
		`{"disable":["pii"]}`:        `{"disable":["pii"]}`,
		``:                           ``,
	} {
		if got := filepath.ToSlash(string(l.ruleFiles([]byte(given)))); got != want {
			t.Errorf("%s becomes %s, want %s", given, got, want)
		}
	}
}
