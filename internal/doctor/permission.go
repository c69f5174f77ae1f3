package doctor

import (
	"errors"
	"io/fs"
	"os"
)

// Path is a file or directory that the relay depends on.
type Path struct {
	What   string // what it is for, for people
	Name   string
	Secret bool // others must not even read it
}

// Access looks at who else may write what the relay depends on, or read what it
// keeps to itself. What does not exist is no matter.
func Access(paths []Path) Report {
	var out Report
	for _, p := range paths {
		info, err := os.Lstat(p.Name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			out = append(out, Check{
				Area: Permissions, Subject: p.Name, Status: Warn,
				What: "the " + p.What + " cannot be looked at", Do: "check the directories above it",
			})
			continue
		}
		c := Check{Area: Permissions, Subject: p.Name, Status: OK, What: "the " + p.What + " is safe from other users"}
		if wrong, do := exposed(info, p.Secret); wrong != "" {
			c.Status, c.What, c.Do = Fail, "the "+p.What+" "+wrong, do
		}
		out = append(out, c)
	}
	return out
}
