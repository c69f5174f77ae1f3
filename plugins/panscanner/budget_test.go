package panscanner

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

func TestBudget(t *testing.T) {
	piecesOf := func(n, bytes int) []piece {
		out := make([]piece, n)
		for i := range out {
			out[i].event.Output = string(make([]byte, bytes))
		}
		return out
	}
	one := scanner.Origin{Session: "one", Server: "files"}
	web := scanner.Origin{Session: "one", Server: "web"}
	two := scanner.Origin{Session: "two", Server: "files"}
	alice := scanner.Origin{Session: "one", Principal: "alice"}
	alice2 := scanner.Origin{Session: "two", Principal: "alice", Server: "web"}
	bob := scanner.Origin{Session: "one", Principal: "bob"}
	start := scanner.Origin{Server: "files"}
	for name, test := range map[string]struct {
		limits limits
		spent  []scanner.Origin // three requests of ten bytes each
		last   scanner.Origin
		ok     bool
	}{
		"room":                    {limits{calls: 6}, []scanner.Origin{one}, one, true},
		"calls":                   {limits{calls: 5}, []scanner.Origin{one}, one, false},
		"bytes":                   {limits{bytes: 59}, []scanner.Origin{one}, one, false},
		"bytes left":              {limits{bytes: 60}, []scanner.Origin{one}, one, true},
		"another session":         {limits{calls: 3}, []scanner.Origin{one}, two, true},
		"same session":            {limits{calls: 3}, []scanner.Origin{one}, web, false},
		"per server":              {limits{calls: 3, per: perServer}, []scanner.Origin{one}, web, true},
		"per user, same":          {limits{calls: 3, per: perUser}, []scanner.Origin{alice}, bob, true},
		"per user, other session": {limits{calls: 3, per: perUser}, []scanner.Origin{alice}, alice2, false},
		"no session":              {limits{calls: 3}, []scanner.Origin{start, one}, scanner.Origin{Server: "web"}, true},
		"no session, same server": {limits{calls: 3}, []scanner.Origin{start}, start, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBudget(test.limits)
			for _, o := range test.spent {
				if failure := b.spend(o, piecesOf(3, 10)); failure != nil {
					t.Fatal(failure)
				}
			}
			failure := b.spend(test.last, piecesOf(3, 10))
			if (failure == nil) != test.ok {
				t.Fatalf("error %v", failure)
			}
			if failure != nil && (failure.Reason != scanner.ReasonRateLimited || !failure.ContentCaused || failure.RetryAfter != 0) {
				t.Errorf("error %+v", failure)
			}
			if failure := b.spend(scanner.Origin{Session: "new"}, piecesOf(1, 1)); failure != nil {
				t.Errorf("a new session: %v", failure)
			}
		})
	}
}

func TestBudgetEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(limits{calls: 1, every: time.Hour, outage: true})
		o := scanner.Origin{Session: "s"}
		if failure := b.spend(o, make([]piece, 1)); failure != nil {
			t.Fatal(failure)
		}
		time.Sleep(10 * time.Minute)
		failure := b.spend(o, make([]piece, 1))
		if failure == nil || failure.ContentCaused || failure.RetryAfter != 50*time.Minute {
			t.Fatalf("error %+v", failure)
		}
		time.Sleep(50 * time.Minute)
		if failure := b.spend(o, make([]piece, 1)); failure != nil {
			t.Errorf("an hour later: %v", failure)
		}
	})
}

// TestBudgetForgets checks that sessions without number use a bounded memory,
// and that the one in use is not the one that is forgotten.
func TestBudgetForgets(t *testing.T) {
	b := newBudget(limits{calls: keptAccounts * 3})
	for i := range 2 * keptAccounts {
		for _, o := range []scanner.Origin{{Session: "busy"}, {Session: strconv.Itoa(i)}} {
			if failure := b.spend(o, make([]piece, 1)); failure != nil {
				t.Fatal(failure)
			}
		}
	}
	if len(b.accounts) != keptAccounts || b.recent.Len() != keptAccounts {
		t.Errorf("%d accounts", len(b.accounts))
	}
	if e := b.accounts[accountKey{session: "busy"}]; e == nil || e.Value.(*account).calls != 2*keptAccounts {
		t.Error("the busy session was forgotten")
	}
}
