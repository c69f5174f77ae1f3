//go:build amd64 || arm64

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// modeOld has the test binary say what it can enforce.
const modeOld = "__old"

func tellWhatIsThere() {
	c, err := Closed{Scratch: os.TempDir()}.Prepare()
	fmt.Println(Available(), OpenAvailable(), err)
	if err == nil {
		fmt.Println(Summary(c.Gaps()))
		fmt.Println(c.Run(func() {
			_, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
			fmt.Println(errors.Is(err, unix.EAFNOSUPPORT))
		}))
	}
	_, err = Open{}.Prepare()
	fmt.Println(errors.Is(err, ErrUnavailable))
	os.Exit(0)
}

// On a kernel without Landlock what can be enforced is, and the rest is named.
func TestOldKernel(t *testing.T) {
	var f filter
	f.load(offsetNumber)
	f.when(unix.SYS_LANDLOCK_CREATE_RULESET, refused(unix.ENOSYS))
	f.ret(allowed)
	old := &Confinement{ruleset: -1, filter: f}
	want := "false false <nil>\nconfined, but not in files, signals, abstract sockets\ntrue\n<nil>\ntrue\n"
	if got := confined(t, old, modeOld); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}
