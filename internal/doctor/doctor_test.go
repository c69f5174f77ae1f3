package doctor

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/verdict"
)

// find returns the checks whose text holds all words.
func find(r Report, status Status, words string) (n int) {
	for i := range r {
		if r[i].Status == status && strings.Contains(string(r[i].Area)+" "+r[i].Subject+" "+r[i].What, words) {
			n++
		}
	}
	return n
}

func TestPolicy(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	allow := []string{}
	cfg := &config.Config{
		Path: "/etc/relay.json",
		Servers: []config.Server{
			{Name: "hidden", Hidden: true}, {Name: "refused", HiddenRefused: true}, {Name: "off", Disabled: true, Hidden: true},
			{Name: "told", Hidden: true}, {Name: "open", InheritEnv: true},
		},
		Relay: config.Relay{
			AllowUnscanned: []verdict.Phase{verdict.Response}, AllowSelfEdit: true, AllowHidden: &allow,
			Scanners: []config.Scanner{
				{Name: "watcher", Mode: config.ModeObserve},
				{Name: "soft", Mode: config.ModeEnforce, OnError: config.PolicyAllow, OnContentError: config.PolicyAllow},
				{Name: "hard", Mode: config.ModeEnforce, Overrides: []config.Override{
					{Servers: []string{"a*"}, Mode: config.ModeOff}, {OnError: config.PolicyAllow}, {Mode: config.ModeEnforce},
				}},
			},
			Exceptions: []config.Exception{
				{Rule: "over", Until: now.Add(-time.Hour)}, {Rule: "ending", Until: now.Add(time.Hour)},
				{Rule: "ever"}, {Rule: "fine", Until: now.Add(time.Hour * 24 * 300)},
			},
		},
		Warnings: []config.Diagnostic{{Key: "mcpServers.told.hidden_mode", Message: "is not scanned", Hint: "do"}},
	}
	r := Policy(cfg, now)
	for _, want := range []string{
		"hidden hidden_mode", "refused asks for hidden_mode", "open gets the relay's whole environment", "response may pass unjudged",
		"edit its guard", "watcher only observes", "soft on_error: allow", "soft content that makes it fail", "hard an override switches it to off for servers a*",
		"hard an override sets on_error: allow for everything", "exception for over ended", "exception for ending ends", "exception for ever holds for ever",
		"is not scanned",
	} {
		if find(r, Warn, want) != 1 {
			t.Errorf("%q was said %d times", want, find(r, Warn, want))
		}
	}
	for _, not := range []string{"off hidden_mode", "told hidden_mode", "fine"} {
		if find(r, Warn, not) != 0 {
			t.Errorf("%q was said", not)
		}
	}
	if r.Failed() {
		t.Error("what is allowed is no failure")
	}
}

func TestUnusable(t *testing.T) {
	if r := Unusable(errors.New("no file")); !r.Failed() || len(r) != 1 {
		t.Errorf("%+v", r)
	}
	r := Unusable(config.Problems{{Message: "a", Hint: "b"}, {Message: "c"}})
	if len(r) != 2 || !r.Failed() || r[0].Do != "b" {
		t.Errorf("%+v", r)
	}
}

func TestStarted(t *testing.T) {
	for _, c := range []struct {
		server Server
		want   Status
	}{
		{Server{Ready: true, Offered: 1}, OK},
		{Server{Disabled: true}, OK},
		{Server{Error: "x"}, Fail},
		{Server{}, Fail},
		{Server{Ready: true, Offered: 1, Held: 1}, Warn},
		{Server{Ready: true, Offered: 1, Withheld: 1}, Warn},
		{Server{Ready: true}, Warn},
		{Server{Ready: true, Offered: 1, Hidden: true}, Warn},
		{Server{Ready: true, Offered: 1, Took: time.Minute}, Warn},
	} {
		if got := Started([]Server{c.server})[0]; got.Status != c.want {
			t.Errorf("%+v: %+v", c.server, got)
		}
	}
}

func TestJudges(t *testing.T) {
	cfg := func(digest string, bundled bool) *config.Scanner {
		return &config.Scanner{Name: "s", Bundled: bundled, SHA256: digest, Phases: verdict.Phases}
	}
	for _, c := range []struct {
		name    string
		scanner Scanner
		want    Status
	}{
		{"bundled", Scanner{Config: cfg("", true)}, OK},
		{"pinned", Scanner{Config: cfg("ab", false), Digest: "ab"}, OK},
		{"not pinned", Scanner{Config: cfg("", false), Digest: "ab"}, Warn},
		{"another", Scanner{Config: cfg("cd", false), Digest: "ab"}, Fail},
		{"dead", Scanner{Config: cfg("", true), Err: errors.New("x")}, Fail},
		{"phases", Scanner{Config: cfg("", true), Phases: []verdict.Phase{verdict.Request}}, Fail},
	} {
		r := Judges([]Scanner{c.scanner})
		if r[len(r)-1].Status != c.want {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

func TestCredentials(t *testing.T) {
	cfg := &config.Config{
		Servers: []config.Server{
			{Name: "a", Env: map[string]string{"TOKEN": ""}, Headers: map[string]string{"X": "secret"}},
			{Name: "off", Disabled: true, Env: map[string]string{"TOKEN": ""}},
		},
		Relay: config.Relay{Scanners: []config.Scanner{
			{Name: "none", Plugin: airs, Bundled: true},
			{Name: "key", Plugin: airs, Bundled: true, Config: []byte(`{"api_key":"secret"}`)},
			{Name: "both", Plugin: airs, Bundled: true, Config: []byte(`{"api_token":"secret","profile":"p"}`)},
			{Name: "other", Plugin: "/x"},
		}},
	}
	r := Credentials(cfg)
	if find(r, Fail, "none") != 1 || find(r, Warn, "key a credential") != 1 || find(r, OK, "both") != 1 || find(r, Warn, "a TOKEN is empty") != 1 || len(r) != 4 {
		t.Errorf("%+v", r)
	}
	for _, c := range r {
		if strings.Contains(c.What+c.Do, "secret") {
			t.Errorf("a secret is told: %+v", c)
		}
	}
	if Keychain(true, false).Status != Warn || Keychain(false, false).Status != OK || Keychain(true, true).Status != OK {
		t.Error("the keychain")
	}
}

func TestClock(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		date string
		want Status
	}{
		{now.Format(http.TimeFormat), OK},
		{now.Add(29 * time.Second).Format(http.TimeFormat), OK},
		{now.Add(time.Minute).Format(http.TimeFormat), Warn},
		{now.Add(-time.Hour).Format(http.TimeFormat), Warn},
		{"", OK},
		{"yesterday", OK},
	} {
		if got := skew(Check{Status: OK}, c.date, now, now.Add(time.Second)); got.Status != c.want {
			t.Errorf("%s: %+v", c.date, got)
		}
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	}))
	defer web.Close()
	if got := Clock(t.Context(), web.Client(), "s", web.URL); got.Status != Warn || !strings.Contains(got.What, "1h0m") {
		t.Errorf("%+v", got)
	}
	web.Close()
	if got := Clock(t.Context(), web.Client(), "s", web.URL); got.Status != Warn {
		t.Errorf("%+v", got)
	}
	if got := Clock(t.Context(), web.Client(), "s", ":"); got.Status != Warn {
		t.Errorf("%+v", got)
	}
}

func TestSpace(t *testing.T) {
	dir := t.TempDir()
	if got := Space(dir+"/not/there/yet.jsonl", 1); got.Status != OK {
		t.Errorf("%+v", got)
	}
	if got := Space(dir, 1<<62); got.Status != Fail {
		t.Errorf("%+v", got)
	}
}

// Nothing of what was found reaches the terminal unescaped.
func TestPrint(t *testing.T) {
	var b strings.Builder
	r := Report{
		{Area: Servers, Subject: "a\x1b[2J", Status: Fail, What: "b\u202e\nc", Do: "d\x07"}, {Area: Servers, Status: OK, What: "fine"},
	}
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\x07\u202e") || !strings.Contains(b.String(), "1 ok, 0 to know of, 1 failed") || strings.Count(b.String(), "\n") != 5 {
		t.Errorf("%q", b.String())
	}
}
