package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/oauth"
	"github.com/mcp-relay/relay/internal/printable"
)

// loginOptions are the flags of login and logout.
type loginOptions struct {
	std       streams
	config    string
	server    string
	browser   string
	noBrowser bool
	timeout   time.Duration
	// run is replaced in tests of the flags.
	run func(ctx context.Context, o *loginOptions) error
}

func newLoginCommand(std streams) *cobra.Command {
	o := &loginOptions{std: std, run: runLogin}
	cmd := &cobra.Command{
		Use:   "login SERVER",
		Short: "Log in at a remote server, in the browser",
		Long: "Log in at a remote server of the configuration that wants it. Who asks, and for\n" +
			"which rights, is shown before the browser opens. The login is kept in the\n" +
			"keychain, or in a file that only you can read; relays that are running use it at\n" +
			"once, and renew it by themselves.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.server = args[0]
			return o.run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration file (default: see docs/configuration.md)")
	f.StringVar(&o.browser, "browser", "", "program to open the page with; it gets the address as its only argument")
	f.BoolVar(&o.noBrowser, "no-browser", false, "print the address of the page to standard output and open nothing")
	f.DurationVar(&o.timeout, "timeout", defaultLoginTime, "how long to wait for the browser to come back")
	cmd.MarkFlagsMutuallyExclusive("browser", "no-browser")
	return cmd
}

func newLogoutCommand(std streams) *cobra.Command {
	o := &loginOptions{std: std, run: runLogout}
	cmd := &cobra.Command{
		Use:   "logout SERVER",
		Short: "Forget the login at a remote server",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.server = args[0]
			return o.run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "configuration file (default: see docs/configuration.md)")
	return cmd
}

const defaultLoginTime = 5 * time.Minute

// errNotAccepted is met where a login worked and is of no use.
var errNotAccepted = errors.New("the login worked and is kept, but the server refuses it: " +
	"ask whoever runs the server which rights you need, and set oauth.scopes if it does not say so itself")

func runLogin(ctx context.Context, o *loginOptions) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	out, err := client.Login(ctx, oauth.Dialogue{
		Show:    func(r oauth.Request) { o.show(&r) },
		Open:    o.open,
		Timeout: o.timeout,
	})
	if err != nil {
		return fmt.Errorf("logging in: %w", err)
	}
	o.report(out)
	if !out.Accepted {
		return errNotAccepted
	}
	return nil
}

// show tells who asks for what, before anything is opened.
func (o *loginOptions) show(r *oauth.Request) {
	w := o.std.err
	fmt.Fprintf(w, "the login for server %s takes place at %s\n", printable.String(r.Server), printable.String(r.Host))
	fmt.Fprintf(w, "  authorization server: %s\n", printable.String(r.Issuer))
	fmt.Fprintf(w, "  rights asked for: %s\n", scopeList(r.Scopes))
	if o.noBrowser {
		fmt.Fprintln(w, "open this page within", o.timeout.String()+", on this machine:")
		fmt.Fprintln(o.std.out, r.URL)
		return
	}
	fmt.Fprintf(w, "opening the browser; if it does not open, open this page yourself:\n  %s\n", printable.Escape(r.URL, maxLine))
}

func scopeList(scopes []string) string {
	if len(scopes) == 0 {
		return "what is usual there"
	}
	list := make([]string, len(scopes))
	for i, s := range scopes {
		list[i] = printable.String(s)
	}
	return strings.Join(list, " ")
}

// open opens a page. That it does not work ends nothing: the address was shown.
func (o *loginOptions) open(ctx context.Context, address string) error {
	if o.noBrowser {
		return nil
	}
	if err := openBrowser(ctx, o.browser, address); err != nil {
		fmt.Fprintln(o.std.err, "warning: no browser was opened:", err)
	}
	return nil
}

func (o *loginOptions) report(out *oauth.Outcome) {
	w := o.std.err
	where := "a file that only you can read"
	if out.Stored == oauth.Keychain {
		where = "a file that is sealed with a key in the keychain"
	}
	fmt.Fprintf(w, "logged in at %s; the login is kept in %s\n", printable.String(out.Issuer), where)
	fmt.Fprintf(w, "  rights: %s\n", scopeList(out.Scopes))
	switch {
	case out.Renewable:
		fmt.Fprintln(w, "  it is renewed by itself")
	case !out.Expires.IsZero():
		fmt.Fprintf(w, "  it ends in %s; then log in again\n", time.Until(out.Expires).Round(time.Second))
	}
}

func runLogout(ctx context.Context, o *loginOptions) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	known, err := client.Logout(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("logging out: %w", err)
	case !known:
		fmt.Fprintf(o.std.err, "there was no login at %s\n", printable.String(o.server))
	default:
		fmt.Fprintf(o.std.err, "logged out of %s; a relay that is running notices within seconds\n", printable.String(o.server))
	}
	return nil
}

// client returns the OAuth client of the server that was named.
func (o *loginOptions) client() (*oauth.Client, error) {
	cfg, err := config.Load(configOptions(o.config))
	if err != nil {
		return nil, invalid{err}
	}
	log, err := newLogger(o.std.err, "warn")
	if err != nil {
		return nil, invalid{err}
	}
	c, err := remoteServer(cfg, o.server)
	if err != nil {
		return nil, invalid{err}
	}
	client, err := oauthClient(c, log)
	if err != nil {
		return nil, invalid{err}
	}
	return client, nil
}

// remoteServer finds a server at which one can log in.
func remoteServer(cfg *config.Config, name string) (*config.Server, error) {
	var remote []string
	for i := range cfg.Servers {
		c := &cfg.Servers[i]
		switch {
		case c.Name == name && c.Disabled:
			return nil, fmt.Errorf("the server %s is disabled", printable.String(name))
		case c.Name == name && c.Type == config.TypeStdio:
			return nil, fmt.Errorf("the server %s is a program on this machine: it gets what it needs through env", printable.String(name))
		case c.Name == name:
			return c, nil
		case !c.Disabled && c.Type != config.TypeStdio:
			remote = append(remote, printable.String(c.Name))
		}
	}
	hint := "the configuration has no remote servers"
	if len(remote) > 0 {
		hint = "there are " + strings.Join(remote, ", ")
	}
	return nil, fmt.Errorf("no server is named %s: %s", printable.String(name), hint)
}
