package scan

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestFlowMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newFlowMemory()
		knows := func(principal, text string) bool {
			_, ok := m.elsewhere(principal, "other", []byte(text))
			return ok
		}
		m.remember("p", "victim", []byte("precious"))
		for i := range 3 * maxFingerprints {
			time.Sleep(time.Millisecond)
			m.remember("p", "flood", fmt.Appendf(nil, "secret %d", i))
		}
		if n := len(m.principals["p"].seen); n != maxFingerprints {
			t.Errorf("%d fingerprints", n)
		}
		if !knows("p", "precious") || knows("p", "secret 0") || !knows("p", fmt.Sprint("secret ", 3*maxFingerprints-1)) {
			t.Error("not the oldest of the server that floods went")
		}
		time.Sleep(fingerprintsExpire - time.Second)
		m.remember("p", "victim", []byte("again"))
		time.Sleep(time.Second)
		if knows("p", "precious") || !knows("p", "again") {
			t.Error("a fingerprint does not end after its time")
		}
		for i := range maxFlowPrincipals {
			time.Sleep(time.Millisecond)
			m.remember(fmt.Sprint("q", i), "victim", []byte("precious"))
		}
		if n := len(m.principals); n != maxFlowPrincipals || knows("p", "again") || !knows("q0", "precious") {
			t.Errorf("%d principals", n)
		}
	})
}

// TestAServerKnowsWhatItGaveOut, whoever else did and to whom.
func TestAServerKnowsWhatItGaveOut(t *testing.T) {
	m, text := newFlowMemory(), []byte(aKey)
	m.remember("", "a", text)
	m.remember("p", "b", text)
	for server, want := range map[string]string{"a": "", "b": "", "c": "a"} {
		if from, ok := m.elsewhere("p", server, text); from != want || ok != (want != "") {
			t.Errorf("on its way to %s it is from %q", server, from)
		}
	}
}

func TestFingerprintsAreKeyed(t *testing.T) {
	if a, b := newFlowMemory(), newFlowMemory(); a.fingerprint([]byte(aKey)) == b.fingerprint([]byte(aKey)) {
		t.Error("two processes have the same fingerprint of a secret")
	}
}
