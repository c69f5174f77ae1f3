package principal

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The files of the state directory.
const (
	storeFile = "tokens.json" // names and hashes
	plainFile = "token"       // the one that was made for the first start, as it is
	lockFile  = "tokens.lock"
)

const maxFile = 1 << 20 // bytes

// openDirectory opens the state directory. It refuses one in which somebody
// else could replace the files.
func openDirectory(path string) (*os.Root, error) {
	if path == "" {
		return nil, fs.ErrNotExist
	}
	dir, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("opening the directory of tokens: %w", err)
	}
	info, err := dir.Stat(".")
	if err == nil {
		err = checkOwner(info, 0o022, "run chmod 700 on it")
	}
	if err != nil {
		_ = dir.Close()
		return nil, fmt.Errorf("the directory of tokens, %s: %w", path, err)
	}
	return dir, nil
}

// readFile reads a file of the directory, which must be the user's alone. What
// is checked is the open file, so that it is what is read.
func readFile(dir *os.Root, name string, limit int64) ([]byte, fs.FileInfo, error) {
	f, err := dir.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // it names the file and what was attempted
	}
	defer func() { _ = f.Close() }()
	path := filepath.Join(dir.Name(), name)
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, nil, err //nolint:wrapcheck // as above
	case !info.Mode().IsRegular():
		return nil, nil, fmt.Errorf("%s is not a regular file: remove it", path)
	}
	if err := checkOwner(info, 0o077, "run chmod 600 on it"); err != nil {
		return nil, nil, fmt.Errorf("the file of tokens, %s: %w", path, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // as above
	}
	if int64(len(data)) > limit {
		return nil, nil, fmt.Errorf("%s is longer than %d bytes: remove it", path, limit)
	}
	return data, info, nil
}

// writeFile puts a file of the user's alone in the place of another, in one
// step: who reads meanwhile gets the old one or the new one.
func writeFile(dir *os.Root, name string, data []byte) error {
	temporary := name + "." + rand.Text()
	err := fill(dir, temporary, data)
	if err == nil {
		err = dir.Rename(temporary, name)
	}
	if err != nil {
		_ = dir.Remove(temporary)
		return fmt.Errorf("writing the tokens: %w", err)
	}
	return nil
}

func fill(dir *os.Root, name string, data []byte) error {
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err //nolint:wrapcheck // writeFile says what was attempted
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// The stored form.
type (
	document struct {
		Version int      `json:"version"`
		Tokens  []record `json:"tokens"`
	}
	record struct {
		Name    string    `json:"name"`
		SHA256  string    `json:"sha256"`
		Created time.Time `json:"created"`
	}
)

const documentVersion = 1

// readStore reads the stored tokens; no file is no token, and no FileInfo.
func readStore(dir *os.Root) ([]entry, fs.FileInfo, error) {
	data, info, err := readFile(dir, storeFile, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	entries, err := parse(data)
	if err != nil {
		return nil, nil, fmt.Errorf("the file of tokens, %s: %w", filepath.Join(dir.Name(), storeFile), err)
	}
	return entries, info, nil
}

func writeStore(dir *os.Root, entries []entry) error {
	doc := document{Version: documentVersion, Tokens: make([]record, 0, len(entries))}
	for i := range entries {
		e := &entries[i]
		doc.Tokens = append(doc.Tokens, record{Name: e.name, SHA256: hex.EncodeToString(e.hash[:]), Created: e.created})
	}
	data, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the tokens: %w", err)
	}
	return writeFile(dir, storeFile, append(data, '\n'))
}

var (
	errNotOurs = errors.New("it is not a file of tokens: remove it, and make new tokens")
	errNewer   = errors.New("a newer relay wrote it: use that one")
)

// parse reads the stored form. It takes nothing that it does not understand:
// half of a list of who may enter is worth nothing.
func parse(data []byte) ([]entry, error) {
	var version struct {
		Version int `json:"version"`
	}
	if json.Unmarshal(data, &version) == nil && version.Version > documentVersion {
		return nil, errNewer
	}
	var doc document
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil || d.More() || doc.Version != documentVersion || len(doc.Tokens) > maxEntries {
		return nil, errNotOurs
	}
	entries := make([]entry, 0, len(doc.Tokens))
	for _, r := range doc.Tokens {
		e := entry{name: r.Name, created: r.Created}
		sum, err := hex.DecodeString(r.SHA256)
		if err != nil || len(sum) != len(e.hash) || !ValidName(r.Name) || index(entries, r.Name) >= 0 {
			return nil, errNotOurs
		}
		copy(e.hash[:], sum)
		entries = append(entries, e)
	}
	return entries, nil
}
