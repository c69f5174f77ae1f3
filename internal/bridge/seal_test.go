package bridge

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var someone = Binding{Kind: State, Principal: "p", Session: "s", Server: "v", Method: "m", Target: "t"}

func TestSeal(t *testing.T) {
	s := NewSealer()
	for _, payload := range []string{"", "x", strings.Repeat("long ", 100_000), "\x00\xff"} {
		sealed := s.Seal(someone, []byte(payload), time.Minute)
		if strings.Trim(sealed, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			t.Errorf("%.40q cannot stand everywhere", sealed)
		}
		if got, err := s.Open(someone, sealed); err != nil || string(got) != payload {
			t.Errorf("%.20q: got %.20q, %v", payload, got, err)
		}
		if again := s.Seal(someone, []byte(payload), time.Minute); again == sealed {
			t.Error("two values are the same")
		}
	}
}

// TestSealIsBound: with any other binding a value is as unknown as one that
// never existed.
func TestSealIsBound(t *testing.T) {
	s := NewSealer()
	sealed := s.Seal(someone, []byte("payload"), time.Minute)
	others := map[string]func(*Binding){
		"kind":      func(b *Binding) { b.Kind = Cursor },
		"principal": func(b *Binding) { b.Principal = "q" },
		"session":   func(b *Binding) { b.Session = "" },
		"server":    func(b *Binding) { b.Server = "V" },
		"method":    func(b *Binding) { b.Method += " " },
		"target":    func(b *Binding) { b.Target = "t\x00" },
		"shifted":   func(b *Binding) { b.Principal, b.Session = "ps", "" },
		"swapped":   func(b *Binding) { b.Method, b.Target = b.Target, b.Method },
		"nothing":   func(b *Binding) { *b = Binding{} },
	}
	for name, change := range others {
		other := someone
		change(&other)
		if got, err := s.Open(other, sealed); got != nil || !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: opened", name)
		}
	}
	if _, err := NewSealer().Open(someone, sealed); !errors.Is(err, ErrUnknown) {
		t.Error("another process opens it")
	}
	for i := range sealed {
		for _, c := range []byte("A_\n=") {
			changed := []byte(sealed)
			if changed[i] == c {
				continue
			}
			changed[i] = c
			if _, err := s.Open(someone, string(changed)); !errors.Is(err, ErrUnknown) {
				t.Fatalf("opened with byte %d changed to %q", i, c)
			}
		}
	}
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, payload := range []string{"", "a", "ab"} { // the last digit has bits to spare in two of three
		whole := s.Seal(someone, []byte(payload), time.Minute)
		head, last := whole[:len(whole)-1], whole[len(whole)-1]
		for _, c := range []byte(digits) {
			if _, err := s.Open(someone, head+string(rune(c))); (err == nil) != (c == last) {
				t.Errorf("%d bytes: %q for %q at the end: %v", len(payload), c, last, err)
			}
		}
	}
	for _, near := range []string{"", "A", sealed[:len(sealed)-1], sealed + "A", sealed + "=", sealed + "\n", "\r" + sealed, sealed[:20], " " + sealed} {
		if _, err := s.Open(someone, near); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q opens", near)
		}
	}
}

func TestSealEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		s := NewSealer()
		time.Sleep(time.Hour)
		sealed, never := s.Seal(someone, []byte("x"), time.Minute), s.Seal(someone, []byte("x"), -3*time.Hour)
		if _, err := s.Open(someone, never); !errors.Is(err, ErrUnknown) {
			t.Error("what had ended before opens")
		}
		time.Sleep(time.Minute - time.Nanosecond)
		if _, err := s.Open(someone, sealed); err != nil {
			t.Error("ended too early")
		}
		time.Sleep(time.Nanosecond)
		if _, err := s.Open(someone, sealed); !errors.Is(err, ErrUnknown) {
			t.Error("does not end")
		}
	})
}

// FuzzOpen: nothing opens but what was sealed.
func FuzzOpen(f *testing.F) {
	s := NewSealer()
	f.Add("", "p", []byte("x"))
	f.Add("AAAA", "", []byte(""))
	f.Add(s.Seal(someone, []byte("x"), time.Hour), "p", []byte("{}"))
	f.Fuzz(func(t *testing.T, value, principal string, payload []byte) {
		b := Binding{Kind: Park, Principal: principal}
		if _, err := s.Open(b, value); !errors.Is(err, ErrUnknown) {
			t.Fatalf("%q opens", value)
		}
		sealed := s.Seal(b, payload, time.Hour)
		if got, err := s.Open(b, sealed); err != nil || !bytes.Equal(got, payload) {
			t.Fatalf("got %q, %v", got, err)
		}
		if _, err := s.Open(Binding{Kind: Park, Principal: principal + "x"}, sealed); !errors.Is(err, ErrUnknown) {
			t.Fatal("another principal opens it")
		}
	})
}
