package measure

import (
	"fmt"
	"strconv"
	"strings"
)

// Scenario is one kind of call at one concurrency.
type Scenario struct {
	Op   string // echo, blob, sleep or list
	Size int    // bytes of text (echo, blob) or milliseconds (sleep)
	C    int    // calls in flight
}

// ParseScenario reads "op[:size][@concurrency]", for example "blob:2048@8".
func ParseScenario(s string) (sc Scenario, err error) {
	op, c, hasC := strings.Cut(s, "@")
	sc.C = 1
	if hasC {
		if sc.C, err = strconv.Atoi(c); err != nil || sc.C < 1 || sc.C > 1024 {
			return sc, fmt.Errorf("scenario %q: bad concurrency", s)
		}
	}
	op, size, hasSize := strings.Cut(op, ":")
	sc.Op = op
	if hasSize {
		if sc.Size, err = strconv.Atoi(size); err != nil || sc.Size < 0 || sc.Size > 32<<20 {
			return sc, fmt.Errorf("scenario %q: bad size", s)
		}
	}
	switch op {
	case "echo", "blob", "sleep", "list":
		return sc, nil
	}
	return sc, fmt.Errorf("scenario %q: want echo, blob, sleep or list", s)
}

func (s Scenario) String() string {
	if s.Op == "list" {
		return fmt.Sprintf("list@%d", s.C)
	}
	return fmt.Sprintf("%s:%d@%d", s.Op, s.Size, s.C)
}

// Lanes is the most calls in flight that any of the scenarios has.
func Lanes(scenarios []Scenario) int {
	lanes := 1
	for _, s := range scenarios {
		lanes = max(lanes, s.C)
	}
	return lanes
}
