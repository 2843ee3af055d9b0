package connection

import (
	"context"

	"dowel/engine/access"
	"dowel/engine/auth"
)

// Explained is what one method of a connector sends.
type Explained = auth.Explained

// Explain returns the exact requests that the current version of a connector makes, method by method,
// with names in brackets where secrets and values of one connection will stand. Nothing is sent.
func (s *Service) Explain(ctx context.Context, p access.Principal, connector string) ([]Explained, error) {
	if err := allowed(p, access.ReadConnectors); err != nil {
		return nil, err
	}
	k, err := s.Vault.Catalog.Current(ctx, p.Tenant, connector)
	if err != nil {
		return nil, err
	}
	return auth.Explanation(s.Vault.Methods, k, s.Vault.RedirectURI), nil
}
