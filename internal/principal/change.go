package principal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/statefile"
)

var (
	// ErrExists is met when a name has a token already.
	ErrExists = errors.New("there is a token of this name: remove it first, or choose another name")
	// ErrUnknown is met when a name has no stored token.
	ErrUnknown = errors.New("there is no stored token of this name: relay token list shows all")
	// ErrNotGenerated is met when no token is kept in the clear.
	ErrNotGenerated = errors.New("no token is kept in the clear: relay token add NAME makes one and shows it once")

	errTooMany = errors.New("there are too many tokens: remove some")
	errNothing = errors.New("nothing to change")
)

const (
	maxEntries  = 1000
	defaultName = "default" // of the token that is made for the first start
)

// Add makes a token and returns it; it cannot be had again.
func (s *Store) Add(name string) (token string, err error) {
	if !ValidName(name) {
		return "", ErrName
	}
	token = newToken()
	err = s.change(func(_ *statefile.Dir, stored []entry) ([]entry, error) {
		return add(stored, name, token)
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

func add(stored []entry, name, token string) ([]entry, error) {
	switch {
	case index(stored, name) >= 0:
		return nil, ErrExists
	case len(stored) >= maxEntries:
		return nil, errTooMany
	}
	return append(stored, entry{name: name, hash: hashOf(token), created: time.Now().UTC().Truncate(time.Second)}), nil
}

func index(entries []entry, name string) int {
	return slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
}

// Remove makes a stored token unknown. Sessions that it opened are not its
// business.
func (s *Store) Remove(name string) error {
	return s.change(func(dir *statefile.Dir, stored []entry) ([]entry, error) {
		i := index(stored, name)
		if i < 0 {
			return nil, ErrUnknown
		}
		if name == defaultName {
			if err := dir.Remove(plainFile); err != nil {
				return nil, err //nolint:wrapcheck // it names the file and what was attempted
			}
		}
		return slices.Delete(stored, i, i+1), nil
	})
}

// Ensure makes a first token, named default, when there is none at all, given
// ones included, so that a front that asks for tokens can be used. It returns
// the path of the file that holds it, or "" when there were tokens.
func (s *Store) Ensure() (path string, err error) {
	if len(s.given) > 0 {
		return "", nil
	}
	err = s.change(func(dir *statefile.Dir, stored []entry) ([]entry, error) {
		if len(stored) > 0 {
			return nil, errNothing
		}
		// The plain token first: a hash of a token that nobody has would keep
		// the next start from making another.
		token := newToken()
		if err := dir.Write(plainFile, []byte(token+"\n")); err != nil {
			return nil, err //nolint:wrapcheck // it says what was attempted
		}
		return add(stored, defaultName, token)
	})
	switch {
	case errors.Is(err, errNothing):
		return "", nil
	case err != nil:
		return "", err
	}
	return filepath.Join(s.dir, plainFile), nil
}

// Generated returns the token that [Store.Ensure] made, as long as it is valid.
// The error is [ErrNotGenerated] when there is none.
func (s *Store) Generated() (token string, err error) {
	dir, err := openDirectory(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", ErrNotGenerated
	}
	if err != nil {
		return "", err
	}
	defer dir.Close()
	text, _, err := dir.Read(plainFile, maxToken)
	if errors.Is(err, fs.ErrNotExist) {
		return "", ErrNotGenerated
	}
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	stored, _, err := readStore(dir)
	if err != nil {
		return "", err
	}
	token = strings.TrimSpace(string(text))
	if name, ok := match(stored, token); !ok || name != defaultName {
		return "", ErrNotGenerated
	}
	return token, nil
}
