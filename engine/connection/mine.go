package connection

import (
	"context"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// Mine returns a connection to the end user it belongs to, who may read no other.
func (s *Service) Mine(ctx context.Context, p access.Principal, id string) (View, error) {
	c, err := s.Store.Connection(ctx, storage.Ref{Tenant: p.Tenant, ID: id})
	if err != nil {
		return View{}, missing(err)
	}
	if p.Kind != access.EndUser || c.EndUser != p.EndUser {
		return View{}, fault.E(fault.NotFound, "there is no such connection", nil)
	}
	return view(c), nil
}

// EventFilter selects events; empty fields select all.
type EventFilter struct {
	Subject string
	Kind    audit.Kind
	Before  string
	Limit   int // 1 to 200
}

// EventsLike returns the tenant's events that a filter selects, newest first.
func (s *Service) EventsLike(ctx context.Context, p access.Principal, f EventFilter) ([]audit.Event, error) {
	if err := allowed(p, access.ReadEvents); err != nil {
		return nil, err
	}
	return s.Store.Events(ctx, audit.Query{Tenant: p.Tenant, Subject: f.Subject, Kind: f.Kind, Before: f.Before, Limit: f.Limit})
}
