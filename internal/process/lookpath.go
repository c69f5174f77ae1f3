package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrNotFound says that a program is in no directory of the child's PATH.
var ErrNotFound = errors.New("program not found in PATH")

// LookPath returns the file to execute for a program's name. A name with a
// separator is returned as it is. Others are looked up in the PATH of env, the
// child's environment, in absolute directories only: the working directory may
// be hostile and is never searched.
func LookPath(name string, env []string) (string, error) {
	if name == "" {
		return "", fmt.Errorf("%w: the name is empty", ErrNotFound)
	}
	if filepath.Base(name) != name {
		return name, nil
	}
	for _, dir := range filepath.SplitList(valueOf(env, "PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		for _, suffix := range suffixes(name, env) {
			if path := filepath.Join(dir, name+suffix); executable(path) {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%w: %q", ErrNotFound, name)
}

// suffixes lists what may be appended to a name to find its file.
func suffixes(name string, env []string) []string {
	if runtime.GOOS != "windows" {
		return []string{""}
	}
	extensions := valueOf(env, "PATHEXT")
	if extensions == "" {
		extensions = ".COM;.EXE;.BAT;.CMD"
	}
	list := strings.Split(extensions, ";")
	if filepath.Ext(name) != "" {
		list = append([]string{""}, list...)
	}
	return list
}

func executable(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return false
	}
	return runtime.GOOS == "windows" || info.Mode()&fs.FileMode(0o111) != 0
}

// valueOf returns the last value of a variable in an environment.
func valueOf(env []string, name string) string {
	value := ""
	for _, entry := range env {
		if n, v, ok := strings.Cut(entry, "="); ok && matches(name, n) {
			value = v
		}
	}
	return value
}
