package canary

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestConversation: without a relay, every text arrives.
func TestConversation(t *testing.T) {
	for _, modern := range []bool{false, true} {
		run := NewRun()
		atClient, atHost := NewArrivals(run), NewArrivals(run)
		toServer, fromClient := io.Pipe()
		toClient, fromServer := io.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- NewServer(run, modern, atHost.Note).ServeLines(toServer, fromServer) }()
		c := NewClient(run, modern, toClient, fromClient, atClient.Note)
		if err := c.Converse(t.Context()); err != nil {
			t.Fatalf("modern %t: %v", modern, err)
		}
		_ = fromClient.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = fromServer.Close()
		for i := range Steps {
			for _, v := range []Variant{Plain, Bad} {
				came := atClient.Came(Mark{i, v})
				if Steps[i].ToServer {
					came = atHost.Came(Mark{i, v})
				}
				if came == (v == Plain && Steps[i].Once) {
					t.Errorf("modern %t: %s, variant %d: arrived: %t", modern, Steps[i].Name, v, came)
				}
			}
		}
	}
}

// A client whose other end goes away does not wait.
func TestConversationEnds(t *testing.T) {
	run := NewRun()
	in, out := io.Pipe()
	_ = out.Close()
	if err := NewClient(run, false, in, io.Discard, func([]byte) {}).Converse(t.Context()); err == nil {
		t.Error("a conversation with nobody")
	}
}

// TestHandler talks to the server over both HTTP transports as simply as can be;
// the relay's own clients do so in the tests of doctor.
func TestHandler(t *testing.T) {
	run := NewRun()
	web := httptest.NewServer(NewServer(run, false, func([]byte) {}).Handler())
	defer web.Close()
	post := func(path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := web.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(text)
	}
	status, text := post(PathHTTP, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	if status != http.StatusOK || !strings.Contains(text, `"id":1`) || !strings.Contains(text, tool) {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := post(PathHTTP, `{"jsonrpc":"2.0","method":"notifications/initialized"}`); status != http.StatusAccepted {
		t.Errorf("a notification: %d", status)
	}
	if status, _ := post(PathHTTP, strings.Repeat("x", maxMessage+1)); status != http.StatusBadRequest {
		t.Errorf("a message that is too long: %d", status)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+PathSSE, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := web.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	time.AfterFunc(200*time.Millisecond, func() { post(pathPost, `{"jsonrpc":"2.0","id":7,"method":"ping"}`) })
	var got strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(got.String(), `"id":7`) {
		n, err := res.Body.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v after %s", err, got.String())
		}
	}
	if !strings.HasPrefix(got.String(), "event: endpoint\ndata: "+pathPost) {
		t.Errorf("%s", got.String())
	}
}
