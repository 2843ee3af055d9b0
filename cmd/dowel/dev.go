package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"dowel/engine"
	"dowel/engine/access"
	"dowel/engine/connection"
	"dowel/engine/definition"
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
	if c.SimulatorURL == "" {
		s := simulator.New(simulator.Options{Catalog: o.Catalog})
		registerApps(s, o.Catalog, c.PublicURL+"/callback")
		simLn, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("listen for the simulator: %w", err)
		}
		base = &url.URL{Scheme: "http", Host: simLn.Addr().String()}
		group.Go(func() error { return serveSimulator(ctx, simLn, s) })
	}
	o.Simulate = func(connector string) func(*url.URL) *url.URL { return simulator.Reroute(base, connector) }
	e, err := engine.New(ctx, o)
	if err != nil {
		return err
	}
	seeded, err := seed(ctx, e, o.Catalog)
	if err != nil {
		return err
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

// seed makes the development tenant, its apps, a key and a link. What is there already stays.
func seed(ctx context.Context, e *engine.Engine, catalog *definition.Catalog) (devFile, error) {
	var d devFile
	if err := e.Identity.EnsureTenant(ctx, defaultTenant, "Development"); err != nil {
		return d, err
	}
	p := access.Principal{Kind: access.Operator, Tenant: defaultTenant, ID: "developer"}
	if err := seedApps(ctx, e.Connections, p, catalog); err != nil {
		return d, err
	}
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

func seedApps(ctx context.Context, s *connection.Service, p access.Principal, catalog *definition.Catalog) error {
	have := map[string]bool{}
	apps, err := s.Apps(ctx, p, "")
	if err != nil {
		return err
	}
	for _, a := range apps {
		have[a.Connector] = true
	}
	for _, k := range catalog.All() {
		if !usesApp(k) || have[k.ID] {
			continue
		}
		id, key := simulatedApp(k.ID)
		name := "Simulated " + k.Name
		if _, err := s.CreateApp(ctx, p, connection.AppInput{Connector: k.ID, Name: &name, ClientID: &id, ClientSecret: &key}); err != nil {
			return fmt.Errorf("seed app of %s: %w", k.ID, err)
		}
	}
	return nil
}

func usesApp(k *definition.Connector) bool {
	for _, a := range k.Auth {
		if a.Kind.NeedsApp() {
			return true
		}
	}
	return false
}

// simulatedApp is the client id and secret of the app every simulated provider knows.
func simulatedApp(connector string) (id, key string) {
	return "sim-" + connector, "simulated-secret-of-" + connector
}

func registerApps(s *simulator.Simulator, catalog *definition.Catalog, redirectURI string) {
	for _, k := range catalog.All() {
		id, key := simulatedApp(k.ID)
		s.Register(k.ID, id, key, redirectURI)
	}
}

func serveSimulator(ctx context.Context, ln net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	done := make(chan error, 1)
	go func() { done <- server.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve the simulator: %w", err)
	case <-ctx.Done():
		return server.Close()
	}
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

Open the console, choose a connector, press Connect. Then list what is connected, and fetch a live token:

  curl -H "Authorization: Bearer %s" %s/api/v1/connections
  curl -H "Authorization: Bearer %s" %s/api/v1/connections/ID/token

Simulated tokens live for 30 seconds: ask again and watch it being renewed. Ctrl-C stops.

`, d.ConsoleURL, d.APIKey, d.APIKey, d.URL, d.APIKey, d.URL)
}
