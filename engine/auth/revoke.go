package auth

import (
	"context"
	"errors"

	"dowel/engine/fault"
)

// ErrNoRevoke is in the chain of what Revoke returns when the definition knows no way to tell the
// provider; its kind is fault.NotFound and nothing was sent.
var ErrNoRevoke = errors.New("the definition has no revoke request")

// revoke makes the definition's revoke request. RFC 7009 §2.2 answers 200 for a token that is no
// longer known; providers that answer with an error there have it reported as one.
func revoke(ctx context.Context, m Method, r Request, c Credential) error {
	if r.Auth.Revoke == nil || r.unpublishedRequest(r.Auth.Revoke) {
		return fault.E(fault.NotFound, r.Connector.Name+" offers no way to give access back", ErrNoRevoke)
	}
	_, err := Call(ctx, m, r, r.Auth.Revoke, c, nil)
	return err
}
