package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// isTerminal reports whether a person sits at the other end of a stream.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	// Fd makes a pipe blocking, whose reader could not be stopped any more: it is
	// asked for only where there may be a terminal.
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && term.IsTerminal(int(f.Fd()))
}

// agrees asks a person and reports whether the answer is a yes. The end of input
// is a no. Whoever asks several times does so with one reader: it reads ahead.
func agrees(talk io.Writer, answers *bufio.Reader, question string) bool {
	fmt.Fprintf(talk, "%s [y/N] ", question)
	answer, err := answers.ReadString('\n')
	answer = strings.ToLower(strings.TrimSpace(answer))
	return err == nil && (answer == "y" || answer == "yes")
}
