package principal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/statefile"
)

func TestParse(t *testing.T) {
	sum := strings.Repeat("0", 64)
	record := fmt.Sprintf(`{"name":"a","sha256":%q,"created":"2026-01-02T03:04:05Z"}`, sum)
	for text, want := range map[string]error{
		`{"version":1,"tokens":[]}`:                                                      nil,
		`{"version":1,"tokens":[` + record + `]}`:                                        nil,
		`{"version":2,"tokens":[],"new":1}`:                                              errNewer,
		`{"version":0,"tokens":[]}`:                                                      errNotOurs,
		`{"version":1,"tokens":[],"extra":1}`:                                            errNotOurs,
		`{"version":1,"tokens":[]} {}`:                                                   errNotOurs,
		`{"version":1,"tokens":[` + record + `,` + record + `]}`:                         errNotOurs,
		`{"version":1,"tokens":[` + strings.Replace(record, `"a"`, `"A"`, 1) + `]}`:      errNotOurs,
		`{"version":1,"tokens":[` + strings.Replace(record, sum, sum[2:], 1) + `]}`:      errNotOurs,
		`{"version":1,"tokens":[` + strings.Replace(record, sum, "g"+sum[1:], 1) + `]}`:  errNotOurs,
		`{"version":1,"tokens":[` + strings.Replace(record, "2026", "twenty", 1) + `]}`:  errNotOurs,
		`{"version":1,"tokens":[` + strings.Replace(record, `"name":"a",`, ``, 1) + `]}`: errNotOurs,
		``:     errNotOurs,
		`null`: errNotOurs,
		`[]`:   errNotOurs,
	} {
		if _, err := parse([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

// Whatever the file holds, nobody enters who has no token of it, and what was
// read is written in the same meaning.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"version":1,"tokens":[{"name":"a","sha256":"` + hex.EncodeToString(make([]byte, 32)) + `","created":"2026-01-02T03:04:05Z"}]}`))
	f.Add([]byte(`{"version":1,"tokens":[]}`))
	f.Add([]byte(`{"Version":1,"tokens":[{"NAME":"a","name":"b","sha256":""}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parse(data)
		if err != nil {
			if entries != nil {
				t.Error("entries beside an error")
			}
			return
		}
		if name, ok := match(entries, "mcprelay_nobody"); ok {
			t.Errorf("a token that nobody has is that of %s", name)
		}
		for _, e := range entries {
			if !ValidName(e.name) || e.given {
				t.Errorf("entry %+v", e)
			}
		}
		if len(data) > 1<<12 {
			return // the rest touches files
		}
		dir := filepath.Join(t.TempDir(), "d")
		write := &Store{dir: dir}
		if werr := write.change(func(*statefile.Dir, []entry) ([]entry, error) { return entries, nil }); werr != nil {
			t.Fatal(werr)
		}
		if list := write.List(); len(list) != len(entries) {
			t.Errorf("%d of %d entries came back", len(list), len(entries))
		}
	})
}
