package registry

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestPrefixed(t *testing.T) {
	tests := []struct {
		name, server, tool string
		limit              int
		want               string // "" when only the shape is checked
		hashed             bool
	}{
		{"plain", "files", "read_file", 50, "files__read_file", false},
		{"dash", "my-files", "read-file", 50, "my-files__read-file", false},
		{"tool with border", "a", "b__c", 50, "", true},
		{"server with border", "a__b", "c", 50, "", true},
		{"server ends in underscore", "acme_", "status", 50, "", true},
		{"server begins with underscore", "_acme", "status", 50, "", true},
		{"tool begins with underscore", "acme", "_status", 50, "acme___status", false},
		{"mapped tool", "s", "read.file", 50, "", true},
		{"mapped server", "my files", "read", 50, "", true},
		{"not ascii", "s", "чтение", 50, "", true},
		{"too long", "s", strings.Repeat("x", 60), 50, "", true},
		{"just fits", "s", strings.Repeat("x", 47), 50, "s__" + strings.Repeat("x", 47), false},
	}
	shape := regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	hash := regexp.MustCompile(`_[a-z2-7]{16}$`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := prefixed(tt.server, tt.tool, tt.limit)
			if tt.want != "" && got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if !shape.MatchString(got) || len(got) > tt.limit {
				t.Errorf("%q does not fit", got)
			}
			if hash.MatchString(got) != tt.hashed {
				t.Errorf("%q: hashed should be %v", got, tt.hashed)
			}
		})
	}
}

// Different servers and tools never share a public name.
func TestPrefixedIsInjective(t *testing.T) {
	parts := []string{"a", "b", "_", "__", "-", ".", "é", "a_", "_a", "status", "read_file", strings.Repeat("long", 20)}
	random := func() string {
		var b strings.Builder
		for range 1 + rand.IntN(4) {
			b.WriteString(parts[rand.IntN(len(parts))])
		}
		return b.String()
	}
	seen := map[string][2]string{}
	for range 50_000 {
		server, tool := random(), random()
		public := prefixed(server, tool, 50)
		if other, ok := seen[public]; ok && other != [2]string{server, tool} {
			t.Fatalf("%q stands for %q and for %q", public, other, [2]string{server, tool})
		}
		seen[public] = [2]string{server, tool}
	}
}
