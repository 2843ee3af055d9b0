package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// resume opens what a taken flow needs to go on, with the definition version and app it began with.
func (s *Service) resume(ctx context.Context, f storage.Flow) (auth.Method, auth.Request, pendingState, error) {
	var state pendingState
	if err := s.Vault.Open(ctx, f.Ref, f.Pending, &state); err != nil {
		return nil, auth.Request{}, state, err
	}
	m, r, err := s.Vault.Request(ctx, storage.Connection{
		Ref: f.Ref, Connector: f.Connector, ConnectorVersion: f.ConnectorVersion, Auth: f.Auth, App: f.App,
		Inputs: state.Inputs, Captured: state.Captured, Discovered: state.Discovered,
	})
	if err != nil {
		return nil, auth.Request{}, state, err
	}
	r.Fields = auth.Values(state.Fields)
	return m, r, state, r.CheckApp()
}

// advance goes from a credential towards the record: scopes, test, identity, choices, finish.
func (s *Service) advance(ctx context.Context, f storage.Flow, m auth.Method, r auth.Request, state pendingState, done auth.Done) (Progress, error) {
	c := done.Credential
	state.Captured = merge(state.Captured, done.Captured)
	r.Captured = state.Captured
	if missing := lacking(r.RequiredScopes(), c.Scopes); len(missing) > 0 {
		return s.fail(ctx, f, &r, fault.E(fault.Refused, "access was allowed, but not to everything that is needed: "+missing[0], nil).WithCode("missing-scope"))
	}
	tested, err := s.check(ctx, m, &r, c, &state)
	if e := fault.As(err); e != nil && e.Code == "test-timeout" {
		// What was typed is not thrown away because the provider is down: the person may keep it.
		state.Ask, state.Why = "unverified", s.failure(f, r.Connector, err)
		return s.ask(ctx, f, state, c)
	}
	if err != nil {
		return s.fail(ctx, f, &r, err)
	}
	id, err := auth.Identify(ctx, m, r, c, tested)
	if fault.KindOf(err) == fault.Refused {
		return s.fail(ctx, f, &r, err)
	}
	if err != nil {
		s.Logger.Warn("read identity", "flow", f.ID, "connector", f.Connector, "err", err)
	}
	state.Identity = id
	return s.choose(ctx, f, m, r, state, c)
}

// check runs the definition's test. A provider that rejects the credential ends the flow. One that
// cannot be asked does not: what a person consented to is kept as unverified, and what was typed is
// too if the person said so.
func (s *Service) check(ctx context.Context, m auth.Method, r *auth.Request, c auth.Credential, state *pendingState) (*auth.Reply, error) {
	reply, err := auth.Test(ctx, m, *r, c)
	switch {
	case err == nil:
		state.Tested = true
		state.Captured = merge(state.Captured, reply.Captured)
		r.Captured = state.Captured
		return &reply, nil
	case errors.Is(err, auth.ErrNoTest):
		return nil, nil
	}
	kind := fault.KindOf(err)
	transient := kind == fault.Unavailable || kind == fault.Timeout || kind == fault.RateLimited
	if !transient {
		return nil, err
	}
	if r.Auth.Token == nil && r.Auth.Authorize == nil && !state.AcceptUnverified {
		return nil, fault.E(kind, r.Connector.Name+" could not be asked whether this works", err).WithCode("test-timeout")
	}
	state.Unverified = true
	return nil, nil
}

// choose asks the definition's questions, one after the other; a single option needs no question.
func (s *Service) choose(ctx context.Context, f storage.Flow, m auth.Method, r auth.Request, state pendingState, c auth.Credential) (Progress, error) {
	choices := r.Connector.ChoicesFor(r.Auth)
	for ; state.Chosen < len(choices); state.Chosen++ {
		ch := choices[state.Chosen]
		options, err := auth.Options(ctx, m, r, ch, c)
		if err != nil {
			return s.fail(ctx, f, &r, err)
		}
		if len(options) == 0 {
			return s.fail(ctx, f, &r, fault.E(fault.Refused, "there is nothing to choose from: this account has no "+ch.Label, nil).WithCode("nothing-to-choose"))
		}
		if len(options) > 1 {
			state.Ask, state.Options = "choice", options
			return s.ask(ctx, f, state, c)
		}
		state.Captured = merge(state.Captured, options[0].Captured)
		r.Captured = state.Captured
	}
	return s.finish(ctx, f, r, state, c)
}

func (s *Service) finish(ctx context.Context, f storage.Flow, r auth.Request, state pendingState, c auth.Credential) (Progress, error) {
	fin, ok := s.Finishers[f.Intent]
	if !ok {
		return s.fail(ctx, f, &r, fmt.Errorf("no finisher for intent %q", f.Intent))
	}
	out, err := fin.Finish(ctx, f, Result{
		Connector: r.Connector, Auth: r.Auth, Credential: c, Inputs: state.Inputs, Captured: state.Captured, Discovered: state.Discovered,
		Identity: state.Identity, Requested: state.Method.Requested, Unverified: state.Unverified, Tested: state.Tested,
	})
	if e := fault.As(err); e != nil && e.Code == "wrong-account" {
		state.Ask = "account"
		return s.ask(ctx, f, state, c)
	}
	if err != nil {
		return s.fail(ctx, f, &r, err)
	}
	_, err = s.Store.UpdateFlow(ctx, f.Ref, func(f *storage.Flow) error {
		f.Status, f.Result, f.Message, f.Pending = storage.FlowDone, out.ID, out.Label, nil
		f.Warnings = out.Warnings
		return nil
	})
	if err != nil {
		// The record is made; only the page that waits does not learn of it from the flow.
		s.Logger.Warn("note finished flow", "flow", f.ID, "err", err)
	}
	p := about(f)
	p.Status, p.Result, p.Label, p.Warnings = storage.FlowDone, out.ID, out.Label, out.Warnings
	return p, nil
}

// lacking lists what is wanted and not there; without a list of what is there, nothing is known to
// lack.
func lacking(want, have []string) []string {
	if len(have) == 0 {
		return nil
	}
	var out []string
	for _, w := range want {
		if !slices.Contains(have, w) {
			out = append(out, w)
		}
	}
	return out
}

func merge(a, b map[string]string) map[string]string {
	out := make(map[string]string, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		out[k] = v
	}
	return out
}
