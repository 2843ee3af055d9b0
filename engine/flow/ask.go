package flow

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"dowel/engine/access"
	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// ask keeps the credential sealed in the flow and puts a question to the person.
func (s *Service) ask(ctx context.Context, f storage.Flow, state pendingState, c auth.Credential) (Progress, error) {
	b, err := c.Encode()
	if err != nil {
		return Progress{}, err
	}
	state.Credential = b
	sealed, err := s.Vault.Seal(ctx, f.Ref, state)
	if err != nil {
		return Progress{}, err
	}
	f, err = s.Store.UpdateFlow(ctx, f.Ref, func(f *storage.Flow) error {
		f.Status, f.Step, f.Pending = storage.FlowPending, "form", sealed
		f.StateHash = hash(rand.Text()) // the state in the callback has counted; it must not count again
		f.ExpiresAt = time.Now().UTC().Truncate(time.Millisecond).Add(10 * time.Minute)
		return nil
	})
	if err != nil {
		return Progress{}, err
	}
	p := about(f)
	p.Ask, err = s.question(ctx, f, state)
	return p, err
}

// about says of a flow what holds wherever it stands.
func about(f storage.Flow) Progress {
	return Progress{
		Flow: f.ID, Tenant: f.Tenant, Session: f.Session, Status: f.Status, Connector: f.Connector,
		ReturnURL: f.ReturnURL, OpenerOrigin: f.OpenerOrigin,
	}
}

func (s *Service) question(ctx context.Context, f storage.Flow, state pendingState) (*Question, error) {
	switch state.Ask {
	case "account":
		return &Question{Kind: "account", Got: Label(state.Identity), Options: []Option{
			{"retry", ""}, {"new", ""}, {"cancel", ""},
		}}, nil
	case "unverified":
		return &Question{Kind: "unverified", Why: state.Why, Options: []Option{{"save", ""}, {"cancel", ""}}}, nil
	}
	k, err := s.Vault.Catalog.Version(ctx, f.Tenant, f.Connector, f.ConnectorVersion)
	if err != nil {
		return nil, err
	}
	ch := k.ChoicesFor(k.Method(f.Auth))[state.Chosen]
	q := &Question{Kind: "choice", Label: ch.Label, Help: ch.Help}
	for _, o := range state.Options {
		q.Options = append(q.Options, Option{o.Value, o.Name})
	}
	return q, nil
}

// Answer takes the person's answer to the open question.
func (s *Service) Answer(ctx context.Context, p access.Principal, id, browser, value string) (Progress, error) {
	f, err := s.mine(ctx, p, id, browser)
	if err != nil {
		return Progress{}, err
	}
	return s.answer(ctx, f, value)
}

func (s *Service) answer(ctx context.Context, f storage.Flow, value string) (Progress, error) {
	if f.Status != storage.FlowPending || f.Step != "form" {
		return s.stands(ctx, f)
	}
	// Taken like a callback: of two answers one goes on.
	f, err := s.Store.TakeFlow(ctx, f.StateHash, time.Now())
	if err != nil {
		return Progress{}, expired()
	}
	m, req, state, err := s.resume(ctx, f)
	if err != nil {
		return s.fail(ctx, f, nil, err)
	}
	c, err := auth.DecodeCredential(state.Credential)
	if err != nil {
		return s.fail(ctx, f, &req, err)
	}
	switch state.Ask {
	case "account":
		return s.answerAccount(ctx, f, req, state, c, value)
	case "unverified":
		if value != "save" {
			return s.fail(ctx, f, &req, fault.E(fault.Refused, "the connection was not made", nil).WithCode("cancelled"))
		}
		state.Ask, state.Why, state.AcceptUnverified = "", nil, true
		return s.advance(ctx, f, m, req, state, auth.Done{Credential: c})
	}
	i := slices.IndexFunc(state.Options, func(o auth.Option) bool { return o.Value == value })
	if i < 0 {
		return s.ask(ctx, f, state, c)
	}
	state.Captured = merge(state.Captured, state.Options[i].Captured)
	state.Chosen++
	state.Options, state.Ask = nil, ""
	req.Captured = state.Captured
	return s.choose(ctx, f, m, req, state, c)
}

// answerAccount goes on after another account than the expected one was connected.
func (s *Service) answerAccount(ctx context.Context, f storage.Flow, r auth.Request, state pendingState, c auth.Credential, value string) (Progress, error) {
	if value != "new" {
		return s.fail(ctx, f, &r, fault.E(fault.Refused, "the other account was not connected", nil).WithCode("wrong-account"))
	}
	f, err := s.Store.UpdateFlow(ctx, f.Ref, func(f *storage.Flow) error {
		f.Target = ""
		return nil
	})
	if err != nil {
		return Progress{}, err
	}
	state.Ask = ""
	return s.finish(ctx, f, r, state, c)
}

// Poll says where a flow stands. It answers only the browser that began it. Of a person who acts
// elsewhere it asks the provider first, if it is time to.
func (s *Service) Poll(ctx context.Context, who access.Principal, id, browser string) (Progress, error) {
	f, err := s.mine(ctx, who, id, browser)
	if err != nil {
		return Progress{}, err
	}
	return s.stands(ctx, f)
}

// stands says where f stands.
func (s *Service) stands(ctx context.Context, f storage.Flow) (Progress, error) {
	p := about(f)
	p.Result, p.Warnings = f.Result, f.Warnings
	switch {
	case f.Status == storage.FlowDone:
		p.Label = f.Message
	case f.Status == storage.FlowFailed:
		p.Failure = &Failure{Code: f.Code, Message: f.Message, Provider: f.Provider, Reference: f.Reference}
		if k, err := s.Vault.Catalog.Current(ctx, f.Tenant, f.Connector); err == nil {
			p.Failure.help(k, f.ProviderCode)
		}
	case time.Now().After(f.ExpiresAt):
		p.Status, p.Failure = storage.FlowFailed, outOfTime(f)
	case f.Status == storage.FlowTaken:
		p.Status, p.Working = storage.FlowPending, true
	case f.Step == stepAwaiting:
		p.Working, p.Handing = true, true
	case f.Step == stepReturned:
		return s.collect(ctx, f)
	case f.Step == "form":
		return s.askAgain(ctx, f, p)
	case f.Step == "wait":
		return s.poll(ctx, f, p)
	}
	return p, nil
}

// outOfTime tells why a flow has ended that nobody has ended.
func outOfTime(f storage.Flow) *Failure {
	if f.Step == "wait" {
		return &Failure{Code: codeExpired, Message: "the code was not entered in time"}
	}
	return &Failure{Code: "state-expired", Message: fault.Public(expired())}
}

func (s *Service) askAgain(ctx context.Context, f storage.Flow, p Progress) (Progress, error) {
	var state pendingState
	if err := s.Vault.Open(ctx, f.Ref, f.Pending, &state); err != nil {
		return Progress{}, err
	}
	q, err := s.question(ctx, f, state)
	p.Ask = q
	return p, err
}

// Cancel ends a pending flow at the person's wish.
func (s *Service) Cancel(ctx context.Context, p access.Principal, id, browser string) error {
	f, err := s.mine(ctx, p, id, browser)
	if err != nil {
		return err
	}
	_, err = s.Store.UpdateFlow(ctx, f.Ref, func(f *storage.Flow) error {
		if f.Status == storage.FlowPending {
			f.Status, f.Code, f.Message, f.Pending = storage.FlowFailed, "cancelled", "the connection was not made", nil
		}
		return nil
	})
	return err
}

// mine reads a flow for the browser that began it; for any other it does not exist.
func (s *Service) mine(ctx context.Context, p access.Principal, id, browser string) (storage.Flow, error) {
	f, err := s.Store.Flow(ctx, storage.Ref{Tenant: p.Tenant, ID: id})
	if err != nil {
		return storage.Flow{}, err
	}
	if !sameBrowser(f, browser) {
		return storage.Flow{}, fault.E(fault.NotFound, "there is no such flow", nil)
	}
	return f, nil
}

// Label is how people know an account: its e-mail address, name or subject.
func Label(id auth.Identity) string {
	for _, s := range []string{id.Email, id.Name, id.Username, id.Subject} {
		if s != "" {
			return s
		}
	}
	return ""
}
