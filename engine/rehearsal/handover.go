package rehearsal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/engine/storage"
)

// mailbox takes what servers of providers post to the callback. What is for a state that is held stays
// there.
type mailbox struct {
	mu   sync.Mutex
	held map[string][]flow.Posted // by state
}

func (m *mailbox) hold(state string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held[state] = nil
}

func (m *mailbox) release(state string) []flow.Posted {
	m.mu.Lock()
	defer m.mu.Unlock()
	posts := m.held[state]
	delete(m.held, state)
	return posts
}

// keep keeps a post that holds the state of a flow which is held.
func (m *mailbox) keep(in flow.Posted) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for state, posts := range m.held {
		if bytes.Contains(in.Body, []byte(state)) {
			m.held[state] = append(posts, in)
			return true
		}
	}
	return false
}

// posted brings to the engine what the server of a provider posts.
func (s *stage) posted(ctx context.Context, address, contentType string, body []byte) (int, error) {
	in := flow.Posted{MediaType: contentType, Body: body}
	switch {
	case address != publicURL+"/callback":
		return http.StatusNotFound, nil
	case s.mail.keep(in):
		return http.StatusOK, nil
	}
	if err := s.engine.Flows.Deliver(ctx, in); err != nil {
		return 0, plainly(err)
	}
	return http.StatusOK, nil
}

// lateHandover has the browser come back before the provider's server has posted, and then posts once,
// once more, and something else.
func (p *play) lateHandover(ctx context.Context) (bool, error) {
	if p.a.Callback.From != definition.FromPost {
		return false, nil
	}
	at, err := p.start(ctx, p.answers)
	if err != nil {
		return true, plainly(err)
	}
	p.mail.hold(at.State)
	defer p.mail.release(at.State)
	back, err := p.visit(ctx, at.RedirectURL, ben, "allow")
	if err != nil {
		return true, plainly(err)
	}
	if back.Status != storage.FlowPending || !back.Working {
		return true, fmt.Errorf("the browser is back before the server has posted, and the flow does not wait: %s", told(back))
	}
	posts := p.mail.release(at.State)
	if len(posts) != 1 {
		return true, fmt.Errorf("the server posts %d times, want once", len(posts))
	}
	other := flow.Posted{MediaType: posts[0].MediaType, Body: bytes.Replace(posts[0].Body, []byte("{"), []byte(`{"simulated_forgery":1,`), 1)}
	for _, in := range []flow.Posted{posts[0], posts[0]} {
		if err := p.engine.Flows.Deliver(ctx, in); err != nil {
			return true, plainly(err)
		}
	}
	if err := p.engine.Flows.Deliver(ctx, other); fault.KindOf(err) != fault.Conflict {
		return true, fmt.Errorf("another post for the same state is answered with %w; want it refused", orSuccess(err))
	}
	end, err := p.engine.Flows.Poll(ctx, p.operator, at.Flow, browser)
	if err != nil {
		return true, plainly(err)
	}
	if end.Status != storage.FlowDone {
		return true, errors.New("not connected when both are there: " + told(end))
	}
	return true, nil
}
