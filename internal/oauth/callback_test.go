package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, method, address string, change func(r *http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("Content-Security-Policy") == "" {
		t.Error("a page without a policy")
	}
	return resp.StatusCode, string(body)
}

// Only the answer with the state counts, and only the first.
func TestCallback(t *testing.T) {
	c, err := await(t.Context(), 0, "right")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if !strings.HasPrefix(c.address, "http://127.0.0.1:") {
		t.Fatalf("it listens at %s", c.address)
	}
	for _, stray := range []struct {
		name, method, address string
		change                func(r *http.Request)
		status                int
	}{
		{"wrong state", http.MethodGet, c.address + "?state=wrong&code=x", nil, http.StatusBadRequest},
		{"no state", http.MethodGet, c.address + "?code=x", nil, http.StatusBadRequest},
		{"two states", http.MethodGet, c.address + "?state=right&state=right&code=x", nil, http.StatusBadRequest},
		{"begin of the state", http.MethodGet, c.address + "?state=righ&code=x", nil, http.StatusBadRequest},
		{"bad query", http.MethodGet, c.address + "?state=right;code=x", nil, http.StatusBadRequest},
		{"another path", http.MethodGet, c.address + "/x?state=right", nil, http.StatusNotFound},
		{"a form", http.MethodPost, c.address + "?state=right&code=x", nil, http.StatusNotFound},
		{"another host", http.MethodGet, c.address + "?state=right&code=x", func(r *http.Request) { r.Host = "evil.example.com" }, http.StatusNotFound},
	} {
		status, body := get(t, stray.method, stray.address, stray.change)
		if status != stray.status || strings.Contains(body, "state") {
			t.Errorf("%s: %d %s", stray.name, status, body)
		}
	}
	if status, _ := get(t, http.MethodGet, c.address+"?state=right&code=first&iss=x", nil); status != http.StatusOK {
		t.Errorf("the answer: %d", status)
	}
	if status, _ := get(t, http.MethodGet, c.address+"?state=right&code=second", nil); status != http.StatusBadRequest {
		t.Errorf("the answer again: %d", status)
	}
	got, err := c.wait(t.Context())
	if err != nil || got.Get("code") != "first" || got.Get("iss") != "x" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestCallbackThatIsDisturbed(t *testing.T) {
	c, err := await(t.Context(), 0, "right")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for range maxStrays + 2 {
		get(t, http.MethodGet, c.address+"?state=wrong", nil)
	}
	if _, err := c.wait(t.Context()); !errors.Is(err, errStrays) {
		t.Error(err)
	}
	if status, _ := get(t, http.MethodGet, c.address+"?state=right&code=x", nil); status != http.StatusBadRequest {
		t.Errorf("the right answer after that: %d", status)
	}
}

func TestCallbackPort(t *testing.T) {
	c, err := await(t.Context(), 0, "x")
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(c.address)
	port := 0
	for _, d := range u.Port() {
		port = port*10 + int(d-'0')
	}
	if _, err := await(t.Context(), port, "x"); !errors.Is(err, errListen) {
		t.Errorf("a port that is taken: %v", err)
	}
	c.close()
	again, err := await(t.Context(), port, "x")
	if err != nil {
		t.Fatal(err)
	}
	defer again.close()
	if again.address != c.address {
		t.Errorf("%s, not %s", again.address, c.address)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := again.wait(ctx); !errors.Is(err, errLate) {
		t.Error(err)
	}
}
