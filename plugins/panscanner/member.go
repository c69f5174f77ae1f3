package panscanner

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The readers of configuration members. Their messages never quote the value.

func text(into *string, limit int) func(jsontext.Value) string {
	return func(raw jsontext.Value) string {
		var s string
		if json.Unmarshal(raw, &s) != nil || raw.Kind() != '"' {
			return "must be a string"
		}
		if s == "" {
			return "must not be empty; leave it out instead"
		}
		if utf8.RuneCountInString(s) > limit {
			return fmt.Sprintf("must be at most %d characters long", limit)
		}
		*into = s
		return ""
	}
}

// credential reads what becomes a header's value.
func credential(into *string) func(jsontext.Value) string {
	return func(raw jsontext.Value) string {
		var s string
		if message := text(&s, maxCredential)(raw); message != "" {
			return message
		}
		unprintable := func(r rune) bool { return r <= ' ' || r > '~' }
		if s = strings.TrimPrefix(s, "Bearer "); strings.ContainsFunc(s, unprintable) || s == "" {
			return "must be printable ASCII without spaces; check for a line break at its end"
		}
		*into = s
		return ""
	}
}

func boolean(into *bool) func(jsontext.Value) string {
	return func(raw jsontext.Value) string {
		if raw.Kind() != 't' && raw.Kind() != 'f' {
			return "must be true or false"
		}
		*into = raw.Kind() == 't'
		return ""
	}
}

func integer(into *int, least, most int) func(jsontext.Value) string {
	return func(raw jsontext.Value) string {
		var n int
		if raw.Kind() != '0' || json.Unmarshal(raw, &n) != nil || n < least || n > most {
			return fmt.Sprintf("must be a whole number from %d to %d", least, most)
		}
		*into = n
		return ""
	}
}

func number(into *float64, least, most float64) func(jsontext.Value) string {
	return func(raw jsontext.Value) string {
		var n float64
		if raw.Kind() != '0' || json.Unmarshal(raw, &n) != nil || !(n >= least && n <= most) {
			return fmt.Sprintf("must be a number from %v to %v", least, most)
		}
		*into = n
		return ""
	}
}

// word reads one of the words that are known.
func word(into *string, known ...string) func(jsontext.Value) string {
	return func(raw jsontext.Value) string {
		var s string
		if raw.Kind() != '"' || json.Unmarshal(raw, &s) != nil || !slices.Contains(known, s) {
			return "must be " + strings.Join(known, " or ")
		}
		*into = s
		return ""
	}
}

// hedging reads when a second request is sent: after a time, or after the time
// that a share of the answers takes.
func hedging(after *time.Duration, quantile *float64) func(jsontext.Value) string {
	const longest = time.Minute
	return func(raw jsontext.Value) string {
		var s string
		if raw.Kind() == '"' && json.Unmarshal(raw, &s) == nil {
			switch s {
			case "off":
				return ""
			case "p90", "p95", "p99":
				*quantile = map[string]float64{"p90": 0.90, "p95": 0.95, "p99": 0.99}[s]
				return ""
			}
			if d, err := time.ParseDuration(s); err == nil && d >= shortestHedge && d <= longest {
				*after = d
				return ""
			}
		}
		return fmt.Sprintf("must be off, p90, p95, p99 or a duration from %v to %v", shortestHedge, longest)
	}
}

func duration(into *time.Duration, least, most time.Duration) func(jsontext.Value) string {
	return func(raw jsontext.Value) string {
		var s string
		message := fmt.Sprintf("must be a duration from %v to %v, such as \"5s\"", least, most)
		if json.Unmarshal(raw, &s) != nil {
			return message
		}
		d, err := time.ParseDuration(s)
		if err != nil || d < least || d > most {
			return message
		}
		*into = d
		return ""
	}
}

// unknownMember says what was probably meant. Only known names are quoted.
func unknownMember(name string, known map[string]func(jsontext.Value) string) string {
	best, distance := "", 4
	for _, candidate := range slices.Sorted(maps.Keys(known)) {
		if d := editDistance(strings.ToLower(name), candidate); d < distance {
			best, distance = candidate, d
		}
	}
	if best == "" || distance > max(1, len(best)/3) {
		return "unknown member; known are " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
	}
	return fmt.Sprintf("unknown member; did you mean %q?", best)
}

// editDistance counts the bytes to insert, delete or replace to get from a to
// b. Names much longer than any known one are not compared.
func editDistance(a, b string) int {
	const tooLong = 64
	if len(a) > tooLong {
		return tooLong
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
