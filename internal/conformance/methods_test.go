package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unplayed are the methods that no flow has, with where they are tested instead.
// Most carry nothing that was written by anybody.
var unplayed = map[string]string{
	"initialize":               "TestNothingOfAnIntroductionPassesUnseen",
	"server/discover":          "TestNothingOfAnIntroductionPassesUnseen",
	"ping":                     "has no content; the relay answers it",
	"logging/setLevel":         "a word of the protocol; the relay answers it",
	"tools/list":               "TestListsKeepTheirBytes; canaries in TestNothingFromAServerComesOutUnseen of package relay",
	"prompts/list":             "TestListsKeepTheirBytes; canaries in TestNothingFromAServerComesOutUnseen of package relay",
	"resources/list":           "TestListsKeepTheirBytes; canaries in TestNothingFromAServerComesOutUnseen of package relay",
	"resources/templates/list": "TestListsKeepTheirBytes; canaries in TestNothingFromAServerComesOutUnseen of package relay",
	"resources/subscribe":      "the relay subscribes itself; its target is looked up",
	"resources/unsubscribe":    "the relay unsubscribes itself; its target is looked up",
	"subscriptions/listen":     "the relay listens itself; its target is looked up",
	"notifications/subscriptions/acknowledged": "answers what the relay itself asked for",
	"notifications/initialized":                "the relay says it itself",
	"notifications/cancelled":                  "its reason is played among the envelopes",
	"notifications/roots/list_changed":         "the relay says it itself",
	"notifications/tools/list_changed":         "the relay says it itself",
	"notifications/prompts/list_changed":       "the relay says it itself",
	"notifications/resources/list_changed":     "the relay says it itself",
	"tasks/list":                               "the relay merges the lists of servers",
}

// TestEveryMethodIsPlayed: a method that a revision brings is played with a canary
// at every place, or it is said where else it is tested. That way none is
// forgotten.
func TestEveryMethodIsPlayed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "protocol", "testdata", "methods.json"))
	if err != nil {
		t.Fatal(err)
	}
	var revisions map[string]map[string][]string
	if err := json.Unmarshal(text, &revisions); err != nil {
		t.Fatal(err)
	}
	needed := map[string]bool{}
	for era, revision := range map[string]string{legacy: lastLegacy, modern: firstModern} {
		played := map[string]bool{}
		for _, f := range flowsOf(t, era) {
			played[f.method] = true
			played[f.name[strings.LastIndexByte(f.name, ' ')+1:]] = true // a question lies in a result
		}
		for who, list := range revisions[revision] {
			for _, method := range list {
				switch {
				case played[method]:
				case unplayed[method] != "":
					needed[method] = true
				default:
					t.Errorf("%s of %s (%s) is in no flow, and nobody says why", method, revision, who)
				}
			}
		}
	}
	for method := range unplayed {
		if !needed[method] {
			t.Errorf("%s is played: it needs no excuse", method)
		}
	}
}
