package main

import (
	"testing"

	"github.com/mcp-relay/relay/scanner/scannertest"
)

func TestConformance(t *testing.T) {
	scannertest.Run(t, &words{}, scannertest.Config(`{"words":["hunter2"]}`))
}
