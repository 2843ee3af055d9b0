package flow

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/storage"
	"dowel/engine/vault"
)

// app finds the app a flow begins with: the tenant's, or one that registers itself.
func (s *Service) app(ctx context.Context, tenant string, r auth.Request) (auth.App, error) {
	app, err := s.Vault.AppFor(ctx, tenant, r)
	if err != nil || app.ID != "" || r.Auth.Registration == nil {
		return app, err
	}
	servers, err := r.AppServers()
	if err != nil {
		return auth.App{}, err
	}
	return registry{Service: s, tenant: tenant, r: r, issuer: servers.At()}.register(ctx)
}

// registry is where apps of one tenant register themselves: at one issuer, for one method.
type registry struct {
	*Service
	tenant string
	r      auth.Request
	issuer string
}

// clientName is what people see who are asked to allow us something.
const clientName = "Dowel"

// How long a registration may take until somebody else may try, and how often it is looked for meanwhile.
const (
	claimLife  = time.Minute
	claimWatch = 100 * time.Millisecond
)

// maxGenerations bounds how many registrations with one issuer may have died before an operator has to
// look.
const maxGenerations = 20

// register makes the registration, or waits for whoever is making it: of all who connect at once, on
// whatever instance, one asks the provider. A registration that has died makes room for the next.
func (g registry) register(ctx context.Context) (auth.App, error) {
	for n := range maxGenerations {
		a, err := g.claimed(ctx, g.id(n))
		if err != nil || !dead(a) {
			return g.open(ctx, a, err)
		}
	}
	return auth.App{}, fault.E(fault.Misconfigured, g.r.Connector.Name+" keeps refusing the apps that were registered there: an operator has to look", nil).WithCode("app-missing")
}

func (g registry) open(ctx context.Context, a storage.App, err error) (auth.App, error) {
	if err != nil {
		return auth.App{}, err
	}
	secrets, err := g.Vault.AppSecrets(ctx, a)
	if err != nil {
		return auth.App{}, err
	}
	return secrets.App(a), nil
}

// dead reports whether a registration is of no use any more: its secret has ended, or the provider has
// forgotten it.
func dead(a storage.App) bool {
	return !a.SecretExpiresAt.IsZero() && time.Now().After(a.SecretExpiresAt) || !a.Refused.IsZero()
}

// id names the record of a registration: whoever makes it makes the same. A registration is for one
// redirect URI, so another public address has others.
func (g registry) id(generation int) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		g.tenant, g.r.Connector.ID, g.r.Auth.ID, g.place(), g.r.RedirectURI, strconv.Itoa(generation),
	}, "\x00")))
	return "app_" + base32.StdEncoding.EncodeToString(sum[:])[:26]
}

// place tells apart where apps are registered: at the issuer, or at an endpoint that the definition
// writes.
func (g registry) place() string {
	if u := g.r.Auth.Registration.URL; g.issuer == "" && u != nil {
		return u.Source
	}
	return g.issuer
}

// claimed returns the app with the given id: one that is there, one that somebody else makes while we
// wait, or one that we make.
func (g registry) claimed(ctx context.Context, id string) (storage.App, error) {
	ref := storage.Ref{Tenant: g.tenant, ID: id}
	for {
		a, mine, err := g.claim(ctx, ref)
		switch {
		case err != nil:
			return storage.App{}, err
		case mine:
			return g.make(ctx, a)
		case a.RegisteringUntil.IsZero():
			return a, nil
		}
		select {
		case <-ctx.Done():
			return storage.App{}, fault.E(fault.Timeout, "the app is still being registered at "+g.r.Connector.Name, ctx.Err())
		case <-time.After(claimWatch):
		}
	}
}

var errElsewhere = errors.New("somebody else registers it")

// claim takes the right to make the registration, if it is not there and nobody has it.
func (g registry) claim(ctx context.Context, ref storage.Ref) (a storage.App, mine bool, err error) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	a = storage.App{
		Ref: ref, Revision: 1, Connector: g.r.Connector.ID, Auth: g.r.Auth.ID, Name: g.r.Connector.Name, Issuer: g.issuer,
		RegisteringUntil: now.Add(claimLife), CreatedAt: now, UpdatedAt: now,
	}
	err = g.Store.CreateApp(ctx, a)
	if fault.KindOf(err) != fault.Conflict {
		return a, err == nil, err
	}
	held, err := g.Store.App(ctx, ref)
	if fault.KindOf(err) == fault.NotFound {
		return storage.App{RegisteringUntil: now}, false, nil // just given up; come again
	}
	if err != nil || held.RegisteringUntil.IsZero() || now.Before(held.RegisteringUntil) {
		return held, false, err
	}
	// Whoever had it has not come back.
	held, err = g.Store.UpdateApp(ctx, ref, func(a *storage.App) error {
		if a.RegisteringUntil.IsZero() || now.Before(a.RegisteringUntil) {
			return errElsewhere
		}
		a.RegisteringUntil = now.Add(claimLife)
		return nil
	})
	if errors.Is(err, errElsewhere) || fault.KindOf(err) == fault.NotFound {
		return storage.App{RegisteringUntil: now}, false, nil
	}
	return held, err == nil, err
}

// make registers the app and keeps it; one that cannot be registered leaves nothing behind.
func (g registry) make(ctx context.Context, a storage.App) (storage.App, error) {
	made, err := g.ask(ctx)
	if err == nil {
		a, err = g.keep(context.WithoutCancel(ctx), a, made) // the provider knows it now
	}
	if err != nil {
		if derr := g.Store.DeleteApp(context.WithoutCancel(ctx), a.Ref); derr != nil {
			g.Logger.Warn("give up a registration", "app", a.ID, "connector", g.r.Connector.ID, "err", derr)
		}
		return storage.App{}, err
	}
	return a, nil
}

// ask has the provider register us, or tells it where our document is.
func (g registry) ask(ctx context.Context) (auth.Registered, error) {
	if g.r.TakesDocument() {
		if public(g.ClientURL) {
			return auth.Registered{ClientID: g.ClientURL, Method: "none"}, nil
		}
		if !g.r.Auth.Registration.Dynamic() {
			return auth.Registered{}, fault.E(fault.Misconfigured, g.r.Connector.Name+" wants to read about this app at its public address, which it cannot reach", nil).WithCode("app-missing")
		}
	}
	return auth.Register(ctx, g.r, clientName)
}

// public reports whether others can read what we publish at an address.
func public(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback()
}

func (g registry) keep(ctx context.Context, a storage.App, made auth.Registered) (storage.App, error) {
	var secrets vault.AppSecrets
	var names []string
	if !made.ClientSecret.IsZero() {
		secrets.ClientSecrets = []string{made.ClientSecret.Reveal()}
		names = []string{"client_secret"}
	}
	sealed, err := g.Vault.SealApp(ctx, a.Ref, secrets)
	if err != nil {
		return storage.App{}, err
	}
	kept, err := g.Store.UpdateApp(ctx, a.Ref, func(a *storage.App) error {
		a.ClientID, a.Secrets, a.SecretNames = made.ClientID, sealed, names
		a.Fields = map[string]string{auth.MethodField: made.Method}
		a.RegisteringUntil, a.SecretExpiresAt = time.Time{}, made.ExpiresAt
		a.UpdatedAt = time.Now().UTC().Truncate(time.Millisecond)
		a.Outbox = append(a.Outbox, audit.New(audit.AppCreated, a.Tenant, a.ID, "registration", map[string]string{
			"connector": a.Connector, "issuer": cmp.Or(a.Issuer, g.place()),
		}))
		return nil
	})
	if err != nil {
		return storage.App{}, fmt.Errorf("keep registration: %w", err)
	}
	return kept, nil
}

// ClientDocument is what stands at ClientURL: what providers may want to know about us (OAuth Client ID
// Metadata Document §4). Its address is the client id.
func (s *Service) ClientDocument() map[string]any {
	out := auth.ClientMetadata(clientName, s.Vault.RedirectURI)
	out["client_id"] = s.ClientURL
	out["client_uri"] = strings.TrimSuffix(s.Vault.RedirectURI, "/callback")
	return out
}
