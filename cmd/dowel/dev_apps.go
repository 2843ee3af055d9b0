package main

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"

	"dowel/engine"
	"dowel/engine/auth"
	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/rehearsal"
	"dowel/engine/simulator"
	"dowel/engine/storage"
)

// newcomer is the store of a developer who has an app at every simulated provider, so that Connect can be
// pressed at once: it is made when somebody asks for the apps of a connector.
type newcomer struct {
	storage.Store
	engine      *engine.Engine // set once it runs on this store
	catalog     *definition.Catalog
	simulator   *simulator.Simulator // nil: it runs elsewhere and knows its apps
	base        *url.URL             // where it is
	redirectURI string
	log         *slog.Logger

	mu     sync.Mutex
	served map[string]bool // by id and version
}

// Apps makes the app that is not there, at the first look. Without it, what is there is told all the same.
func (n *newcomer) Apps(ctx context.Context, tenant, connector string) ([]storage.App, error) {
	if tenant == defaultTenant && connector != "" {
		if err := n.serve(ctx, connector); err != nil {
			n.log.Warn("make an app at a simulated provider", "connector", connector, "err", err)
		}
	}
	return n.Store.Apps(ctx, tenant, connector)
}

// serve sees to the app of one connector, once for each of its versions.
func (n *newcomer) serve(ctx context.Context, connector string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	k, err := n.catalog.Current(ctx, defaultTenant, connector)
	if err != nil || !usesApp(k) || n.served[k.ID+"@"+k.Version] {
		return err
	}
	if n.simulator != nil {
		registerApps(n.simulator, []*definition.Connector{k}, n.redirectURI)
	}
	if err := n.seedApp(ctx, k); err != nil {
		return err
	}
	n.served[k.ID+"@"+k.Version] = true
	return nil
}

// serveAgain sees to the apps of an earlier run, whose connections may be renewed before anybody looks.
func (n *newcomer) serveAgain(ctx context.Context) error {
	apps, err := n.Store.Apps(ctx, defaultTenant, "")
	for _, a := range apps {
		err = errors.Join(err, n.serve(ctx, a.Connector))
	}
	return err
}

// seedApp makes the app that is not there. One that signs gets a new key: the provider may have been
// started anew, and has then forgotten the old one.
func (n *newcomer) seedApp(ctx context.Context, k *definition.Connector) error {
	apps, err := n.Store.Apps(ctx, defaultTenant, k.ID)
	if err != nil {
		return err
	}
	id, _ := simulatedApp(k.ID)
	for _, a := range apps {
		if a.ClientID == id {
			return n.renewKeys(ctx, k, a)
		}
	}
	if len(apps) > 0 {
		return nil // the developer's own
	}
	return n.makeApp(ctx, k)
}

// renewKeys gives a simulated app new keys, if it signs.
func (n *newcomer) renewKeys(ctx context.Context, k *definition.Connector, app storage.App) error {
	keys := false
	answers, err := rehearsal.AppAnswers(k, app.Auth, func(a *definition.Auth) (string, error) {
		keys = true
		return n.issuedKey(ctx, k, a)
	})
	if err != nil || !keys {
		return err
	}
	_, err = n.engine.Connections.UpdateApp(ctx, developer(), app.ID, connection.AppInput{Fields: answers})
	return err
}

func (n *newcomer) makeApp(ctx context.Context, k *definition.Connector) error {
	id, key := simulatedApp(k.ID)
	name := "Simulated " + k.Name
	in := connection.AppInput{Connector: k.ID, Name: &name}
	if k.AppsByServer("") {
		in.Issuer = auth.AnyServer // whatever is typed leads to the simulated one
	}
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
func (n *newcomer) issuedKey(ctx context.Context, k *definition.Connector, a *definition.Auth) (string, error) {
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
