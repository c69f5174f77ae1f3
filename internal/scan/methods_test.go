package scan

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Every method that the gate clears without a scan is one of the specification,
// spelled as there: a typing error would exempt what nobody meant.
func TestContentlessMethodsExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "protocol", "testdata", "methods.json"))
	if err != nil {
		t.Fatal(err)
	}
	var revisions map[string]map[string][]string
	if err := json.Unmarshal(text, &revisions); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, r := range revisions {
		for _, list := range r {
			for _, method := range list {
				known[method] = true
			}
		}
	}
	for method := range contentless {
		if !known[method] {
			t.Errorf("no revision has %s", method)
		}
	}
}
