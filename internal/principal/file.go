package principal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/mcp-relay/relay/internal/statefile"
)

// The files of the state directory.
const (
	storeFile = "tokens.json" // names and hashes
	plainFile = "token"       // the one that was made for the first start, as it is
	lockFile  = "tokens.lock"
)

const maxFile = 1 << 20 // bytes

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
func readStore(dir *statefile.Dir) ([]entry, fs.FileInfo, error) {
	data, info, err := dir.Read(storeFile, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the tokens: %w", err)
	}
	entries, err := parse(data)
	if err != nil {
		return nil, nil, fmt.Errorf("the file of tokens, %s: %w", storeFile, err)
	}
	return entries, info, nil
}

func writeStore(dir *statefile.Dir, entries []entry) error {
	doc := document{Version: documentVersion, Tokens: make([]record, 0, len(entries))}
	for i := range entries {
		e := &entries[i]
		doc.Tokens = append(doc.Tokens, record{Name: e.name, SHA256: hex.EncodeToString(e.hash[:]), Created: e.created})
	}
	data, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the tokens: %w", err)
	}
	return dir.Write(storeFile, append(data, '\n')) //nolint:wrapcheck // it says what was attempted
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
