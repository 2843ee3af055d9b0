package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"dowel/engine"
	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/simulator"
)

// newcomer has an app at every simulated provider, so that Connect can be pressed at once: also on a
// connector that is written while the process runs.
type newcomer struct {
	engine      *engine.Engine
	catalog     *definition.Catalog
	simulator   *simulator.Simulator // nil: it runs elsewhere and knows its apps
	redirectURI string
	served      map[string]bool // by id and version
	log         *slog.Logger
}

// serveNew registers an app for each connector that has come since the last call.
func (n newcomer) serveNew(ctx context.Context) error {
	all, err := n.catalog.All(ctx, defaultTenant)
	if err != nil {
		return err
	}
	var fresh []*definition.Connector
	for _, k := range all {
		if !n.served[k.ID+"@"+k.Version] {
			fresh = append(fresh, k)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if n.simulator != nil {
		registerApps(n.simulator, fresh, n.redirectURI)
	}
	if err := seedApps(ctx, n.engine.Connections, fresh); err != nil {
		return err
	}
	for _, k := range fresh {
		n.served[k.ID+"@"+k.Version] = true
	}
	return nil
}

// follow does so until ctx ends. What fails is tried again with the next look.
func (n newcomer) follow(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := n.serveNew(ctx); err != nil {
				n.log.Warn("make apps for new connectors", "err", err)
			}
		}
	}
}

func seedApps(ctx context.Context, s *connection.Service, connectors []*definition.Connector) error {
	have := map[string]bool{}
	apps, err := s.Apps(ctx, developer(), "")
	if err != nil {
		return err
	}
	for _, a := range apps {
		have[a.Connector] = true
	}
	for _, k := range connectors {
		if !usesApp(k) || have[k.ID] {
			continue
		}
		id, key := simulatedApp(k.ID)
		name := "Simulated " + k.Name
		if _, err := s.CreateApp(ctx, developer(), connection.AppInput{Connector: k.ID, Name: &name, ClientID: &id, ClientSecret: &key}); err != nil {
			return fmt.Errorf("seed app of %s: %w", k.ID, err)
		}
	}
	return nil
}

func usesApp(k *definition.Connector) bool {
	for _, a := range k.Auth {
		if a.NeedsApp() {
			return true
		}
	}
	return false
}

// simulatedApp is the client id and secret of the app every simulated provider knows.
func simulatedApp(connector string) (id, key string) {
	return "sim-" + connector, "simulated-secret-of-" + connector + "-which-is-long-enough-to-sign-with-by-every-hash"
}

func registerApps(s *simulator.Simulator, connectors []*definition.Connector, redirectURI string) {
	for _, k := range connectors {
		id, key := simulatedApp(k.ID)
		s.Register(k.ID, id, key, redirectURI)
	}
}
