package doctor

import (
	"fmt"
	"time"
)

// Server are the facts of a configured server.
type Server struct {
	Name     string
	Disabled bool
	Hidden   bool
	Ready    bool
	Error    string        // why it is not ready
	Revision string        // of the protocol that it speaks
	Took     time.Duration // until it was ready; 0: not known

	Offered, Withheld, Held int // of tools, prompts and resources
}

// slowStart is from where on a start is worth a word: clients give up after a
// minute, many earlier.
const slowStart = 10 * time.Second

// Started looks at servers that were started.
func Started(servers []Server) Report {
	out := make(Report, 0, len(servers))
	for i := range servers {
		out = append(out, servers[i].check())
	}
	return out
}

func (s *Server) check() Check {
	c := Check{Area: Servers, Subject: s.Name, Status: OK}
	switch {
	case s.Disabled:
		c.What = "disabled"
		return c
	case !s.Ready:
		c.Status, c.What = Fail, "does not start: "+s.Error
		if s.Error == "" {
			c.What = "did not get ready in time"
		}
		c.Do = "run its command by hand; --log-level debug shows what it writes"
		return c
	}
	c.What = fmt.Sprintf("speaks MCP %s; %d offered, %d withheld, %d held", s.Revision, s.Offered, s.Withheld, s.Held)
	if s.Took > 0 {
		c.What += fmt.Sprintf("; ready after %s", s.Took.Round(time.Millisecond))
	}
	switch {
	case s.Hidden:
		c.Status, c.Do = Warn, "remove hidden_mode from the server's block"
		c.What += "; hidden_mode: NOT SCANNED"
	case s.Withheld+s.Held > 0:
		c.Status, c.Do = Warn, "relay tools says why"
	case s.Offered == 0:
		c.Status, c.Do = Warn, "check that the server offers anything to this user"
	case s.Took > slowStart:
		c.Status, c.Do = Warn, "pin its package, so that it is not looked up at every start"
	}
	return c
}
