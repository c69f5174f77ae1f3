package bundled

import (
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

func TestNew(t *testing.T) {
	for _, name := range Names() {
		s, ok := New(name)
		if !ok {
			t.Errorf("%s is listed but cannot be made", name)
			continue
		}
		d, ok := s.(scanner.Describer)
		if !ok {
			// It would be called after the relay's own program.
			t.Errorf("%s does not describe itself", name)
			continue
		}
		if got := d.Describe().Name; got != name {
			t.Errorf("%s calls itself %s", name, got)
		}
	}
	if s, ok := New("no-such-scanner"); ok || s != nil {
		t.Error("an unknown name made a scanner")
	}
}
