package config

import (
	"encoding/json"
	"path/filepath"
	"strings"
)

// ruleFiles makes the files of rules in the configuration of a guard absolute:
// paths that begin with ./ or ../ start at the configuration file, as those of
// programs do. What is not as it should be is guard's to report.
func (l *loader) ruleFiles(given json.RawMessage) json.RawMessage {
	members := map[string]json.RawMessage{}
	var files []string
	if json.Unmarshal(given, &members) != nil || json.Unmarshal(members["rules"], &files) != nil {
		return given
	}
	for i, file := range files {
		path := filepath.FromSlash(expandHome(file, l.opts.Home))
		if slash := filepath.ToSlash(path); strings.HasPrefix(slash, "./") || strings.HasPrefix(slash, "../") {
			path = filepath.Join(l.reader.dir, path)
		}
		files[i] = path
	}
	list, err := json.Marshal(files)
	if err != nil { // strings always marshal
		return given
	}
	members["rules"] = list
	out, err := json.Marshal(members)
	if err != nil { // raw members that were valid stay valid
		return given
	}
	return out
}
