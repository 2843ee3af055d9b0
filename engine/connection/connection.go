// Package connection is the durable link of an end user to a provider: its life, its check, its end,
// its token; the apps connections are made with; and the finisher for flows with the intent connect.
//
// Whether a caller may do what it asks is decided here, once, for both doors. A record of another
// tenant does not exist for a caller.
package connection

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/storage"
	"dowel/engine/token"
	"dowel/engine/vault"
)

// Store is the part of the store this room uses.
type Store interface {
	storage.Connections
	storage.Apps
	storage.Definitions
	audit.Log
}

// Service keeps connections. Its fields are set once, before use.
type Service struct {
	Store  Store
	Vault  *vault.Vault
	Source *token.Source
	Reads  *Reads // counts token hand-outs
	Logger *slog.Logger

	forced forced
}

// View is a connection without its secrets.
type View struct {
	Tenant           string            `json:"-"`
	ID               string            `json:"id"`
	Connector        string            `json:"connector"`
	ConnectorVersion string            `json:"connector_version"`
	Method           string            `json:"method"`
	Kind             string            `json:"kind"`
	App              string            `json:"app,omitempty"`
	EndUser          string            `json:"end_user,omitempty"`
	Name             string            `json:"name"`
	Status           storage.Status    `json:"status"`
	StatusReason     string            `json:"status_reason,omitempty"`
	Unverified       bool              `json:"unverified,omitempty"`
	Identity         Identity          `json:"identity"`
	Inputs           map[string]string `json:"inputs"`
	Captured         map[string]string `json:"captured"`
	RequestedScopes  []string          `json:"requested_scopes"`
	GrantedScopes    []string          `json:"granted_scopes"`
	Version          int64             `json:"version"`
	ExpiresAt        *time.Time        `json:"expires_at"`
	RefreshExpiresAt *time.Time        `json:"refresh_expires_at"`
	RefreshAt        *time.Time        `json:"refresh_at"`
	Renewed          bool              `json:"renewed_automatically"`
	Health           Health            `json:"health"`
	CreatedAt        time.Time         `json:"created_at"`
	UpdatedAt        time.Time         `json:"updated_at"`
}

// Identity is the end user at the provider.
type Identity struct {
	Subject string `json:"subject,omitempty"`
	Email   string `json:"email,omitempty"`
	Name    string `json:"name,omitempty"`
	Avatar  string `json:"avatar,omitempty"`
}

// Health tells how a connection does.
type Health struct {
	LastRefreshAt    *time.Time `json:"last_refresh_at"`
	LastRefreshError string     `json:"last_refresh_error,omitempty"`
	Failures         int        `json:"failures"`
	LastTestAt       *time.Time `json:"last_test_at"`
	LastTestError    string     `json:"last_test_error,omitempty"`
}

func view(c storage.Connection) View {
	return View{
		Tenant: c.Tenant, ID: c.ID, Connector: c.Connector, ConnectorVersion: c.ConnectorVersion, Method: c.Auth, Kind: c.Kind, App: c.App,
		EndUser: c.EndUser, Name: c.Name, Status: c.Status, StatusReason: c.StatusReason, Unverified: c.Unverified,
		Identity: Identity{Subject: c.Identity.Subject, Email: c.Identity.Email, Name: c.Identity.Name, Avatar: c.Identity.Avatar},
		Inputs:   orEmpty(c.Inputs), Captured: orEmpty(c.Captured), RequestedScopes: list(c.RequestedScopes),
		GrantedScopes: list(c.GrantedScopes), Version: c.Version, ExpiresAt: moment(c.ExpiresAt),
		RefreshExpiresAt: moment(c.RefreshExpiresAt), RefreshAt: moment(c.RefreshAt), Renewed: !c.RefreshAt.IsZero(),
		Health: Health{
			LastRefreshAt: moment(c.Health.LastRefreshAt), LastRefreshError: c.Health.LastRefreshError,
			Failures: c.Health.Failures, LastTestAt: moment(c.Health.LastTestAt), LastTestError: c.Health.LastTestError,
		},
		CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// allowed asks whether p may do a; what it may not do is Forbidden.
func allowed(p access.Principal, a access.Action) error {
	if !p.May(a) {
		return fault.E(fault.Forbidden, "this key lacks the scope "+string(a), nil).WithCode("scope-missing")
	}
	return nil
}

func actor(p access.Principal) string { return string(p.Kind) + ":" + p.ID }

// Get returns one connection. It fails with NotFound for one of another tenant.
func (s *Service) Get(ctx context.Context, p access.Principal, id string) (View, error) {
	if err := allowed(p, access.ReadConnections); err != nil {
		return View{}, err
	}
	c, err := s.Store.Connection(ctx, storage.Ref{Tenant: p.Tenant, ID: id})
	if err != nil {
		return View{}, missing(err)
	}
	return view(c), nil
}

func missing(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return fault.E(fault.NotFound, "there is no such connection", err)
	}
	return err
}

type (
	// Wish is what a reader wants of a token.
	Wish = token.Wish
	// Live is what a reader gets.
	Live = token.Live
	// Status is the condition of a connection.
	Status = storage.Status
)

// The statuses of a connection.
const (
	Active      = storage.Active
	NeedsReauth = storage.NeedsReauth
	Revoked     = storage.Revoked
	Disabled    = storage.Disabled
)

// Filter selects connections; empty fields select all.
type Filter struct {
	Connector, EndUser string
	Status             storage.Status
	Before             string
	Limit              int
}

// List returns connections, newest first; at most 200 at once.
func (s *Service) List(ctx context.Context, p access.Principal, f Filter) ([]View, error) {
	if err := allowed(p, access.ReadConnections); err != nil {
		return nil, err
	}
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	cs, err := s.Store.Connections(ctx, storage.ConnectionQuery{
		Tenant: p.Tenant, Connector: f.Connector, EndUser: f.EndUser, Status: f.Status, Before: f.Before, Limit: f.Limit,
	})
	if err != nil {
		return nil, err
	}
	out := make([]View, 0, len(cs))
	for _, c := range cs {
		out = append(out, view(c))
	}
	return out, nil
}

// Count returns the number of connections by status.
func (s *Service) Count(ctx context.Context, p access.Principal) (map[storage.Status]int, error) {
	if err := allowed(p, access.ReadConnections); err != nil {
		return nil, err
	}
	return s.Store.CountConnections(ctx, p.Tenant)
}

// Events returns a connection's events, or (id empty) all of the tenant, newest first.
func (s *Service) Events(ctx context.Context, p access.Principal, id, before string, limit int) ([]audit.Event, error) {
	if err := allowed(p, access.ReadEvents); err != nil {
		return nil, err
	}
	if limit <= 0 || limit > 200 {
		limit = 50
	}
	events, err := s.Store.Events(ctx, audit.Query{Tenant: p.Tenant, Subject: id, Before: before, Limit: limit})
	if events == nil {
		events = []audit.Event{}
	}
	return events, err
}

// Token returns the live credential of a connection. See token.Source.Token for how it fails.
func (s *Service) Token(ctx context.Context, p access.Principal, id string, w token.Wish) (token.Live, error) {
	if err := allowed(p, access.ReadTokens); err != nil {
		return token.Live{}, err
	}
	r := storage.Ref{Tenant: p.Tenant, ID: id}
	if w.Force {
		if err := s.forced.allow(r); err != nil {
			return token.Live{}, err
		}
	}
	live, err := s.Source.Token(ctx, r, w)
	if err != nil {
		return token.Live{}, missing(err)
	}
	s.Reads.Count(p, id)
	return live, nil
}

// PeekToken is Token for the common case: it appends the answer to dst if one that suits is in memory,
// and reports whether p may read it and it is there.
func (s *Service) PeekToken(dst []byte, p access.Principal, id string, minTTL time.Duration) ([]byte, bool) {
	if !p.May(access.ReadTokens) {
		return dst, false
	}
	out, ok := s.Source.Peek(dst, storage.Ref{Tenant: p.Tenant, ID: id}, minTTL)
	if ok {
		s.Reads.Count(p, id)
	}
	return out, ok
}

// Refresh renews the credential now and returns the connection.
func (s *Service) Refresh(ctx context.Context, p access.Principal, id string) (View, error) {
	if err := allowed(p, access.WriteConnections); err != nil {
		return View{}, err
	}
	r := storage.Ref{Tenant: p.Tenant, ID: id}
	if _, err := s.Store.Connection(ctx, r); err != nil {
		return View{}, missing(err)
	}
	if err := s.forced.allow(r); err != nil {
		return View{}, err
	}
	if _, err := s.Source.Token(ctx, r, token.Wish{Force: true}); err != nil {
		return View{}, err
	}
	c, err := s.Store.Connection(ctx, r)
	return view(c), err
}

// Test runs the definition's test with a live credential and notes what came of it.
func (s *Service) Test(ctx context.Context, p access.Principal, id string) (View, error) {
	if err := allowed(p, access.WriteConnections); err != nil {
		return View{}, err
	}
	r := storage.Ref{Tenant: p.Tenant, ID: id}
	if _, err := s.Source.Token(ctx, r, token.Wish{}); err != nil {
		return View{}, missing(err)
	}
	c, err := s.Store.Connection(ctx, r)
	if err != nil {
		return View{}, missing(err)
	}
	m, req, cred, err := s.Source.Open(ctx, c)
	if err != nil {
		return View{}, err
	}
	_, terr := auth.Test(ctx, m, req, cred)
	c, err = s.Store.UpdateConnection(ctx, r, func(c *storage.Connection) error {
		c.Health.LastTestAt, c.Health.LastTestError = now(), ""
		if terr != nil {
			c.Health.LastTestError = fault.Public(terr)
		} else {
			c.Unverified = false
		}
		c.Emit(audit.New(audit.ConnectionTested, c.Tenant, c.ID, actor(p), map[string]string{"error": c.Health.LastTestError}))
		return nil
	})
	if err != nil {
		return View{}, err
	}
	s.Source.Forget(r)
	return view(c), terr
}

func newID() string { return "conn_" + rand.Text() }

// ForReconnect returns a connection that a connect session for endUser may renew.
func (s *Service) ForReconnect(ctx context.Context, p access.Principal, id, endUser string) (View, error) {
	if err := allowed(p, access.CreateConnectSession); err != nil {
		return View{}, err
	}
	c, err := s.Store.Connection(ctx, storage.Ref{Tenant: p.Tenant, ID: id})
	if err != nil {
		return View{}, missing(err)
	}
	if c.EndUser != endUser {
		return View{}, fault.Field("end_user", "this connection belongs to another end user")
	}
	return view(c), nil
}
