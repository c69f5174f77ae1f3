package cli

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestDiscreetLog(t *testing.T) {
	var b bytes.Buffer
	given := secretsOf(map[string]string{"A": "secret-one", "B": "secret-one-and-more", "C": "short"})
	log := slog.New(discreetLog{slog.NewTextHandler(&b, nil), given}).With("server", "s").WithGroup("g")
	log.Info("it wrote", "text", "x secret-one-and-more y secret-one z short", "n", 1)
	if got := b.String(); !strings.Contains(got, `server=s g.text="x [hidden] y [hidden] z short" g.n=1`) {
		t.Error(got)
	}
}
