package flow

import (
	"context"

	"dowel/engine/access"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// Watch says where a flow stands to a program of its tenant, whoever began it. Of a person who acts
// elsewhere it asks the provider first, if it is time to.
func (s *Service) Watch(ctx context.Context, p access.Principal, id string) (Progress, error) {
	f, err := s.ofTenant(ctx, p, id)
	if err != nil {
		return Progress{}, err
	}
	return s.stands(ctx, f)
}

// Reply is Answer for a flow that a program began; what is asked in a browser is answered there.
func (s *Service) Reply(ctx context.Context, p access.Principal, id, value string) (Progress, error) {
	f, err := s.ofTenant(ctx, p, id)
	if err != nil {
		return Progress{}, err
	}
	if f.BrowserHash != "" {
		return Progress{}, fault.E(fault.Conflict, "the question is put to the person in their browser", nil).WithCode("session-opened")
	}
	return s.answer(ctx, f, value)
}

func (s *Service) ofTenant(ctx context.Context, p access.Principal, id string) (storage.Flow, error) {
	if !p.May(access.CreateConnectSession) {
		return storage.Flow{}, fault.E(fault.Forbidden, "this caller may not see connections being made", nil)
	}
	return s.Store.Flow(ctx, storage.Ref{Tenant: p.Tenant, ID: id})
}
