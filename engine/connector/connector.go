// Package connector keeps the connectors that a tenant writes itself: it checks a definition as the
// process's own are checked, keeps every version, and says which one is current.
//
// A version never changes, and connections keep the one they were made with; to publish is to say which
// version new connections are made with, and so is to roll back. Withdrawing takes none away from a
// connection either. What a definition means is definition's affair.
package connector

import (
	"context"
	"fmt"
	"slices"
	"time"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// Store is the part of the store this room uses.
type Store interface {
	storage.Definitions
	storage.Publications
}

// Service keeps tenants' own connectors. It is safe for concurrent use.
type Service struct {
	Store   Store
	Catalog *definition.Catalog
}

// Version is one version of a tenant's own connector.
type Version struct {
	Connector string    `json:"connector"`
	Version   string    `json:"version"`
	Current   bool      `json:"current"`
	CreatedAt time.Time `json:"created_at"`
}

// Limits of one tenant, so that nobody can fill the store.
const (
	maxConnectors = 500
	maxVersions   = 200
)

// Refused says that a definition has errors. Nothing was stored.
type Refused struct{ Findings []definition.Finding }

// Error counts them.
func (e *Refused) Error() string { return fmt.Sprintf("%d findings", len(e.Findings)) }

// Unwrap classifies it.
func (e *Refused) Unwrap() error {
	return fault.E(fault.Invalid, "the definition has errors", nil).WithCode("definition-invalid")
}

// Check returns what a definition is and all that is wrong with it, warnings too; the connector is nil
// if one of the findings is an error. file is its name in the findings; nothing is stored.
func (s *Service) Check(ctx context.Context, p access.Principal, file string, source []byte) (*definition.Connector, []definition.Finding, error) {
	if err := allowed(p, access.WriteConnectors); err != nil {
		return nil, nil, err
	}
	k, findings := definition.Parse(file, source, s.Catalog.Parents(ctx, p.Tenant))
	return k, findings, nil
}

// Add keeps a definition as a version of the tenant's own connector and, if publish, makes it the current
// one. The same text again is the same version. A definition with an error is *Refused; the warnings of
// one that is kept are returned.
func (s *Service) Add(ctx context.Context, p access.Principal, file string, source []byte, publish bool) (Version, []definition.Finding, error) {
	k, findings, err := s.Check(ctx, p, file, source)
	if err != nil {
		return Version{}, nil, err
	}
	if k == nil {
		return Version{}, nil, &Refused{findings}
	}
	if err := s.room(ctx, p, k.ID); err != nil {
		return Version{}, nil, err
	}
	d := storage.Definition{Tenant: p.Tenant, Connector: k.ID, Version: k.Version, Source: k.Source, CreatedAt: now()}
	if err := s.Store.CreateDefinition(ctx, d); err != nil && fault.KindOf(err) != fault.Conflict {
		return Version{}, nil, fmt.Errorf("keep definition: %w", err)
	}
	if !publish {
		current, err := s.current(ctx, p.Tenant, k.ID)
		return Version{k.ID, k.Version, current == k.Version, d.CreatedAt}, findings, err
	}
	v, err := s.Publish(ctx, p, k.ID, k.Version)
	return v, findings, err
}

// room refuses what would be more than a tenant may keep.
func (s *Service) room(ctx context.Context, p access.Principal, id string) error {
	all, err := s.Store.Publications(ctx, p.Tenant)
	if err != nil {
		return err
	}
	known := slices.ContainsFunc(all, func(q storage.Publication) bool { return q.ID == id })
	if !known && len(all) >= maxConnectors {
		return fault.E(fault.Conflict, fmt.Sprintf("a tenant has at most %d connectors of its own", maxConnectors), nil).WithCode("too-many")
	}
	versions, err := s.Store.Definitions(ctx, p.Tenant, id)
	if err != nil {
		return err
	}
	if len(versions) >= maxVersions {
		return fault.E(fault.Conflict, fmt.Sprintf("a connector has at most %d versions", maxVersions), nil).WithCode("too-many")
	}
	return nil
}

// Publish makes a version that is kept the current one: the newest, or an earlier one to roll back.
func (s *Service) Publish(ctx context.Context, p access.Principal, id, version string) (Version, error) {
	if err := allowed(p, access.WriteConnectors); err != nil {
		return Version{}, err
	}
	d, err := s.Store.Definition(ctx, p.Tenant, id, version)
	if fault.KindOf(err) == fault.NotFound {
		return Version{}, fault.E(fault.NotFound, "this connector has no such version", err)
	}
	if err != nil {
		return Version{}, err
	}
	if err := s.set(ctx, p, id, version, audit.ConnectorPublished); err != nil {
		return Version{}, err
	}
	return Version{id, version, true, d.CreatedAt}, nil
}

// Withdraw takes a tenant's own connector out of its catalogue: nobody connects with it any more, and
// one that comes with Dowel under the same id is there again. Connections go on.
func (s *Service) Withdraw(ctx context.Context, p access.Principal, id string) error {
	if err := allowed(p, access.WriteConnectors); err != nil {
		return err
	}
	current, err := s.current(ctx, p.Tenant, id)
	if err != nil {
		return err
	}
	if current == "" {
		return fault.E(fault.NotFound, "this tenant has no such connector of its own", nil)
	}
	return s.set(ctx, p, id, "", audit.ConnectorWithdrawn)
}

// set writes which version is current, with the event that says so.
func (s *Service) set(ctx context.Context, p access.Principal, id, version string, kind audit.Kind) error {
	r := storage.Ref{Tenant: p.Tenant, ID: id}
	change := func(q *storage.Publication) error {
		if q.Version == version {
			return nil
		}
		q.Outbox = append(q.Outbox, audit.New(kind, p.Tenant, id, string(p.Kind)+":"+p.ID, map[string]string{
			"connector": id, "version": version, "previous": q.Version,
		}))
		q.Version, q.UpdatedAt = version, now()
		return nil
	}
	defer s.Catalog.Forget(p.Tenant)
	_, err := s.Store.UpdatePublication(ctx, r, change)
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	q := storage.Publication{Ref: r, Revision: 1, CreatedAt: now()}
	if err := change(&q); err != nil {
		return err
	}
	err = s.Store.CreatePublication(ctx, q)
	if fault.KindOf(err) == fault.Conflict { // somebody else was first to publish it
		_, err = s.Store.UpdatePublication(ctx, r, change)
	}
	return err
}

// current is the version of a tenant's own connector that is current; empty if none is.
func (s *Service) current(ctx context.Context, tenant, id string) (string, error) {
	q, err := s.Store.Publication(ctx, storage.Ref{Tenant: tenant, ID: id})
	if fault.KindOf(err) == fault.NotFound {
		return "", nil
	}
	return q.Version, err
}

// Versions lists what is kept of a tenant's own connector, newest first.
func (s *Service) Versions(ctx context.Context, p access.Principal, id string) ([]Version, error) {
	if err := allowed(p, access.ReadConnectors); err != nil {
		return nil, err
	}
	all, err := s.Store.Definitions(ctx, p.Tenant, id)
	if err != nil {
		return nil, err
	}
	current, err := s.current(ctx, p.Tenant, id)
	if err != nil {
		return nil, err
	}
	out := make([]Version, 0, len(all))
	for _, d := range all {
		out = append(out, Version{d.Connector, d.Version, d.Version == current, d.CreatedAt})
	}
	return out, nil
}

// Source returns the text of a connector that the tenant sees: of its current version, or of a given one.
func (s *Service) Source(ctx context.Context, p access.Principal, id, version string) (*definition.Connector, error) {
	if err := allowed(p, access.ReadConnectors); err != nil {
		return nil, err
	}
	if version == "" {
		return s.Catalog.Current(ctx, p.Tenant, id)
	}
	k, err := s.Catalog.Version(ctx, p.Tenant, id, version)
	if fault.KindOf(err) == fault.Misconfigured {
		return nil, fault.E(fault.NotFound, "this connector has no such version", err)
	}
	return k, err
}

func allowed(p access.Principal, a access.Action) error {
	if p.May(a) {
		return nil
	}
	return fault.E(fault.Forbidden, "this key lacks the scope "+string(a), nil).WithCode("scope-missing")
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
