package conformance

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestNothingOfAnIntroductionPassesUnseen gives the relay as many servers as a
// handshake and the lists have places, each with a canary at another one.
func TestNothingOfAnIntroductionPassesUnseen(t *testing.T) {
	for _, w := range []way{{overPipe, overHTTP, legacy, legacy}, {overHTTP, overHTTP, modern, modern}} {
		t.Run(w.String(), func(t *testing.T) {
			var c canaries
			places := introductions(t, w.server, &c)
			sent := map[string]string{}
			for canary, p := range places {
				sent[canary] = p.method + ": " + p.document
			}
			// Some at a time: each is a server.
			seen, came := map[string]bool{}, map[string]bool{}
			for chunk := range slices.Chunk(slices.Sorted(maps.Keys(places)), 40) {
				r := introduce(t, w, places, chunk)
				maps.Copy(came, sung(r.everything(true)))
				maps.Copy(seen, sung([]string{r.saw()}))
			}
			count, unseen := escapees(sent, came, seen)
			for _, canary := range unseen {
				t.Errorf("%s came out unseen in %s", canary, tail(sent[canary], 600))
			}
			t.Logf("%d of %d canaries came out", count, len(sent))
			if count < 50 {
				t.Errorf("only %d canaries came out: the test does not test", count)
			}
		})
	}
}

// introduction is an answer to one of the questions with which the relay begins.
type introduction struct{ method, document string }

// introductions returns the tainted answers, by canary.
func introductions(t *testing.T, era string, c *canaries) map[string]introduction {
	t.Helper()
	s := loadSchema(t, map[string]string{legacy: lastLegacy, modern: firstModern}[era])
	hello, result := "initialize", "InitializeResult"
	if era == modern {
		hello, result = "server/discover", "DiscoverResult"
	}
	out := map[string]introduction{}
	for method, def := range map[string]string{
		hello: result, "tools/list": "ListToolsResult", "prompts/list": "ListPromptsResult", "resources/list": "ListResourcesResult",
		"resources/templates/list": "ListResourceTemplatesResult",
	} {
		doc := s.make(def, 0)
		doc.drop("nextCursor")
		if era == modern {
			doc.set("resultType", `"complete"`)
		}
		if method == hello {
			doc.set("capabilities", abilitiesOfServer)
			if era == modern {
				doc.set("supportedVersions", `["`+firstModern+`"]`)
			} else {
				doc.set("protocolVersion", `"`+lastLegacy+`"`)
			}
		}
		for canary, document := range taint(doc, c) {
			out[canary] = introduction{method, document}
		}
	}
	return out
}

// introduce runs a relay with a server for each canary and has a client fetch all
// that there is.
func introduce(t *testing.T, w way, places map[string]introduction, canaries []string) *rig {
	t.Helper()
	servers := map[string]any{}
	for i, canary := range canaries {
		place := places[canary]
		own := &rig{t: t, way: w, events: make(chan event, 4096), listed: plainLists()}
		if _, isList := own.listed[place.method]; isList {
			own.listed[place.method] = place.document
			if w.server == modern { // it says itself what kind of result it is
				own.listed[place.method] = "{" + `"x":0,` + place.document[1:]
			}
		} else {
			own.hello = place.document
		}
		servers["s"+strconv.Itoa(i)] = newFakeServer(t, w.down, w.server, own.thinkAlone).entry
	}
	r := &rig{t: t, way: w, events: make(chan event, 4096)}
	r.seen = t.TempDir() + "/seen"
	r.connectTo(servers, object("scanners", []any{object("name", "recorder", "plugin", program(recorderRole), "config", object("file", r.seen))}))
	r.greet()
	time.Sleep(200 * time.Millisecond) // for servers that are told apart late
	r.greetAgain()
	r.stop()
	return r
}

// thinkAlone is think without a test that waits.
func (r *rig) thinkAlone(frame []byte, say func([]byte)) {
	r.think(frame, say)
	for len(r.events) > 0 {
		<-r.events
	}
}

// greetAgain fetches the lists again, page by page.
func (r *rig) greetAgain() {
	for method := range plainLists() {
		cursor := "{}"
		for range 50 {
			e := r.exchange(method, r.params(cursor))
			if e == nil {
				return
			}
			next := string(member(e.Result, "nextCursor"))
			if next == "null" || strings.Contains(next, "CANARY") {
				break
			}
			cursor = `{"cursor":` + next + `}`
		}
	}
}
