package measure

import (
	"strings"
	"testing"
)

func TestGoals(t *testing.T) {
	throughput := Ratio("rate", 50, 100, 0.4)
	throughput.AtLeast = true
	slow := Ratio("slow", 50, 200, 0.4)
	slow.AtLeast = true
	goals := []Goal{Ratio("p50", 30, 20, 1.5), Ratio("too much", 31, 20, 1.5), throughput, slow, Ratio("unknown", 0, 20, 1), Most("start", 90, 120, "ms")}
	var out strings.Builder
	if missed := WriteGoals(&out, goals); missed != 3 {
		t.Errorf("%d missed, want 3", missed)
	}
	for _, want := range []string{
		"| p50 | 1.50× | ≤ 1.5× | yes |", "| too much | 1.55× | ≤ 1.5× | **no** |", "| rate | 0.50× | ≥ 0.4× | yes |",
		"| slow | 0.25× | ≥ 0.4× | **no** |", "| unknown | not measured |", "| start | 90.00 ms | ≤ 120 ms | yes |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}
