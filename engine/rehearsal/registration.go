package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// document is what the engine publishes about itself; nothing else can be fetched.
func (s *stage) document(_ context.Context, address string) ([]byte, error) {
	if address != s.engine.Flows.ClientURL {
		return nil, errors.New("there is nothing at this address")
	}
	return json.Marshal(s.engine.Flows.ClientDocument())
}

// registration has several people connect at once, which must register one app at most, and then has the
// provider forget it: whoever connects next must get another.
func (p *play) registration(ctx context.Context) (bool, error) {
	r := p.a.Registration
	if r == nil {
		return false, nil
	}
	before := p.simulator.Stats(p.k.ID).Registered
	if err := p.together(ctx); err != nil {
		return true, err
	}
	if made := p.simulator.Stats(p.k.ID).Registered - before; made > 0 {
		return true, fmt.Errorf("although an app is there, people who connected at once registered %d", made)
	}
	p.simulator.Forget(p.k.ID)
	if r.Mode != definition.RegisterDynamic {
		return true, nil // the provider reads our document again
	}
	_, err := p.engine.Connections.Refresh(ctx, p.operator, p.id)
	if kind := fault.KindOf(err); kind != fault.Misconfigured && kind != fault.NeedsReauth {
		return true, fmt.Errorf("a provider that has forgotten the app answers a refresh with %w, want the app refused", orSuccess(err))
	}
	if err := p.together(ctx); err != nil {
		return true, fmt.Errorf("after the provider has forgotten the app: %w", err)
	}
	if made := p.simulator.Stats(p.k.ID).Registered - before; made != 1 {
		return true, fmt.Errorf("after the provider has forgotten the app, people who connected at once registered %d, want 1", made)
	}
	view, err := p.connected(ctx, ana)
	p.id = view.ID
	return true, err
}

// together has several people connect at once.
func (p *play) together(ctx context.Context) error {
	const people = 4
	errs := make([]error, people)
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() { _, errs[i] = p.connected(ctx, ben) })
	}
	all.Wait()
	return errors.Join(errs...)
}
