package doctor

import "github.com/mcp-relay/relay/internal/pluginstore"

// Installed looks whether the scanners in a store are what was accepted.
func Installed(s *pluginstore.Store) (report Report) {
	all, err := s.List()
	if err != nil {
		return Report{{
			Area: Scanners, Status: Fail, What: "the list of installed scanners cannot be used: " + err.Error(),
			Do: "see relay plugin list",
		}}
	}
	for i := range all {
		p := &all[i]
		c := Check{Area: Scanners, Subject: p.Name, Status: OK}
		c.What = "installed; its files are those that were accepted"
		switch {
		case len(s.Verify(p)) > 0:
			c.Status, c.What = Fail, "its files are not those that were accepted: it does not start"
			c.Do = "relay plugin verify says which; remove it and install it again"
		case p.Script:
			c.Status, c.What = Warn, "installed as a script: its checksum says nothing of what runs it, nor of its libraries"
			c.Do = "install a single binary where there is one"
		}
		report = append(report, c)
	}
	return report
}
