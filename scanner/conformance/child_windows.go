package conformance

import (
	"errors"
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {}

func killGroup(p *os.Process) { _ = p.Kill() }

func groupEmpty(*os.Process) bool { return true }

func interrupt(*os.Process) error { return errors.ErrUnsupported }

// groups tells that this system has no process groups and signals.
const groups = false
