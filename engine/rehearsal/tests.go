package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"dowel/engine/simulator"
)

// otherTests has the provider say of one test after the other that the credential lacks the right for
// it: the test that follows must do as well.
func (p *play) otherTests(ctx context.Context) (bool, error) {
	tests := p.k.TestsFor(p.a)
	for i := 1; i < len(tests); i++ {
		p.simulator.Set(p.k.ID, simulator.Fault{On: "api", Kind: simulator.FaultStatus, Status: http.StatusForbidden, Times: i})
		if err := p.accepted(ctx); err != nil {
			return true, fmt.Errorf("test %d in place of those before: %w", i+1, err)
		}
	}
	return len(tests) > 1, nil
}

// introspection checks that what the token answer has left open was asked for: when the token ends.
func (p *play) introspection(ctx context.Context) (bool, error) {
	if p.a.Introspect == nil {
		return false, nil
	}
	view, err := p.engine.Connections.Get(ctx, p.operator, p.id)
	if err == nil && view.ExpiresAt == nil {
		err = errors.New("the answer tells no end of the token where introspect.expires looks for it")
	}
	return true, err
}

// forgedIDToken has the provider's ID token spoilt in every way: nobody may be connected with one.
func (p *play) forgedIDToken(ctx context.Context) (bool, error) {
	if p.a.IDToken == nil {
		return false, nil
	}
	for _, how := range simulator.ForgedIDTokens {
		if how == "nonce" && p.a.Authorize == nil {
			continue // none was sent
		}
		p.simulator.Set(p.k.ID, simulator.Fault{Kind: simulator.FaultIDToken, Value: how})
		at, err := p.connect(ctx, p.answers, ben, "allow")
		if err := failed(at, err, "issuer-mismatch"); err != nil {
			return true, fmt.Errorf("with an ID token that is wrong in its %s: %w", how, err)
		}
	}
	return true, nil
}
