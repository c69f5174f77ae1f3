package plugin

import (
	"strconv"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

func TestLedgerIsBounded(t *testing.T) {
	t.Parallel()
	l := newLedger()
	content := func(i int) *verdict.Content { return &verdict.Content{Data: []byte(strconv.Itoa(i))} }
	if l.standing(content(0)) != innocent {
		t.Error("an unknown content has a standing")
	}
	for i := range maxRecords {
		l.set(l.key(content(i)), convicted)
	}
	if l.standing(content(0)) != convicted { // and is the latest that was seen now
		t.Error("the first is forgotten already")
	}
	l.set(l.key(content(maxRecords)), suspected)
	for i, want := range map[int]standing{0: convicted, 1: innocent, 2: convicted, maxRecords: suspected} {
		if got := l.standing(content(i)); got != want {
			t.Errorf("content %d: %d, want %d", i, got, want)
		}
	}
	l.set(l.key(content(2)), innocent)
	if l.standing(content(2)) != innocent || len(l.records) != maxRecords-1 {
		t.Error("clear does not forget")
	}
	l.forget()
	if l.standing(content(0)) != innocent {
		t.Error("forget does not forget")
	}
}

func TestKeysTellContentsApart(t *testing.T) {
	t.Parallel()
	l := newLedger()
	seen := map[key]int{}
	for i, c := range []verdict.Content{
		{Phase: verdict.Request, Kind: verdict.JSON, Data: []byte("ab"), Request: []byte("c")},
		{Phase: verdict.Request, Kind: verdict.JSON, Data: []byte("a"), Request: []byte("bc")},
		{Phase: verdict.Response, Kind: verdict.JSON, Data: []byte("a"), Request: []byte("bc")},
		{Phase: verdict.Request, Kind: verdict.Text, Data: []byte("a"), Request: []byte("bc")},
		{Phase: verdict.Request, Kind: verdict.Text, MIME: "x", Data: []byte("a"), Request: []byte("bc")},
	} {
		k := l.key(&c)
		if j, ok := seen[k]; ok {
			t.Errorf("contents %d and %d share a key", i, j)
		}
		seen[k] = i
		c.Origin.Server = "another"
		if l.key(&c) != k {
			t.Errorf("content %d: the key depends on the server", i)
		}
	}
}

func TestPointsExpire(t *testing.T) {
	t.Parallel()
	var a account
	now := time.Unix(1000, 0)
	a.charge(now, pointsPresent)
	a.charge(now.Add(time.Minute), pointsGuilty)
	for _, test := range []struct {
		after time.Duration
		want  int
	}{{0, 4}, {grudge - 1, 4}, {grudge, 3}, {grudge + time.Minute, 0}} {
		if got := a.points(now.Add(test.after)); got != test.want {
			t.Errorf("after %s: %d points, want %d", test.after, got, test.want)
		}
	}
	a.charge(now, -5)
	if got := a.points(now); got != 0 {
		t.Errorf("%d points", got)
	}
}

func TestRestarts(t *testing.T) {
	t.Parallel()
	var r restarts
	now := time.Unix(1000, 0)
	for _, ceiling := range []int64{100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000} {
		pause, again := r.next(now, false)
		if !again || r.ceiling.Milliseconds() != ceiling || pause >= r.ceiling {
			t.Fatalf("pause %s of %s, %v", pause, r.ceiling, again)
		}
	}
	r.calm()
	if r.next(now, false); r.ceiling != pauseFirst {
		t.Errorf("after calm: %s", r.ceiling)
	}
	for i := 1; i <= budget; i++ {
		if _, again := r.next(now, true); again != (i < budget) {
			t.Errorf("end %d: again = %v", i, again)
		}
	}
	if _, again := r.next(now.Add(budgetTime), true); !again {
		t.Error("old ends count")
	}
}
