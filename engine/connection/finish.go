package connection

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/engine/storage"
	"dowel/engine/token"
)

// Intent implements flow.Finisher.
func (s *Service) Intent() string { return "connect" }

// Finish makes the connection a flow was for, or renews the one it was to reconnect. It implements
// flow.Finisher.
func (s *Service) Finish(ctx context.Context, f storage.Flow, r flow.Result) (flow.Outcome, error) {
	if err := s.keepDefinition(ctx, r); err != nil {
		return flow.Outcome{}, err
	}
	target, err := s.target(ctx, f, r)
	if err != nil {
		return flow.Outcome{}, err
	}
	if target != "" {
		return s.reconnect(ctx, f, r, target)
	}
	return s.create(ctx, f, r)
}

// keepDefinition makes sure that the version a connection is made with outlives the process's set.
func (s *Service) keepDefinition(ctx context.Context, r flow.Result) error {
	err := s.Store.CreateDefinition(ctx, storage.Definition{
		Tenant: r.Connector.Tenant, Connector: r.Connector.ID, Version: r.Connector.Version, Source: r.Connector.Source, CreatedAt: now(),
	})
	if err != nil && fault.KindOf(err) != fault.Conflict {
		return fmt.Errorf("keep definition: %w", err)
	}
	return nil
}

// target is the connection to renew: the one the flow names, or one of the same person to the same
// account, so that pressing Connect twice makes one connection.
func (s *Service) target(ctx context.Context, f storage.Flow, r flow.Result) (string, error) {
	if f.Target != "" || r.Identity.Subject == "" {
		return f.Target, nil
	}
	cs, err := s.Store.Connections(ctx, storage.ConnectionQuery{
		Tenant: f.Tenant, Connector: f.Connector, EndUser: f.EndUser, Subject: r.Identity.Subject, Limit: 20,
	})
	if err != nil {
		return "", fmt.Errorf("look for the same account: %w", err)
	}
	for _, c := range cs {
		if c.Status != storage.Revoked && c.Auth == f.Auth && c.EndUser == f.EndUser && sameMap(c.Inputs, r.Inputs) && sameMap(c.Captured, r.Captured) {
			return c.ID, nil
		}
	}
	return "", nil
}

// sameMap compares what was typed and what was chosen at the provider: the first account of two servers, or
// two organisations of one login, are two connections.
func sameMap(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func (s *Service) create(ctx context.Context, f storage.Flow, r flow.Result) (flow.Outcome, error) {
	c := storage.Connection{
		Ref: storage.Ref{Tenant: f.Tenant, ID: idFor(f)}, EndUser: f.EndUser, CreatedAt: now(),
		Name: cmp.Or(flow.Label(r.Identity), r.Connector.Name),
	}
	if err := s.fill(ctx, &c, f, r); err != nil {
		return flow.Outcome{}, err
	}
	c.Emit(audit.New(audit.ConnectionCreated, c.Tenant, c.ID, "end_user:"+f.EndUser, facts(c)))
	err := s.Store.CreateConnection(ctx, c)
	if fault.KindOf(err) == fault.Conflict && f.Session != "" {
		return s.again(ctx, f, r, c.ID)
	}
	if err != nil {
		return flow.Outcome{}, fmt.Errorf("save connection: %w", err)
	}
	return outcome(c, r), nil
}

// again is create for a session whose connection is there already: a second click renews it, unless
// it is another account, which the person connected on purpose.
func (s *Service) again(ctx context.Context, f storage.Flow, r flow.Result, id string) (flow.Outcome, error) {
	out, err := s.reconnect(ctx, f, r, id)
	if e := fault.As(err); e != nil && e.Code == "wrong-account" {
		f.Session = ""
		return s.create(ctx, f, r)
	}
	return out, err
}

// idFor derives the id from the connect session, if there is one: of two flows that a double click
// began, both make the same record, and the store lets one create it.
func idFor(f storage.Flow) string {
	if f.Session == "" {
		return newID()
	}
	sum := sha256.Sum256([]byte(f.Tenant + "\x00" + f.Session + "\x00" + f.Connector))
	return "conn_" + base32.StdEncoding.EncodeToString(sum[:])[:26]
}

// reconnect puts the new credential into the connection, if it is of the same account.
func (s *Service) reconnect(ctx context.Context, f storage.Flow, r flow.Result, id string) (flow.Outcome, error) {
	ref := storage.Ref{Tenant: f.Tenant, ID: id}
	var fresh storage.Connection
	fresh.Ref = ref
	if err := s.fill(ctx, &fresh, f, r); err != nil {
		return flow.Outcome{}, err
	}
	c, err := s.Store.UpdateConnection(ctx, ref, func(c *storage.Connection) error {
		if c.EndUser != f.EndUser || c.Connector != f.Connector {
			return fault.E(fault.NotFound, "there is no such connection", nil)
		}
		if old := c.Identity.Subject; old != "" && old != r.Identity.Subject && c.Status != storage.Revoked {
			return fault.E(fault.Conflict, "another account was connected before: "+c.Name, nil).WithCode("wrong-account")
		}
		version := c.Version
		renewed := fresh
		renewed.Revision, renewed.Lease, renewed.Outbox = c.Revision, c.Lease, c.Outbox
		renewed.Name, renewed.EndUser, renewed.CreatedAt = c.Name, c.EndUser, c.CreatedAt
		renewed.Version = version + 1
		*c = renewed
		c.RaiseFence() // a refresh under way must not write over what the person has just allowed
		c.Emit(audit.New(audit.ConnectionReconnected, c.Tenant, c.ID, "end_user:"+f.EndUser, facts(*c)))
		return nil
	})
	if err != nil {
		return flow.Outcome{}, err
	}
	s.Source.Forget(ref)
	return outcome(c, r), nil
}

// fill puts what the flow has come to into c, with the credential sealed for c alone.
func (s *Service) fill(ctx context.Context, c *storage.Connection, f storage.Flow, r flow.Result) error {
	sealed, err := s.Vault.SealCredential(ctx, c.Ref, r.Credential)
	if err != nil {
		return fmt.Errorf("seal credential: %w", err)
	}
	c.Revision, c.Version = 1, 1
	c.Connector, c.ConnectorVersion, c.Auth, c.Kind, c.App = f.Connector, f.ConnectorVersion, f.Auth, string(r.Auth.Kind), f.App
	c.Status = storage.Active
	c.Identity = storage.Identity{
		Subject: r.Identity.Subject, Email: r.Identity.Email, Name: cmp.Or(r.Identity.Name, r.Identity.Username),
		Avatar: r.Identity.Avatar, EmailVerified: r.Identity.EmailVerified,
	}
	c.Inputs, c.Captured, c.Discovered = r.Inputs, r.Captured, r.Discovered
	c.RequestedScopes, c.GrantedScopes = r.Requested, r.Credential.Scopes
	c.Credential = sealed
	c.ObtainedAt, c.ExpiresAt, c.RefreshExpiresAt = r.Credential.ObtainedAt, r.Credential.ExpiresAt, r.Credential.RefreshExpiresAt
	c.RefreshAt = token.Plan(r.Auth, r.Credential, s.Source.Next)
	c.Unverified = r.Unverified
	if r.Tested {
		c.Health.LastTestAt = now()
	}
	c.UpdatedAt = now()
	return nil
}

func facts(c storage.Connection) map[string]string {
	return map[string]string{
		"connector": c.Connector, "method": c.Auth, "account": c.Name, "scopes": strings.Join(c.GrantedScopes, " "),
	}
}

// outcome says what the person should know about the connection just made.
func outcome(c storage.Connection, r flow.Result) flow.Outcome {
	out := flow.Outcome{ID: c.ID, Label: flow.Label(r.Identity)}
	if c.Unverified {
		out.Warnings = append(out.Warnings, "unverified")
	}
	if !c.ExpiresAt.IsZero() && c.RefreshAt.IsZero() {
		out.Warnings = append(out.Warnings, "no-refresh")
	}
	for _, want := range c.RequestedScopes {
		found := len(c.GrantedScopes) == 0
		for _, got := range c.GrantedScopes {
			found = found || got == want
		}
		if !found {
			out.Warnings = append(out.Warnings, "missing-scopes")
			break
		}
	}
	return out
}
