package guard

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

// fixture is one text made by the tests, in which something has to be found.
type fixture struct {
	kind string // what it is made from
	text string
}

// asideVar makes the tests name what they missed of the half of the fixtures
// that is put aside: one does not look at it while writing rules.
const asideVar = "GUARD_ASIDE"

// aside reports whether a fixture belongs to the half nobody tunes on.
func (f fixture) aside() bool {
	h := fnv.New32a()
	h.Write([]byte(f.kind))
	return h.Sum32()>>7&1 == 1
}

// detection scans fixtures and requires that a share of them is found, in each
// half alike. want names what a finding's category begins with.
func detection(t *testing.T, fixtures []fixture, share float64, want ...string) {
	t.Helper()
	e := testEngine(t)
	var count, hits [2]int
	for _, f := range fixtures {
		half := 0
		if f.aside() {
			half = 1
		}
		count[half]++
		if detects(t, e, f.text, want) {
			hits[half]++
		} else if testing.Verbose() && (half == 0 || os.Getenv(asideVar) != "") {
			t.Logf("missed %s: %.300q", f.kind, f.text)
		}
	}
	for half, name := range []string{"tuned", "aside"} {
		rate := float64(hits[half]) / float64(max(count[half], 1))
		t.Logf("%s: %d of %d (%.1f %%)", name, hits[half], count[half], 100*rate)
		if count[half] > 0 && rate < share {
			t.Errorf("%s: found %.3f, want at least %.3f", name, rate, share)
		}
	}
}

// contentOf is a result with one text.
func contentOf(text string) scanner.Content {
	return scanner.Content{Phase: scanner.PhaseResponse, Data: []byte(text)}
}

func detects(t *testing.T, e *engine, text string, want []string) bool {
	t.Helper()
	s := newScan(e, &settings{maxBytes: defaultMaxBytes}, contentOf(text))
	if err := s.field(t.Context(), field{pointer: "/content/0/text", text: text, role: roleText}); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.found {
		for _, w := range want {
			if f.action > scanner.ActionAllow && strings.HasPrefix(f.Category, w) {
				return true
			}
		}
	}
	return false
}

// dice makes fixtures that are the same in every run.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 7))} }

// pick returns one of list.
func pick[T any](d dice, list []T) T { return list[d.IntN(len(list))] }

// digits returns n random digits.
func (d dice) digits(n int) string { return d.from("0123456789", n) }

// from returns n random bytes of alphabet.
func (d dice) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[d.IntN(len(alphabet))]
	}
	return string(b)
}

// example returns a random text that the expression matches.
func (d dice) example(expression string) string {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", expression, err)) // an expression in these tests
	}
	var b strings.Builder
	d.write(&b, re)
	return b.String()
}

func (d dice) write(b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		total := 0
		for i := 0; i < len(re.Rune); i += 2 {
			total += int(re.Rune[i+1]-re.Rune[i]) + 1
		}
		n := rune(d.IntN(total))
		for i := 0; i < len(re.Rune); i += 2 {
			size := re.Rune[i+1] - re.Rune[i] + 1
			if n < size {
				b.WriteRune(re.Rune[i] + n)
				return
			}
			n -= size
		}
	case syntax.OpRepeat:
		most := re.Max
		if most < 0 {
			most = re.Min + 8
		}
		for range re.Min + d.IntN(most-re.Min+1) {
			d.write(b, re.Sub[0])
		}
	case syntax.OpPlus:
		for range 1 + d.IntN(12) {
			d.write(b, re.Sub[0])
		}
	case syntax.OpStar:
		for range d.IntN(8) {
			d.write(b, re.Sub[0])
		}
	case syntax.OpQuest:
		if d.IntN(2) == 0 {
			d.write(b, re.Sub[0])
		}
	case syntax.OpAlternate:
		d.write(b, pick(d, re.Sub))
	default:
		for _, sub := range re.Sub {
			d.write(b, sub)
		}
	}
}

// materialLines reads a list under testdata: one entry a line, # for remarks.
func materialLines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && line[0] != '#' {
			lines = append(lines, strings.ReplaceAll(line, `\n`, "\n"))
		}
	}
	return lines
}

// title writes a service's name as a part of CamelCase.
func title(name string) string {
	return regexp.MustCompile(`(?:^|_)[a-z]`).ReplaceAllStringFunc(name, func(s string) string {
		return strings.ToUpper(strings.TrimPrefix(s, "_"))
	})
}
