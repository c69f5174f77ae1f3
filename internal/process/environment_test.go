package process

import (
	"slices"
	"testing"
)

func TestEnvironment(t *testing.T) {
	t.Parallel()
	own := []string{"PATH=/bin", "LC_ALL=C", "LC_TIME=C", "SECRET=s", "EMPTY=", "=C:=C:\\x", "MULTI=a\nb", cookieVariable + "=outer"}
	for _, test := range []struct {
		name    string
		allow   []string
		extra   map[string]string
		inherit bool
		want    []string
	}{
		{"nothing", nil, nil, false, nil},
		{"names", []string{"PATH", "MISSING", "EMPTY"}, nil, false, []string{"EMPTY=", "PATH=/bin"}},
		{"pattern", []string{"LC_*"}, nil, false, []string{"LC_ALL=C", "LC_TIME=C"}},
		{"extra wins", []string{"PATH"}, map[string]string{"PATH": "/usr/bin", "A": "="}, false, []string{"A==", "PATH=/usr/bin"}},
		{
			"inherit", nil, map[string]string{"SECRET": ""}, true,
			[]string{"EMPTY=", "LC_ALL=C", "LC_TIME=C", "MULTI=a\nb", "PATH=/bin", "SECRET="},
		},
		{"no outer cookie", []string{cookieVariable}, nil, false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := environment(own, test.allow, test.extra, test.inherit); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestDefaultAllowHoldsNoCredential(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"PANW_AI_SEC_API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "HTTPS_PROXY", "LD_PRELOAD"} {
		if got := environment([]string{name + "=x"}, DefaultAllow(), nil, false); len(got) != 0 {
			t.Errorf("%s is passed on", name)
		}
	}
}
