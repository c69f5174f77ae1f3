package canary

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/verdict"
)

// untried are the methods that no canary is sent in, with the reason.
var untried = map[string]string{
	protocol.Initialize:           "its instructions are a step",
	protocol.Discover:             "its instructions are a step",
	protocol.Ping:                 "says nothing",
	protocol.SetLevel:             "says a word of the protocol",
	protocol.Subscribe:            "the relay subscribes for its clients",
	protocol.Unsubscribe:          "the relay subscribes for its clients",
	protocol.Listen:               "the relay listens for its clients",
	protocol.Acknowledged:         "answers the relay",
	protocol.Initialized:          "the relay says it itself",
	protocol.Cancelled:            "the relay says it itself; a reason is not passed on",
	protocol.RootsListChanged:     "the relay says it itself",
	protocol.ToolsListChanged:     "the relay says it itself",
	protocol.PromptsListChanged:   "the relay says it itself",
	protocol.ResourcesListChanged: "the relay says it itself",
	protocol.ResourceUpdated:      "judged like every notification; the tests of package conformance play it",
	protocol.ElicitationComplete:  "judged like every notification; the tests of package conformance play it",
	protocol.TaskStatus:           "judged like every notification; the tests of package conformance play it",
	protocol.TasksGet:             "judged like every request; the tests of package conformance play it",
	protocol.TasksResult:          "judged like every request; the tests of package conformance play it",
	protocol.TasksCancel:          "judged like every request; the tests of package conformance play it",
	protocol.TasksList:            "the relay merges the lists of servers",
}

// TestEveryMethodIsTried: a method that a revision brings is a step, or it is said
// why not.
func TestEveryMethodIsTried(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "protocol", "testdata", "methods.json"))
	if err != nil {
		t.Fatal(err)
	}
	var revisions map[string]map[string][]string
	if err := json.Unmarshal(text, &revisions); err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	phases := map[verdict.Phase]bool{}
	for i := range Steps {
		phases[Steps[i].Phase] = true
		if !strings.HasPrefix(Steps[i].Name, Steps[i].Method) && Steps[i].Name != "instructions" {
			t.Errorf("step %s is of another method", Steps[i].Name)
		}
		if Steps[i].Name != "instructions" {
			tried[Steps[i].Method] = true
		}
	}
	for _, revision := range []string{protocol.LatestLegacy, protocol.LatestModern} {
		for who, list := range revisions[revision] {
			for _, method := range list {
				if tried[method] == (untried[method] != "") {
					t.Errorf("%s of %s (%s): make it a step, or say why not, and not both", method, revision, who)
				}
			}
		}
	}
	for _, phase := range verdict.Phases {
		if !phases[phase] {
			t.Errorf("no step is of phase %s", phase)
		}
	}
}

func TestMarks(t *testing.T) {
	r, other := NewRun(), NewRun()
	text := r.text(3, Plain) + other.text(4, Bad) + r.text(5, Bad) + r.text(3, Plain) + "canary-" + r.id + "-99a"
	got := r.marks([]byte(text))
	if len(got) != 2 || got[0] != (Mark{3, Plain}) || got[1] != (Mark{5, Bad}) {
		t.Errorf("%v", got)
	}
	if RunOf(r.ID()).text(1, Bad) != r.text(1, Bad) {
		t.Error("the same run says something else elsewhere")
	}
}
