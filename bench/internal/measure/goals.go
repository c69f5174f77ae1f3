package measure

import (
	"fmt"
	"io"
)

// Goal is a limit that a result is held to.
type Goal struct {
	What     string
	Measured float64
	Limit    float64
	AtLeast  bool   // the limit is a minimum
	Unit     string // appended to both numbers
	Missing  bool   // there is nothing to hold to it
}

// Met reports whether the goal was reached.
func (g *Goal) Met() bool {
	if g.Missing {
		return false
	}
	if g.AtLeast {
		return g.Measured >= g.Limit
	}
	return g.Measured <= g.Limit
}

// Ratio makes a goal for a quotient; it is missing when a number is.
func Ratio(what string, value, of, limit float64) Goal {
	g := Goal{What: what, Limit: limit, Unit: "×", Missing: value <= 0 || of <= 0}
	if !g.Missing {
		g.Measured = value / of
	}
	return g
}

// Most makes a goal for a number that has an upper limit.
func Most(what string, value, limit float64, unit string) Goal {
	return Goal{What: what, Measured: value, Limit: limit, Unit: " " + unit, Missing: value <= 0}
}

// WriteGoals writes goals as Markdown and returns how many were missed.
func WriteGoals(w io.Writer, goals []Goal) (missed int) {
	fmt.Fprint(w, "| goal | measured | limit | met |\n|---|---:|---:|---|\n")
	for i := range goals {
		g := &goals[i]
		bound, met, measured := "≤", "yes", fmt.Sprintf("%.2f%s", g.Measured, g.Unit)
		if g.AtLeast {
			bound = "≥"
		}
		if !g.Met() {
			met = "**no**"
			missed++
		}
		if g.Missing {
			measured = "not measured"
		}
		fmt.Fprintf(w, "| %s | %s | %s %.4g%s | %s |\n", g.What, measured, bound, g.Limit, g.Unit, met)
	}
	return missed
}
