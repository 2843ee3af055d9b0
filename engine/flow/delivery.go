package flow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// Some providers hand over a key from server to server and then send the browser back. What is posted is
// found by its state and kept sealed in the flow, and nothing is made of it before the browser that the
// flow is bound to has come back as well: whoever posts does not thereby connect anything for anybody.
// The browser may be the quicker of the two; then its page waits.
const (
	stepDelivered = "delivered" // the server has posted, the browser is not back yet
	stepAwaiting  = "awaiting"  // the browser is back, the server has not posted yet
	stepReturned  = "returned"  // both are there; the browser's next question goes on
)

// Posted is a body that a provider's server has posted.
type Posted struct {
	MediaType string
	Body      []byte
}

// ErrNotAwaited is in the chain of the error for a post that belongs to a flow which awaits none.
var ErrNotAwaited = errors.New("the flow awaits no post of a server")

// errMoved ends an update of a flow that another request has moved on meanwhile.
var errMoved = errors.New("the flow has moved on")

// deliveries bounds how often a post is tried against a flow that moves meanwhile, and pause is between.
const (
	deliveries = 5
	pause      = 200 * time.Millisecond
)

// Deliver takes what a provider's server posts. The first post counts; the same once more is taken for a
// repetition, and another one is refused. The server learns nothing about the flow.
func (s *Service) Deliver(ctx context.Context, in Posted) error {
	told, err := auth.ReadPost(in.MediaType, in.Body)
	if err != nil {
		return fault.E(fault.Invalid, "what was posted cannot be read", err)
	}
	for range deliveries {
		if err = s.deliver(ctx, told, in); !errors.Is(err, errMoved) {
			return err
		}
		// The browser is back just now: what it brings is looked at, or it is let wait.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	return expired()
}

func (s *Service) deliver(ctx context.Context, told map[string]any, in Posted) error {
	f, err := s.find(ctx, textsIn(told))
	if err != nil {
		return err
	}
	if err := s.awaits(ctx, f); err != nil {
		return err
	}
	switch {
	case !time.Now().Before(f.ExpiresAt):
		return expired()
	case f.Status == storage.FlowTaken:
		return errMoved
	case f.Status != storage.FlowPending:
		return expired()
	}
	var state pendingState
	if err := s.Vault.Open(ctx, f.Ref, f.Pending, &state); err != nil {
		return err
	}
	if state.Posted != nil {
		if sameDelivery(*state.Posted, in) {
			return nil
		}
		return fault.E(fault.Conflict, "something else was posted before", nil)
	}
	state.Posted = &in
	sealed, err := s.Vault.Seal(ctx, f.Ref, state)
	if err != nil {
		return err
	}
	_, err = s.Store.UpdateFlow(ctx, f.Ref, func(now *storage.Flow) error {
		if now.Status != storage.FlowPending || !bytes.Equal(now.Pending, f.Pending) {
			return errMoved
		}
		now.Pending = sealed
		if now.Step == stepAwaiting {
			now.Step = stepReturned
		} else {
			now.Step = stepDelivered
		}
		return nil
	})
	return err
}

// awaits refuses a post to a flow whose definition says nothing of one.
func (s *Service) awaits(ctx context.Context, f storage.Flow) error {
	k, err := s.Vault.Catalog.Version(ctx, f.Tenant, f.Connector, f.ConnectorVersion)
	if err != nil {
		return err
	}
	if a := k.Method(f.Auth); a == nil || a.Callback.From != definition.FromPost {
		return fault.E(fault.Invalid, "the answer came by POST, which this connector does not ask for", ErrNotAwaited).WithCode("callback-method")
	}
	return nil
}

// textsIn are the texts at the top of what was posted, among which the state is.
func textsIn(told map[string]any) url.Values {
	out := url.Values{}
	for name, v := range told {
		if text, ok := v.(string); ok {
			out.Set(name, text)
		}
	}
	return out
}

func sameDelivery(a, b Posted) bool {
	return a.MediaType == b.MediaType && hash(string(a.Body)) == hash(string(b.Body))
}

// await lets the browser, which is back, wait for the post. The state stays good until that has come,
// because the server is found by it; the same browser may come back once more and waits again.
func (s *Service) await(ctx context.Context, f storage.Flow, state pendingState, query url.Values) (Progress, error) {
	state.Returned = query
	sealed, err := s.Vault.Seal(ctx, f.Ref, state)
	if err != nil {
		return Progress{}, err
	}
	f, err = s.Store.UpdateFlow(ctx, f.Ref, func(f *storage.Flow) error {
		f.Status, f.Step, f.Pending = storage.FlowPending, stepAwaiting, sealed
		return nil
	})
	if err != nil {
		return Progress{}, fmt.Errorf("let the flow wait: %w", err)
	}
	p := about(f)
	p.Working, p.Handing = true, true
	return p, nil
}

// collect goes on with a flow for which both the browser and the post have come. Of any number of
// questions one does.
func (s *Service) collect(ctx context.Context, f storage.Flow) (Progress, error) {
	p := about(f)
	p.Working = true
	f, err := s.Store.TakeFlow(ctx, f.StateHash, time.Now())
	if fault.KindOf(err) == fault.NotFound {
		return p, nil
	}
	if err != nil {
		return Progress{}, fmt.Errorf("take flow: %w", err)
	}
	m, r, state, err := s.resume(ctx, f)
	if err != nil {
		return s.fail(ctx, f, nil, err)
	}
	return s.complete(ctx, f, m, r, state, state.Returned)
}
