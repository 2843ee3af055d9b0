package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"dowel/engine"
	"dowel/engine/access"
	"dowel/engine/simulator"
)

// serveDev runs the house with simulated providers and everything a newcomer needs: a tenant, an app at
// every provider, an API key, and a console link.
func serveDev(ctx context.Context, c *Config, o engine.Options, ln net.Listener, out io.Writer) error {
	group, ctx := errgroup.WithContext(ctx)
	base, err := url.Parse(c.SimulatorURL)
	if err != nil {
		return fmt.Errorf("DOWEL_SIMULATOR_URL: %w", err)
	}
	var sim *simulator.Simulator
	if c.SimulatorURL == "" {
		sim = simulator.New(simulator.Options{Catalog: o.Catalog, Tenant: defaultTenant})
		simLn, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("listen for the simulator: %w", err)
		}
		base = &url.URL{Scheme: "http", Host: simLn.Addr().String()}
		if err := runSimulator(ctx, group, simLn, sim); err != nil {
			return err
		}
	}
	simulate(ctx, &o, base)
	n := &newcomer{Store: o.Store, catalog: o.Catalog, simulator: sim, base: base, redirectURI: c.PublicURL + "/callback", served: map[string]bool{}, log: o.Logger}
	o.Store = n
	e, err := engine.New(ctx, o)
	if err != nil {
		return err
	}
	n.engine = e
	seeded, err := seed(ctx, e)
	if err != nil {
		return err
	}
	if err := n.serveAgain(ctx); err != nil {
		o.Logger.Warn("make apps at simulated providers", "err", err)
	}
	seeded.URL = c.PublicURL
	if err := writeDevFile(c.DataDir, seeded); err != nil {
		return err
	}
	welcome(out, seeded)
	group.Go(func() error {
		err := e.Run(ctx, ln)
		return errors.Join(err, errStopped)
	})
	if err := group.Wait(); !errors.Is(err, errStopped) || err.Error() != errStopped.Error() {
		return err
	}
	return nil
}

// errStopped ends the group when the house has stopped, so that the simulator stops too.
var errStopped = errors.New("stopped")

// devFile is what dev.json holds, for scripts.
type devFile struct {
	URL        string `json:"url"`
	APIKey     string `json:"api_key"`
	ConsoleURL string `json:"console_url"`
}

// seed makes the development tenant, a key and a link. What is there already stays.
func seed(ctx context.Context, e *engine.Engine) (devFile, error) {
	var d devFile
	if err := e.Identity.EnsureTenant(ctx, defaultTenant, "Development"); err != nil {
		return d, err
	}
	p := developer()
	var scopes []string
	for _, a := range access.Actions() {
		scopes = append(scopes, string(a))
	}
	var err error
	if d.APIKey, _, err = e.Identity.CreateAPIKey(ctx, p, "development", scopes, time.Time{}); err != nil {
		return d, err
	}
	d.ConsoleURL, err = e.Identity.ConsoleLink(ctx, defaultTenant, p.ID)
	return d, err
}

func developer() access.Principal {
	return access.Principal{Kind: access.Operator, Tenant: defaultTenant, ID: "developer"}
}

// writeDevFile leaves what scripts need, readable by this user only.
func writeDevFile(dir string, d devFile) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "dev.json"), append(b, '\n'), 0o600)
}

func welcome(out io.Writer, d devFile) {
	fmt.Fprintf(out, `
Dowel is running. This is development mode: every provider is simulated, no account is needed.

  Console   %s
            (the link works once; start again for another)
  API key   %s

Open the console, choose a connector, press Try it and Connect. Then list what is connected, and fetch a live token:

  curl -H "Authorization: Bearer %s" %s/api/v1/connections
  curl -H "Authorization: Bearer %s" %s/api/v1/connections/ID/token

Simulated tokens live for 30 seconds: ask again and watch it being renewed. Ctrl-C stops.

`, d.ConsoleURL, d.APIKey, d.APIKey, d.URL, d.APIKey, d.URL)
}
