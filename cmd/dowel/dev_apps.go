package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"dowel/engine"
	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/rehearsal"
	"dowel/engine/simulator"
)

// newcomer has an app at every simulated provider, so that Connect can be pressed at once: also on a
// connector that is written while the process runs.
type newcomer struct {
	engine      *engine.Engine
	catalog     *definition.Catalog
	simulator   *simulator.Simulator // nil: it runs elsewhere and knows its apps
	base        *url.URL             // where it is
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
	if err := n.seedApps(ctx, fresh); err != nil {
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

// seedApps makes the apps that are not there. One that signs gets a new key: the provider may have been
// started anew, and has then forgotten the old one.
func (n newcomer) seedApps(ctx context.Context, connectors []*definition.Connector) error {
	have := map[string]connection.AppView{}
	apps, err := n.engine.Connections.Apps(ctx, developer(), "")
	if err != nil {
		return err
	}
	for _, a := range apps {
		if id, _ := simulatedApp(a.Connector); have[a.Connector].ID == "" || a.ClientID == id {
			have[a.Connector] = a
		}
	}
	for _, k := range connectors {
		if !usesApp(k) {
			continue
		}
		seed := n.seedApp
		if a, ok := have[k.ID]; ok {
			seed = func(ctx context.Context, k *definition.Connector) error { return n.renewKeys(ctx, k, a) }
		}
		err := seed(ctx, k)
		if errors.Is(err, errNotTold) {
			n.log.Warn("no app can be made for a connector that needs a key", "connector", k.ID, "err", err)
			continue
		}
		if err != nil {
			return fmt.Errorf("seed app of %s: %w", k.ID, err)
		}
	}
	return nil
}

// renewKeys gives a simulated app new keys, if it signs.
func (n newcomer) renewKeys(ctx context.Context, k *definition.Connector, app connection.AppView) error {
	if id, _ := simulatedApp(k.ID); app.ClientID != id {
		return nil // the developer's own
	}
	keys := false
	answers, err := rehearsal.AppAnswers(k, app.Method, func(a *definition.Auth) (string, error) {
		keys = true
		return n.issuedKey(ctx, k, a)
	})
	if err != nil || !keys {
		return err
	}
	_, err = n.engine.Connections.UpdateApp(ctx, developer(), app.ID, connection.AppInput{Fields: answers})
	return err
}

func (n newcomer) seedApp(ctx context.Context, k *definition.Connector) error {
	id, key := simulatedApp(k.ID)
	name := "Simulated " + k.Name
	in := connection.AppInput{Connector: k.ID, Name: &name}
	hasID, hasSecret := k.AppAsks("")
	if hasID {
		in.ClientID = &id
	}
	if hasSecret {
		in.ClientSecret = &key
	}
	var err error
	in.Fields, err = rehearsal.AppAnswers(k, "", func(a *definition.Auth) (string, error) {
		return n.issuedKey(ctx, k, a)
	})
	if err != nil {
		return err
	}
	_, err = n.engine.Connections.CreateApp(ctx, developer(), in)
	return err
}

// issuedKey asks the simulated provider for a key, as an operator would its console.
func (n newcomer) issuedKey(ctx context.Context, k *definition.Connector, a *definition.Auth) (string, error) {
	at := n.base.JoinPath(k.ID, "_key")
	at.RawQuery = url.Values{"method": {a.ID}}.Encode()
	text, err := askSimulator(ctx, at)
	return strings.TrimSpace(text), err
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
