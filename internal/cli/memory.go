package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/definitions"
	"github.com/mcp-relay/relay/internal/relay"
	"github.com/mcp-relay/relay/internal/statefile"
)

var _ relay.Memory = (*definitions.Memory)(nil)

// remember has the cores that are made from now on compare what servers offer
// with what they offered before. Commands that serve nobody and ask other
// servers than a client would get do without.
func (a *assembly) remember(cfg *config.Config) {
	// Without a store everything counts as new, which is said aloud.
	store, err := openDefinitions(cfg)
	if err != nil {
		a.log.Error("what servers offered before is not known", slog.Any("error", err))
	}
	a.definitions = store
	a.memory = definitions.New(definitions.Options{
		Policy: driftPolicy(&cfg.Relay.Definitions), Servers: remembered(cfg), Store: store, Audit: a.audit, Log: a.log,
	})
	a.options.Memory = a.memory
}

// forget ends what remember began.
func (a *assembly) forget() {
	if a.memory != nil {
		a.memory.Close()
	}
	if a.definitions != nil {
		a.definitions.Close()
	}
}

// openDefinitions opens what is remembered of the servers of a configuration.
func openDefinitions(cfg *config.Config) (*definitions.Store, error) {
	home, err := statefile.Home()
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what to set
	}
	return definitions.OpenStore(home, cfg.Path) //nolint:wrapcheck // it says what was attempted
}

// driftPolicy returns what becomes of changed definitions.
func driftPolicy(d *config.Definitions) definitions.Policy {
	return definitions.Policy{
		Graded:  d.Drift == config.DriftGraded,
		Wording: definitions.ParseAction(d.Wording), Schema: definitions.ParseAction(d.Schema),
		Default: definitions.ParseAction(d.Default), Annotation: definitions.ParseAction(d.Annotation),
		URL: definitions.ParseAction(d.URL), Renamed: definitions.ParseAction(d.Renamed), New: definitions.ParseAction(d.New),
	}
}

// remembered returns the servers as the memory knows them.
func remembered(cfg *config.Config) []definitions.Server {
	var all []definitions.Server
	for i := range cfg.Servers {
		if c := &cfg.Servers[i]; !c.Disabled {
			all = append(all, definitions.Server{Name: c.Name, Identity: identity(c), Hidden: c.Hidden})
		}
	}
	return all
}

// identity returns a hash of what is started or called: arguments may hold
// secrets. What the server is given besides, such as its environment, changes
// without making another of it.
func identity(c *config.Server) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q", c.Type, c.Command, c.Args, c.Dir, c.URL))
	return hex.EncodeToString(sum[:])
}
