package flow

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"time"

	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// Way is how an answer of a provider has come.
type Way string

// The ways.
const (
	ByQuery    Way = "query"     // in the address the browser was sent to
	ByFormPost Way = "form_post" // in a form the browser posted (OAuth 2.0 Form Post Response Mode)
	ByFragment Way = "fragment"  // in the fragment of the address, which our page has posted
)

// Arrival is a browser that comes back from a provider.
type Arrival struct {
	Query url.Values
	By    Way
	// Browser is the text of the cookie that binds the flow.
	Browser string
}

// Callback takes the provider's answer. The state is taken from the store before anything else
// happens, so of any number of callbacks one goes on; unknown, used and expired are answered alike.
//
// A browser that did not begin takes nothing: whoever sends somebody else's answer to it, by mistake or
// not, does not end the flow of the person who began (but see elsewhere). It fails with fault.Forbidden
// and the code "browser-mismatch".
func (s *Service) Callback(ctx context.Context, in Arrival) (Progress, error) {
	f, err := s.find(ctx, in.Query)
	if err != nil {
		return Progress{}, err
	}
	if !sameBrowser(f, in.Browser) {
		return Progress{}, s.elsewhere(ctx, f)
	}
	if f, err = s.take(ctx, f); err != nil {
		return Progress{}, err
	}
	m, r, state, err := s.resume(ctx, f)
	if err != nil {
		return s.fail(ctx, f, nil, err)
	}
	if !comesBy(r.Auth, in.By) {
		return s.fail(ctx, f, &r, fault.E(fault.Invalid, "the answer came in a way that this connector does not ask for", nil).WithCode("callback-method"))
	}
	return s.complete(ctx, f, m, r, state, in.Query)
}

// comesBy reports whether a provider answers in this way.
func comesBy(a *definition.Auth, by Way) bool {
	switch by {
	case ByFormPost:
		return a.Callback.FormPost
	case ByFragment:
		return a.Callback.From == definition.FromFragment
	}
	return a.Callback.From != definition.FromFragment
}

// complete makes a credential of what the browser, and perhaps the provider's server, has brought.
func (s *Service) complete(ctx context.Context, f storage.Flow, m auth.Method, r auth.Request, state pendingState, query url.Values) (Progress, error) {
	a := auth.Answer{Query: query}
	if p := state.Posted; p != nil {
		var err error
		if a.Posted, err = auth.ReadPost(p.MediaType, p.Body); err != nil {
			return s.fail(ctx, f, &r, err)
		}
	}
	step, err := m.Complete(ctx, r, state.Method, a)
	if err != nil {
		return s.fail(ctx, f, &r, err)
	}
	switch step := step.(type) {
	case auth.Wait:
		return s.await(ctx, f, state, query)
	case auth.Done:
		return s.advance(ctx, f, m, r, state, step)
	}
	return s.fail(ctx, f, &r, fmt.Errorf("step %T is not known here", step))
}

// Expected says how the provider of the flow that an answer seems to belong to answers: before the answer
// counts, a page may have to be shown that can read it. Of an answer that belongs to none it is ByQuery.
func (s *Service) Expected(ctx context.Context, query url.Values) (Way, error) {
	f, err := s.find(ctx, query)
	if fault.KindOf(err) == fault.Gone {
		return ByQuery, nil
	}
	if err != nil {
		return "", err
	}
	k, err := s.Vault.Catalog.Version(ctx, f.Tenant, f.Connector, f.ConnectorVersion)
	if err != nil {
		return ByQuery, nil // whoever takes it is told what is wrong
	}
	if a := k.Method(f.Auth); a != nil && a.Callback.From == definition.FromFragment {
		return ByFragment, nil
	}
	return ByQuery, nil
}

// elsewhere refuses an answer that came to a browser the flow is not bound to. To that browser a flow
// that is over does not exist.
//
// Where the provider's server posts the key, the browser brings nothing: whoever began would get what the
// person at the other browser has allowed by merely coming back. Such a flow ends here.
func (s *Service) elsewhere(ctx context.Context, f storage.Flow) error {
	if f.Status != storage.FlowPending || !time.Now().Before(f.ExpiresAt) {
		return expired()
	}
	s.note(ctx, audit.New(audit.CallbackRefused, f.Tenant, f.ID, "unknown", map[string]string{"reason": "another browser"}))
	refused := fault.E(fault.Forbidden, "this connection was begun in another browser", nil).WithCode("browser-mismatch")
	k, err := s.Vault.Catalog.Version(ctx, f.Tenant, f.Connector, f.ConnectorVersion)
	if err != nil {
		return refused // it leads to nothing anyway
	}
	if a := k.Method(f.Auth); a != nil && a.Callback.From == definition.FromPost {
		if f, err = s.take(ctx, f); err != nil {
			return err
		}
		if _, err := s.fail(ctx, f, nil, refused); err != nil {
			return err
		}
	}
	return refused
}

// take takes a flow that was found. What binds it to its browser never changes, so what was found out
// before holds.
func (s *Service) take(ctx context.Context, found storage.Flow) (storage.Flow, error) {
	f, err := s.Store.TakeFlow(ctx, found.StateHash, time.Now())
	if fault.KindOf(err) == fault.NotFound {
		return storage.Flow{}, expired()
	}
	if err != nil {
		return storage.Flow{}, fmt.Errorf("take flow: %w", err)
	}
	return f, nil
}

// find reads the flow that an answer belongs to. Whose answer it is, and so under which name the state
// comes, is known only when the flow is: a state is recognized by its form first.
func (s *Service) find(ctx context.Context, query url.Values) (storage.Flow, error) {
	for _, name := range states(query) {
		f, err := s.Store.FlowByState(ctx, hash(query.Get(name)))
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return storage.Flow{}, fmt.Errorf("find flow: %w", err)
		}
		k, err := s.Vault.Catalog.Version(ctx, f.Tenant, f.Connector, f.ConnectorVersion)
		if err != nil {
			return f, nil // whoever takes it is told what is wrong
		}
		if a := k.Method(f.Auth); a != nil && a.StateName() != name {
			continue
		}
		return f, nil
	}
	return storage.Flow{}, expired()
}

// stateForm is what our states look like; see auth.
var stateForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// maxStates bounds how many parameters of one answer are looked up.
const maxStates = 4

// states names the parameters that may hold a state, the usual one first. One that is there twice may
// not: which of the two counts must not be a matter of taste (RFC 6749 §3.1).
func states(query url.Values) []string {
	var out []string
	for name, v := range query {
		if len(v) == 1 && stateForm.MatchString(v[0]) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	if i := slices.Index(out, usualState); i > 0 {
		out = slices.Insert(slices.Delete(out, i, i+1), 0, usualState)
	}
	return out[:min(len(out), maxStates)]
}

const usualState = "state"

// TheState returns what an answer says is its state, or nothing.
func TheState(query url.Values) string {
	if names := states(query); len(names) > 0 {
		return query.Get(names[0])
	}
	return ""
}

func expired() error {
	return fault.E(fault.Gone, "this link was used already or is older than 10 minutes", nil).WithCode("state-expired")
}
