package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// age makes the stored token older.
func (w *world) age(c *Client, by time.Duration) {
	w.t.Helper()
	r, err := c.store.load(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	r.Obtained, r.Expires = r.Obtained.Add(-by), r.Expires.Add(-by)
	if _, err := c.store.save(w.t.Context(), r); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) authorization(c *Client) string {
	w.t.Helper()
	got, err := c.Authorization(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// wait waits until nobody renews anything.
func (c *Client) wait() {
	c.turn <- struct{}{}
	<-c.turn
}

// However many requests and however many relays find the token expired, it is
// renewed once, and the refresh token, which may be used once, is not lost.
func TestRenewalRace(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.login(c)
	for round := 2; round < 5; round++ {
		w.age(c, 2*time.Hour)
		var wg sync.WaitGroup
		for range 4 { // relays
			running := w.another(c)
			for range 5 { // requests
				wg.Go(func() {
					got, err := running.Authorization(t.Context())
					if want := "Bearer " + canaryAccess + "-" + string(rune('0'+round)); err != nil || got != want {
						t.Errorf("round %d: %v", round, err)
					}
				})
			}
		}
		wg.Wait()
		if n := len(w.forms); n != round {
			t.Fatalf("round %d: %d requests for tokens", round, n)
		}
	}
}

// A token that was refused is renewed once, whoever was refused with it.
func TestRefusalRace(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.login(c)
	running := w.another(c)
	first := w.authorization(running)
	var wg sync.WaitGroup
	for range maxRefusals {
		wg.Go(func() {
			if !running.Refused(t.Context(), http.StatusUnauthorized, []string{"Bearer"}) {
				t.Error("not tried again")
			}
		})
	}
	wg.Wait()
	if n := len(w.forms); n != 2 || w.authorization(running) == first {
		t.Errorf("%d requests for tokens", n)
	}
	// One that is refused for ever is not renewed for ever.
	for range 5 * maxRefusals {
		running.Refused(t.Context(), http.StatusUnauthorized, []string{"Bearer"})
	}
	if n := len(w.forms); n != 2 {
		t.Errorf("%d requests for tokens", n)
	}
	if running.Refused(t.Context(), http.StatusUnauthorized, []string{"Bearer"}) {
		t.Error("a token that is refused for ever is tried again")
	}
}

// A token is renewed ahead of its end, and no request waits for it.
func TestRenewalAhead(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.login(c)
	w.age(c, time.Hour-ahead/2)
	asked, answer := make(chan struct{}), make(chan struct{})
	w.paths[authHost+"/token"] = func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		close(asked)
		<-answer
		w.token(rw, r)
	}
	running := w.another(c)
	if got := w.authorization(running); got != "Bearer "+canaryAccess+"-1" {
		t.Errorf("%q", got)
	}
	<-asked
	if got := w.authorization(running); got != "Bearer "+canaryAccess+"-1" {
		t.Errorf("meanwhile %q", got)
	}
	close(answer)
	running.wait()
	if got := w.authorization(running); got != "Bearer "+canaryAccess+"-2" {
		t.Errorf("then %q", got)
	}
	if form := w.forms[1]; form.Get("grant_type") != "refresh_token" || form.Get("refresh_token") != canaryRefresh+"-1" ||
		form.Get("resource") != mcpURL || form.Get("client_id") != "client-1" {
		t.Errorf("form %v", form)
	}
}

func TestDue(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		life, age    time.Duration
		due, expired bool
	}{
		{time.Hour, 0, false, false},
		{time.Hour, time.Hour - ahead - time.Second, false, false},
		{time.Hour, time.Hour - ahead, true, false},
		{time.Hour, time.Hour, true, true},
		{10 * time.Second, 7 * time.Second, false, false},
		{10 * time.Second, 8 * time.Second, true, false},
	} {
		r := record{Obtained: now, Expires: now.Add(tt.life)}
		at := now.Add(tt.age)
		if r.due(at) != tt.due || r.expired(at) != tt.expired {
			t.Errorf("%v of %v: due %v, expired %v", tt.age, tt.life, r.due(at), r.expired(at))
		}
	}
	if r := (record{Obtained: now}); r.due(now.Add(longest)) || r.expired(now.Add(longest)) {
		t.Error("a token without an end ends")
	}
}

// What cannot be renewed needs a person, and the log says so once.
func TestRenewalRefused(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.login(c)
	w.age(c, 2*time.Hour)
	w.spent[canaryRefresh+"-1"] = true
	running := w.another(c)
	for range 3 {
		if got := w.authorization(running); got != "" {
			t.Errorf("%q", got)
		}
		if running.Refused(t.Context(), http.StatusUnauthorized, []string{"Bearer"}) {
			t.Error("tried again")
		}
	}
	if n := len(w.forms); n != 2 {
		t.Errorf("%d requests for tokens", n)
	}
	if n := strings.Count(w.logs.String(), `hint="run: relay login github"`); n != 1 {
		t.Errorf("%d hints in\n%s", n, w.logs)
	}
	w.login(c)
	if got := w.authorization(w.another(c)); got == "" {
		t.Error("no token after the login")
	}
	running.mu.Lock()
	running.looked = running.looked.Add(-lookInterval)
	running.mu.Unlock()
	if got := w.authorization(running); got == "" {
		t.Error("the running relay does not use the new login")
	}
}

// An authorization server that is down for a while costs no login.
func TestRenewalUnreachable(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.login(c)
	w.age(c, 2*time.Hour)
	broken := true
	w.paths[authHost+"/token"] = func(rw http.ResponseWriter, r *http.Request) {
		if _ = r.ParseForm(); broken {
			rw.WriteHeader(http.StatusServiceUnavailable)
			_, _ = rw.Write([]byte(r.PostForm.Encode()))
			return
		}
		w.token(rw, r)
	}
	running := w.another(c)
	for range 3 {
		_, err := running.Authorization(t.Context())
		if err == nil {
			t.Fatal("an expired token was used")
		}
		w.noCanary("error", err.Error())
	}
	if n := len(w.reached(authHost)); n > 8 {
		t.Errorf("it was asked %d times", n)
	}
	broken = false
	running.mu.Lock()
	running.failure = failure{}
	running.mu.Unlock()
	if got := w.authorization(running); got == "" {
		t.Error("the login is lost")
	}
}

// Who stops waiting does not stop the renewal: the old refresh token is spent.
func TestCancelledRequest(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.login(c)
	w.age(c, 2*time.Hour)
	asked, answer := make(chan struct{}), make(chan struct{})
	w.paths[authHost+"/token"] = func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		close(asked)
		<-answer
		w.token(rw, r)
	}
	running := w.another(c)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := running.Authorization(ctx)
		done <- err
	}()
	<-asked
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(answer)
	running.wait()
	if got := w.authorization(running); got != "Bearer "+canaryAccess+"-2" {
		t.Errorf("%q", got)
	}
	if r, err := c.store.load(t.Context()); err != nil || r.Refresh != canaryRefresh+"-2" {
		t.Errorf("the new refresh token is lost: %v", err)
	}
}

// A refresh token that is not replaced stays.
func TestRefreshTokenStays(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.login(c)
	w.grant = func(form url.Values, g map[string]any) { delete(g, "refresh_token") }
	w.age(c, 2*time.Hour)
	if got := w.authorization(w.another(c)); got == "" {
		t.Error("not renewed")
	}
	if r, err := c.store.load(t.Context()); err != nil || r.Refresh != canaryRefresh+"-1" {
		t.Errorf("%v", err)
	}
}

// A disk that is full does not end what works.
func TestRenewalNotStored(t *testing.T) {
	w := newWorld(t)
	c := w.client(func(o *Options) { o.Storage = Auto })
	keys := &fakeKeychain{}
	c.store.keys = keys
	w.login(c)
	w.age(c, 2*time.Hour)
	running := w.another(c)
	running.store.keys = keys
	running.store.storage = Keychain
	keys.hide = 2 // it is read twice and then is gone
	if got := w.authorization(running); got != "Bearer "+canaryAccess+"-2" {
		t.Errorf("%q", got)
	}
	if !strings.Contains(w.logs.String(), "was not stored") {
		t.Errorf("the log does not say so:\n%s", w.logs)
	}
}

func TestOtherRefusals(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.login(c)
	running := w.another(c)
	w.authorization(running)
	for status, header := range map[int]string{
		http.StatusForbidden: "Bearer error=\"access_denied\"", http.StatusNotFound: "Bearer", http.StatusTooManyRequests: "Bearer",
	} {
		if running.Refused(t.Context(), status, []string{header}) {
			t.Errorf("%d is tried again", status)
		}
	}
	if n := len(w.forms); n != 1 {
		t.Errorf("%d requests for tokens", n)
	}
}

// A server that refuses every token is worth a word.
func TestTokensThatAreNeverAccepted(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.login(c)
	running := w.another(c)
	w.authorization(running)
	for range 3 {
		running.Refused(t.Context(), http.StatusUnauthorized, []string{"Bearer"})
		running.mu.Lock()
		running.renewed = running.renewed.Add(-renewalCounts)
		running.mu.Unlock()
	}
	if !strings.Contains(w.logs.String(), "one new token after another") {
		t.Errorf("the log is silent:\n%s", w.logs)
	}
}

// What is wrong with the place of logins is no matter of servers that want none.
func TestBrokenPlace(t *testing.T) {
	w := newWorld(t)
	c := w.client(func(o *Options) { o.Storage = Auto })
	k := &fakeKeychain{}
	c.store.keys = k
	w.login(c)
	running := w.another(c)
	k.err = errors.New("locked")
	running.store.keys = k
	for range 3 {
		if got := w.authorization(running); got != "" {
			t.Errorf("%q", got)
		}
		if running.Refused(t.Context(), http.StatusUnauthorized, []string{"Bearer"}) {
			t.Error("tried again")
		}
	}
	if n := strings.Count(w.logs.String(), "cannot be read"); n != 1 {
		t.Errorf("said %d times:\n%s", n, w.logs)
	}
	k.mu.Lock()
	k.err = nil
	k.mu.Unlock()
	running.mu.Lock()
	running.looked, running.brokenAt = running.looked.Add(-lookInterval), running.brokenAt.Add(-brokenPause)
	running.mu.Unlock()
	if got := w.authorization(running); got == "" {
		t.Error("the keychain was opened, and nobody looks")
	}
}
