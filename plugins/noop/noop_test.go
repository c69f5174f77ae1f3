package noop

import (
	"os"
	"testing"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/scannertest"
)

// TestMain lets this test binary be the scanner's program.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		scanner.Serve(New())
		return
	}
	os.Exit(m.Run())
}

func TestConformance(t *testing.T) { scannertest.Run(t, New()) }

func TestProgramConformance(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	scannertest.RunProgram(t, program, []string{"serve"})
}
