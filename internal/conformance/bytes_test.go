package conformance

import (
	"fmt"
	"strings"
	"testing"
)

// TestBytesStayAsTheyWere sends every message of both eras, in both directions,
// in many legal ways of writing it: what comes out is what went in, but for what
// the relay owns.
func TestBytesStayAsTheyWere(t *testing.T) {
	for _, era := range []string{legacy, modern} {
		flows := flowsOf(t, era)
		for _, w := range ways(era, era) {
			if w.front != w.down && !*thorough {
				continue
			}
			t.Run(w.String(), func(t *testing.T) {
				r := newRig(t, w, rigOptions{})
				compared := 0
				for i := range flows {
					compared += r.compare(t, &flows[i])
				}
				t.Logf("%d documents in %d flows", compared, len(flows))
			})
		}
	}
}

// compare plays a flow with every document, as it is and in turn mutated, and
// returns how many arrived as they were.
func (r *rig) compare(t *testing.T, f *flow) int {
	t.Helper()
	compared := 0
	for i, doc := range f.docs {
		for j, m := range mutations {
			if j > 0 && i > 0 && (!*thorough || (i+j)%3 != 0) { // the first document meets every mutation
				continue
			}
			sent := m.apply(doc.clone())
			got := f.play(r, sent)
			if got == nil {
				t.Errorf("%s, %s: did not arrive: %s", f.name, m.name, tail(sent, 300))
				return compared
			}
			name := f.name + ", " + r.way.String()
			if want, have := masked(sent, name), masked(*got, name); want != have {
				t.Errorf("%s, %s: %s", f.name, m.name, difference(want, have))
				continue
			}
			compared++
		}
	}
	return compared
}

// difference shows where two texts part.
func difference(want, got string) string {
	at := 0
	for at < len(want) && at < len(got) && want[at] == got[at] {
		at++
	}
	from := max(0, at-60)
	cut := func(s string) string { return strings.ToValidUTF8(s[min(from, len(s)):min(len(s), at+100)], "?") }
	return fmt.Sprintf("%d bytes became %d; at %d\n sent …%s…\n  got …%s…", len(want), len(got), at, cut(want), cut(got))
}
