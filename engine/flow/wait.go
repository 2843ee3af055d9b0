package flow

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"dowel/engine/auth"
	"dowel/engine/storage"
)

// Waiting is what a person has to do elsewhere: enter Code at URL.
type Waiting struct {
	URL, Code string
	// CompleteURL has the code in it, for a camera to read; empty if the provider has no such address.
	CompleteURL string
	ExpiresAt   time.Time
	// Interval is how often it makes sense to ask where the flow stands.
	Interval time.Duration
}

// codeExpired is the code of a failure: what the person was to enter was not entered in time.
const codeExpired = "code-expired"

// beginWaiting keeps what is needed to ask the provider what the person has done.
func (s *Service) beginWaiting(ctx context.Context, f storage.Flow, state pendingState, w auth.Wait) (Progress, error) {
	f.Step, f.ExpiresAt, f.PollAt = "wait", w.ExpiresAt, next(w)
	state.Wait = w
	if err := s.create(ctx, &f, state); err != nil {
		return Progress{}, err
	}
	p := about(f)
	p.Wait = waiting(w)
	return p, nil
}

// next is when the provider may be asked after it has answered just now.
func next(w auth.Wait) time.Time {
	return time.Now().Add(w.Interval).UTC().Truncate(time.Millisecond).Add(time.Millisecond)
}

func waiting(w auth.Wait) *Waiting {
	return &Waiting{
		URL: text(w.URL), CompleteURL: text(w.CompleteURL), Code: w.Code, ExpiresAt: w.ExpiresAt, Interval: w.Interval,
	}
}

func text(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}

// pollTime is for how long one instance may ask the provider; longer than any request at the doors.
// Should it die meanwhile, another one asks after that.
const pollTime = time.Minute

// poll asks the provider if it is time to and nobody else does, and says where the flow stands then.
func (s *Service) poll(ctx context.Context, f storage.Flow, p Progress) (Progress, error) {
	f, mine, err := s.claim(ctx, f)
	if err != nil {
		return Progress{}, err
	}
	if !mine {
		return s.toldBefore(ctx, f, p)
	}
	m, r, state, err := s.resume(ctx, f)
	if err != nil {
		return s.settle(ctx, f, p, func(f storage.Flow) (Progress, error) { return s.fail(ctx, f, nil, err) })
	}
	poller, ok := m.(auth.Poller)
	if !ok {
		return Progress{}, fmt.Errorf("a flow of kind %s waits, and the kind cannot be polled", r.Auth.Kind)
	}
	step, err := poller.Poll(ctx, r, state.Method, state.Wait)
	if err != nil {
		return s.settle(ctx, f, p, func(f storage.Flow) (Progress, error) { return s.fail(ctx, f, &r, err) })
	}
	switch step := step.(type) {
	case auth.Wait:
		return s.waitOn(ctx, f, p, state, step)
	case auth.Done:
		return s.settle(ctx, f, p, func(f storage.Flow) (Progress, error) { return s.advance(ctx, f, m, r, state, step) })
	}
	return Progress{}, fmt.Errorf("step %T is not known here", step)
}

// errNotOurs ends an update of a flow that another request has moved on.
var errNotOurs = errors.New("the flow has moved on")

// claim takes the right to ask the provider, if it is time to. It returns the flow as it stands.
func (s *Service) claim(ctx context.Context, f storage.Flow) (_ storage.Flow, mine bool, err error) {
	if time.Now().Before(f.PollAt) {
		return f, false, nil
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	claimed, err := s.Store.UpdateFlow(ctx, f.Ref, func(f *storage.Flow) error {
		if f.Status != storage.FlowPending || f.Step != "wait" || now.Before(f.PollAt) {
			return errNotOurs
		}
		f.PollAt = now.Add(pollTime)
		return nil
	})
	if errors.Is(err, errNotOurs) {
		return f, false, nil
	}
	return claimed, err == nil, err
}

// toldBefore says what the person has to do, without asking the provider.
func (s *Service) toldBefore(ctx context.Context, f storage.Flow, p Progress) (Progress, error) {
	var state pendingState
	if err := s.Vault.Open(ctx, f.Ref, f.Pending, &state); err != nil {
		return Progress{}, err
	}
	p.Wait = waiting(state.Wait)
	return p, nil
}

// waitOn gives the claim back until the provider may be asked again.
func (s *Service) waitOn(ctx context.Context, f storage.Flow, p Progress, state pendingState, w auth.Wait) (Progress, error) {
	state.Wait, p.Wait = w, waiting(w)
	sealed, err := s.Vault.Seal(context.WithoutCancel(ctx), f.Ref, state)
	if err != nil {
		return Progress{}, err
	}
	// A request that took too long for its caller gives the claim back all the same.
	_, err = s.Store.UpdateFlow(context.WithoutCancel(ctx), f.Ref, func(now *storage.Flow) error {
		if !claimedAs(now, f) {
			return errNotOurs
		}
		now.PollAt, now.Pending = next(w), sealed
		return nil
	})
	if errors.Is(err, errNotOurs) {
		return p, nil // cancelled meanwhile; the next poll says so
	}
	return p, err
}

// settle ends the waiting and does what comes after it, unless the flow is somebody else's by now.
func (s *Service) settle(ctx context.Context, f storage.Flow, p Progress, then func(storage.Flow) (Progress, error)) (Progress, error) {
	taken, err := s.Store.UpdateFlow(context.WithoutCancel(ctx), f.Ref, func(now *storage.Flow) error {
		if !claimedAs(now, f) {
			return errNotOurs
		}
		now.Status = storage.FlowTaken
		return nil
	})
	if errors.Is(err, errNotOurs) {
		p.Working = true
		return p, nil
	}
	if err != nil {
		return Progress{}, err
	}
	return then(taken)
}

// claimedAs reports whether a flow is still claimed as it was.
func claimedAs(now *storage.Flow, f storage.Flow) bool {
	return now.Status == storage.FlowPending && now.Step == "wait" && now.PollAt.Equal(f.PollAt)
}
