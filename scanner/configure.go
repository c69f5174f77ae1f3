package scanner

import (
	"context"
	"errors"
	"strings"

	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// Configure puts a configuration in force or reports what is wrong with it.
func (s *server) Configure(ctx context.Context, r *scannerv1.ConfigureRequest) (*scannerv1.ConfigureResponse, error) {
	problems, err := s.configure(ctx, r.GetConfigJson())
	if err != nil {
		return nil, statusTo(err)
	}
	p := &scannerv1.ConfigureResponse{}
	for _, problem := range problems[:min(len(problems), handshake.MaxProblems)] {
		p.Problems = append(p.Problems, &scannerv1.Problem{Pointer: valid(problem.Pointer), Message: clip(problem.Message)})
	}
	return p, nil
}

func (s *server) configure(ctx context.Context, config string) (Problems, error) {
	config = strings.TrimSpace(config)
	if config == "" {
		config = "{}"
	}
	switch {
	case len(config) > handshake.MaxConfig:
		return Problems{{Message: "the configuration is longer than 1 MiB"}}, nil
	case !isObject([]byte(config)):
		return Problems{{Message: "the configuration is not a JSON object"}}, nil
	}
	c, ok := s.scanner.(Configurer)
	if !ok {
		// Ignoring it would leave a user believing in a setting without effect.
		if strings.TrimSpace(config[1:len(config)-1]) != "" {
			return Problems{{Message: "this scanner takes no configuration: remove it"}}, nil
		}
		return nil, nil
	}
	s.configuring.Lock()
	defer s.configuring.Unlock()
	err := c.Configure(ctx, []byte(config))
	if problems, ok := errors.AsType[Problems](err); ok && len(problems) > 0 {
		return problems, nil
	}
	if err != nil {
		return nil, err
	}
	s.admission.setConfigured()
	return nil, nil
}
