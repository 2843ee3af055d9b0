// Package engine is the house: it builds every room, mounts the doors, runs the clock and the relay,
// and stops them in order. It decides nothing that a room could decide, reads no flags and no
// environment, and opens no store: cmd does that and hands everything in.
package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"dowel/engine/api"
	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/connection"
	"dowel/engine/connector"
	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/engine/identity"
	"dowel/engine/secret"
	"dowel/engine/storage"
	"dowel/engine/token"
	"dowel/engine/vault"
	"dowel/engine/web"
	"dowel/ui"
)

// Options is everything the house is built from. Zero durations and numbers mean the defaults of the
// rooms that use them.
type Options struct {
	Store      storage.Store
	MasterKeys []secret.MasterKey
	Catalog    *definition.Catalog
	UI         *ui.UI
	// PublicURL is where browsers and providers reach us, without a trailing slash.
	PublicURL string
	Egress    egress.Policy
	// Simulate, in development, says where a connector's addresses really lead.
	Simulate func(connector string) func(*url.URL) *url.URL
	// SimulateTLS does so for calls that show a client certificate; nil: as Simulate.
	SimulateTLS func(connector string) func(*url.URL) *url.URL
	Logger      *slog.Logger
	Holder      string        // names this instance; random when empty
	ReadWait    time.Duration // how long a reader waits for a renewal
	CacheTTL    time.Duration // how old a token answer in memory may be
	Pool        int           // renewals at once
	Sinks       []audit.Sink
	// Beside runs as long as the house does; each ends when its context does.
	Beside []func(context.Context) error
}

// Engine is the assembled house.
type Engine struct {
	Identity    *identity.Service
	Connections *connection.Service
	Connectors  *connector.Service
	Flows       *flow.Service
	Source      *token.Source
	Sweeper     *token.Sweeper

	options Options
	app     *fiber.App
	out     *egress.Client
	relay   *audit.Relay
	reads   *connection.Reads
}

// New builds the house. It fails if the store was sealed with another master key, before anything is
// written.
func New(ctx context.Context, o Options) (*Engine, error) {
	o.Holder = cmp.Or(o.Holder, "engine_"+rand.Text()[:10])
	public, err := publicURL(o)
	if err != nil {
		return nil, err
	}
	keyring, err := secret.NewKeyring(o.Store, o.MasterKeys...)
	if err != nil {
		return nil, err
	}
	if err := keyring.Check(ctx); err != nil {
		return nil, err
	}
	out, err := egress.NewClient(o.Egress)
	if err != nil {
		return nil, fmt.Errorf("egress policy: %w", err)
	}
	o.Catalog.Keep(kept{o.Store})
	e := &Engine{options: o, out: out}
	v := &vault.Vault{
		Keyring: keyring, Catalog: o.Catalog, Apps: o.Store, Methods: methods(),
		Outlet: &auth.Outlet{Client: out, Simulate: o.Simulate, SimulateTLS: o.SimulateTLS, Documents: &auth.Documents{Logger: o.Logger.With("room", "auth")}}, RedirectURI: public + "/callback",
	}
	e.Source = &token.Source{
		Store: o.Store, Vault: v, Holder: o.Holder, LeaseTTL: out.Longest() + 10*time.Second, ReadWait: o.ReadWait,
		CacheTTL: o.CacheTTL, Next: next, Logger: o.Logger.With("room", "token"),
	}
	e.Sweeper = &token.Sweeper{Source: e.Source, Pool: o.Pool}
	e.reads = &connection.Reads{Log: o.Store, Logger: o.Logger.With("room", "connection")}
	e.Connections = &connection.Service{Store: o.Store, Vault: v, Source: e.Source, Reads: e.reads, Logger: o.Logger.With("room", "connection")}
	e.Connectors = &connector.Service{Store: o.Store, Catalog: o.Catalog}
	e.Flows = &flow.Service{
		Store: o.Store, Vault: v, ClientURL: public + web.ClientPath, Logger: o.Logger.With("room", "flow"),
		Finishers: map[string]flow.Finisher{e.Connections.Intent(): e.Connections},
	}
	e.Identity = &identity.Service{Store: o.Store, PublicURL: public, Logger: o.Logger.With("room", "identity")}
	e.relay = &audit.Relay{Outbox: o.Store, Log: o.Store, Sinks: o.Sinks, Holder: o.Holder, Logger: o.Logger.With("room", "audit")}
	e.app = e.doors(public, v)
	return e, nil
}

// methods lists every auth kind there is.
func methods() auth.Registry {
	return auth.NewRegistry(
		auth.AuthorizationCode(), auth.DeviceCode(), auth.ClientCredentials(), auth.JWTBearer(), auth.TokenExchange(), auth.Password(), auth.OAuth1(), auth.Basic(), auth.APIKey(), auth.Bearer(), auth.Custom(),
		auth.None(),
	)
}

// Explain writes the exact, redacted requests that Dowel makes for a connector.
func Explain(k *definition.Connector, redirectURI string) string {
	return auth.Explain(methods(), k, redirectURI)
}

// publicURL checks the one address that redirect URIs and links are made of; never a request's header.
func publicURL(o Options) (string, error) {
	u, err := url.Parse(o.PublicURL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", fault.E(fault.Invalid, "the public URL must be an origin such as https://dowel.example.com", err)
	}
	loopback := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return "", fault.E(fault.Invalid, "the public URL must begin with https://, except on loopback", nil)
	}
	return u.Scheme + "://" + u.Host, nil
}

// kept finds definition versions in the store.
type kept struct{ store storage.Store }

// Source implements definition.Versions.
func (k kept) Source(ctx context.Context, tenant, connector, version string) ([]byte, error) {
	d, err := k.store.Definition(ctx, tenant, connector, version)
	return d.Source, err
}

// Published implements definition.Versions.
func (k kept) Published(ctx context.Context, tenant string) (map[string]string, error) {
	all, err := k.store.Publications(ctx, tenant)
	out := make(map[string]string, len(all))
	for _, p := range all {
		if p.Version != "" {
			out[p.ID] = p.Version
		}
	}
	return out, err
}

func (e *Engine) doors(public string, v *vault.Vault) *fiber.App {
	o := e.options
	apiErrors := api.ErrorHandler(o.Logger.With("room", "api"))
	webErrors := web.ErrorHandler(o.Logger.With("room", "web"), o.UI)
	app := fiber.New(fiber.Config{
		AppName: "dowel", DisableStartupMessage: true, Immutable: true, BodyLimit: 1 << 20, ReadBufferSize: 16 << 10,
		ReadTimeout: 20 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: 90 * time.Second,
		ErrorHandler: func(c *fiber.Ctx, err error) error {
			if p := c.Path(); strings.HasPrefix(p, "/api/") || p == "/healthz" || p == "/readyz" {
				return apiErrors(c, err)
			}
			return webErrors(c, err)
		},
	})
	app.Use(recovered(o.Logger))
	api.Routes(app, api.Deps{Identity: e.Identity, Connections: e.Connections, Flows: e.Flows, Connectors: e.Connectors, Catalog: o.Catalog, Ready: o.Store.Ping, Logger: o.Logger.With("room", "api")})
	web.Routes(app, web.Deps{
		Identity: e.Identity, Connections: e.Connections, Flows: e.Flows, Catalog: o.Catalog, UI: o.UI, PublicURL: public,
		RedirectURI: v.RedirectURI, Simulated: o.Simulate != nil, Logger: o.Logger.With("room", "web"),
	})
	return app
}

// recovered turns a panic into an internal failure; its text is for the log.
func recovered(log *slog.Logger) fiber.Handler {
	return func(c *fiber.Ctx) (err error) {
		defer func() {
			if r := recover(); r != nil {
				log.Error("panic", "method", c.Method(), "route", c.Route().Path, "panic", fmt.Sprint(r))
				err = fault.E(fault.Internal, "", fmt.Errorf("panic: %v", r))
			}
		}()
		return c.Next()
	}
}

// Run serves on ln and works until ctx ends, then stops in order: the doors, the clock, the renewals
// under way, the relay. It returns the first failure that was not asked for.
func (e *Engine) Run(ctx context.Context, ln net.Listener) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var group errgroup.Group
	failed := make(chan error, 1)
	group.Go(func() error { return e.relay.Run(background) })
	group.Go(func() error { return e.reads.Run(background) })
	group.Go(func() error { return e.Identity.Run(background) })
	for _, run := range e.options.Beside {
		group.Go(func() error { return run(background) })
	}
	clock := e.clock(ctx)
	clock.Start()
	go func() { failed <- e.app.Listener(ln) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = e.app.ShutdownWithTimeout(10 * time.Second)
	}
	<-clock.Stop().Done()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	err = errors.Join(err, e.Source.Close(grace))
	stop()
	err = errors.Join(err, group.Wait(), e.relay.Drain(grace))
	e.out.Close()
	return err
}

// App is the server's handler, for tests that need no listener.
func (e *Engine) App() *fiber.App { return e.app }
