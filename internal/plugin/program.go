package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// program is a scanner's program, opened.
type program struct {
	path string
	args []string
	file *os.File // what is hashed is what is executed, where the system can do that
	sum  func() (string, error)
}

// selfSum is the digest of the relay's own executable, computed once: a running
// program's file cannot change, only its name can.
var selfSum = sync.OnceValues(func() (string, error) {
	f, err := os.Open(ownExecutable())
	if err != nil {
		return "", fmt.Errorf("open the relay's own executable: %w", err)
	}
	defer f.Close()
	return digest(f)
})

// ownExecutable returns a path of the relay's own executable: on Linux one that
// leads to the running file even after an upgrade replaced it on disk.
func ownExecutable() string {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe"
	}
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

// openProgram opens the program of a scanner. A declared digest is checked here;
// otherwise it is computed while the child already starts.
func openProgram(s *Spec) (*program, error) {
	b := &program{path: s.Path, args: s.Args}
	if s.Bundled != "" {
		b.args = append([]string{"__scanner", s.Bundled}, s.Args...)
		b.path, b.sum = ownExecutable(), selfSum
		if s.Executable != "" {
			b.path = s.Executable
			b.sum = func() (string, error) { return digestOf(s.Executable) }
		}
	} else {
		path, err := filepath.EvalSymlinks(s.Path)
		if err != nil {
			return nil, fmt.Errorf("find the scanner's program: %w; correct the path of the plugin in the configuration", err)
		}
		file, err := openGuarded(path)
		if err != nil {
			return nil, err
		}
		// The digest reads through the descriptor at offsets of its own, so that
		// it can be computed while the same descriptor is executed.
		b.path, b.file = path, file
		b.sum = sync.OnceValues(func() (string, error) { return digest(io.NewSectionReader(file, 0, 1<<62)) })
	}
	err := s.verify()
	if err == nil && s.SHA256 == "" {
		return b, nil
	}
	var have string
	if err == nil {
		have, err = b.sum()
	}
	if err == nil && have != s.SHA256 {
		err = &DigestError{Have: have, Want: s.SHA256}
	}
	if err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// verify asks about what belongs to the program.
func (s *Spec) verify() error {
	if s.Verify == nil {
		return nil
	}
	if err := s.Verify(); err != nil {
		return &VerifyError{Err: err}
	}
	return nil
}

func (b *program) close() {
	if b.file != nil {
		b.file.Close()
	}
}

// openGuarded opens a program that nobody but us and the system's administrator
// can write, rename or replace, at a path without symbolic links.
func openGuarded(path string) (*os.File, error) {
	if err := checkChain(path); err != nil {
		return nil, err
	}
	named, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("look at the scanner's program: %w", err)
	}
	if !named.Mode().IsRegular() {
		return nil, &PermissionError{Path: path, Reason: "is not a regular file"}
	}
	if runtime.GOOS != "windows" && named.Mode().Perm()&0o111 == 0 {
		return nil, &PermissionError{Path: path, Reason: "is not executable: run chmod +x on it"}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the scanner's program: %w", err)
	}
	opened, err := file.Stat()
	if err == nil && !os.SameFile(named, opened) {
		err = &PermissionError{Path: path, Reason: "was replaced while it was opened"}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func digestOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open a program: %w", err)
	}
	defer f.Close()
	return digest(f)
}

func digest(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.CopyBuffer(h, r, make([]byte, 256<<10)); err != nil {
		return "", fmt.Errorf("hash a program: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// CheckProgram tells why the relay would not start the program at path: it is no
// executable file, or somebody else can change it.
func CheckProgram(path string) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("find the scanner's program: %w", err)
	}
	file, err := openGuarded(path)
	if err != nil {
		return err
	}
	return file.Close()
}
