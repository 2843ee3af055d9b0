package connection

import (
	"context"
	"errors"
	"time"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// Disconnect ends a connection: the record is marked and emptied in one write, then the provider is
// told, as best can be. It reports whether the provider took the access back.
func (s *Service) Disconnect(ctx context.Context, p access.Principal, id string) (revoked bool, err error) {
	if err := allowed(p, access.WriteConnections); err != nil {
		return false, err
	}
	r := storage.Ref{Tenant: p.Tenant, ID: id}
	var before storage.Connection
	_, err = s.Store.UpdateConnection(ctx, r, func(c *storage.Connection) error {
		before = *c
		if c.Status == storage.Revoked {
			return nil
		}
		c.Status, c.StatusReason = storage.Revoked, "disconnected"
		c.Credential, c.Previous, c.PreviousUntil = nil, nil, time.Time{}
		c.RefreshAt, c.Attempt = time.Time{}, nil
		c.UpdatedAt = now()
		c.RaiseFence()
		c.Emit(audit.New(audit.ConnectionRevoked, c.Tenant, c.ID, actor(p), map[string]string{"connector": c.Connector}))
		return nil
	})
	if err != nil {
		return false, missing(err)
	}
	s.Source.Forget(r)
	return s.tellProvider(ctx, p, before), nil
}

// tellProvider gives the credential back; what came of it is in the audit log.
func (s *Service) tellProvider(ctx context.Context, p access.Principal, c storage.Connection) bool {
	if len(c.Credential) == 0 {
		return false
	}
	m, req, cred, err := s.Source.Open(ctx, c)
	if err == nil {
		if rv, ok := m.(auth.Revoker); ok {
			err = rv.Revoke(ctx, req, cred)
		}
	}
	if errors.Is(err, auth.ErrNoRevoke) {
		return false
	}
	data := map[string]string{"connector": c.Connector, "result": "revoked"}
	if err != nil {
		data["result"] = fault.Public(err)
	}
	e := audit.New(audit.CredentialRevokedAt, c.Tenant, c.ID, actor(p), data)
	if lerr := s.Store.AppendEvents(context.WithoutCancel(ctx), []audit.Event{e}); lerr != nil {
		s.Logger.Warn("write event", "kind", e.Kind, "err", lerr)
	}
	return err == nil
}

// Delete disconnects and removes the record; its events stay.
func (s *Service) Delete(ctx context.Context, p access.Principal, id string) error {
	if _, err := s.Disconnect(ctx, p, id); err != nil {
		return err
	}
	r := storage.Ref{Tenant: p.Tenant, ID: id}
	e := audit.New(audit.ConnectionDeleted, p.Tenant, id, actor(p), nil)
	if err := s.Store.AppendEvents(ctx, []audit.Event{e}); err != nil {
		return err
	}
	return missing(s.Store.DeleteConnection(ctx, r))
}

// Change is what may be changed about a connection; nil leaves a thing as it is.
type Change struct {
	Name     *string
	Disabled *bool
}

// Update renames, disables or enables a connection.
func (s *Service) Update(ctx context.Context, p access.Principal, id string, ch Change) (View, error) {
	if err := allowed(p, access.WriteConnections); err != nil {
		return View{}, err
	}
	if ch.Name != nil && (len(*ch.Name) == 0 || len(*ch.Name) > 200) {
		return View{}, fault.Field("name", "the name must have 1 to 200 characters")
	}
	r := storage.Ref{Tenant: p.Tenant, ID: id}
	c, err := s.Store.UpdateConnection(ctx, r, func(c *storage.Connection) error {
		if ch.Name != nil && c.Name != *ch.Name {
			c.Name = *ch.Name
			c.Emit(audit.New(audit.ConnectionUpdated, c.Tenant, c.ID, actor(p), map[string]string{"name": c.Name}))
		}
		c.UpdatedAt = now()
		if ch.Disabled == nil {
			return nil
		}
		return s.toggle(c, actor(p), *ch.Disabled)
	})
	if err != nil {
		return View{}, missing(err)
	}
	s.Source.Forget(r)
	return view(c), nil
}

func (s *Service) toggle(c *storage.Connection, who string, off bool) error {
	switch {
	case off && c.Status == storage.Active:
		c.Status = storage.Disabled
		c.RaiseFence()
		c.Emit(audit.New(audit.ConnectionDisabled, c.Tenant, c.ID, who, nil))
	case !off && c.Status == storage.Disabled:
		c.Status = storage.Active
		c.Emit(audit.New(audit.ConnectionEnabled, c.Tenant, c.ID, who, nil))
	case off != (c.Status == storage.Disabled):
		return fault.E(fault.Conflict, "a connection with the status "+string(c.Status)+" cannot be switched on or off", nil)
	}
	return nil
}
