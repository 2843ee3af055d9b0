package rehearsal

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/engine/simulator"
	"dowel/engine/storage"
)

// failed reports why a flow that must come to nothing did not fail with one of the codes.
func failed(at flow.Progress, err error, codes ...string) error {
	switch {
	case err != nil:
		return err
	case at.Status != storage.FlowFailed:
		return fmt.Errorf("the flow is %s; want it failed with %s", at.Status, codes[0])
	case !slices.Contains(codes, at.Failure.Code):
		return fmt.Errorf("the flow failed with another code than %s: %s", codes[0], told(at))
	}
	return nil
}

// denial has the person say no.
func (p *play) denial(ctx context.Context) (bool, error) {
	if p.a.Authorize == nil && p.a.Device == nil {
		return false, nil
	}
	at, err := p.connect(ctx, p.answers, ben, "deny")
	return true, failed(at, err, "denied")
}

// forgery brings a callback that somebody has changed on the way, where the provider signs it.
func (p *play) forgery(ctx context.Context) (bool, error) {
	v := p.a.Callback.Verify
	if v == nil {
		return false, nil
	}
	for what, forge := range map[string]func(url.Values){
		"another parameter": func(q url.Values) { q.Set("simulated_forgery", "yes") },
		"another signature": func(q url.Values) { q.Set(v.Param(), swapped(q.Get(v.Param()))) },
		"no signature":      func(q url.Values) { q.Del(v.Param()) },
	} {
		if what == "another parameter" && (v.HMAC == nil || v.HMAC.Over.Source != definition.OverSortedQuery) {
			continue // not all of them are signed
		}
		p.onTheWay = forge
		at, err := p.connect(ctx, p.answers, ben, "allow")
		p.onTheWay = nil
		if err := failed(at, err, "callback-unverified"); err != nil {
			return true, fmt.Errorf("with %s: %w", what, err)
		}
	}
	return true, nil
}

// anothers brings a callback that names something of somebody else, where the provider is asked whether it
// is the person's.
func (p *play) anothers(ctx context.Context) (bool, error) {
	for _, name := range p.a.ConfirmedNames() {
		p.onTheWay = func(q url.Values) { q.Set(name, neighbour(q.Get(name))) }
		at, err := p.connect(ctx, p.answers, ben, "allow")
		p.onTheWay = nil
		if err := failed(at, err, "callback-unconfirmed"); err != nil {
			return true, fmt.Errorf("with another %s: %w", name, err)
		}
	}
	return len(p.a.Callback.Confirm) > 0, nil
}

// neighbour is a text of the same form that ends in another letter or figure.
func neighbour(s string) string {
	if s == "" {
		return "1"
	}
	last := byte('1')
	if s[len(s)-1] == last {
		last = '2'
	}
	return s[:len(s)-1] + string(last)
}

// swapped is a text of the same form with two characters changed.
func swapped(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case 'a':
			return 'b'
		case 'b':
			return 'a'
		}
		return r
	}, s) + "ab"
}

// showsSecret reports whether a request of a carries the app's secret.
func showsSecret(a *definition.Auth) bool {
	pushed := a.Authorize != nil && a.Authorize.PAR != nil && a.PushAuth() != definition.ClientAuthNone
	return pushed || a.Token != nil && a.Token.ClientAuth != definition.ClientAuthNone || a.Device != nil && a.Device.ClientAuth != definition.ClientAuthNone
}

// wrongSecret connects with an app secret or a typed secret that is not right.
func (p *play) wrongSecret(ctx context.Context) (bool, error) {
	answers := p.answers
	secret := p.app && p.a.AsksSecret()
	switch {
	case p.app && p.a.Signature != nil && p.a.Signature.Method == "RSA-SHA1":
		// The provider's app gets another key.
		p.simulator.RegisterFields(p.k.ID, clientID, p.strangeAppKeys())
		defer p.showApp()
		secret = true
	case secret && !showsSecret(p.a), p.app && p.a.Token != nil && !secret:
		return false, nil // the app has no secret, or none that is shown to anybody
	case secret:
		// The provider's app gets another secret; ours is then the wrong one.
		p.simulator.Register(p.k.ID, clientID, "another secret", publicURL+"/callback")
		defer p.simulator.Register(p.k.ID, clientID, clientSecret, publicURL+"/callback")
	case p.holds(ofPerson):
		return false, nil // see wrongKey
	case p.a.Registration != nil:
		return false, nil // what was typed has registered the app already
	case !issuedByRequest(p.a) && !p.k.Testable(p.a):
		return false, nil // nobody would notice
	default:
		var ok bool
		if answers, ok = spoilt(p.answers, p.k.Inputs, p.a.Fields); !ok {
			return false, nil
		}
	}
	at, err := p.connect(ctx, answers, ana, "allow")
	if secret {
		return true, failed(at, err, "app-misconfigured", "callback-unverified")
	}
	return true, failed(at, err, "invalid-key", "app-misconfigured", "provider-error")
}

// wrongPassword has the person mistype the password that is traded for a token: they must learn that it is
// theirs to mend.
func (p *play) wrongPassword(ctx context.Context) (bool, error) {
	if p.a.Kind != definition.Password {
		return false, nil
	}
	answers, ok := spoilt(p.answers, p.k.Inputs, p.a.Fields)
	if !ok {
		return false, nil
	}
	at, err := p.connect(ctx, answers, ana, "allow")
	return true, failed(at, err, "invalid-key")
}

// strangeAppKeys are the app's answers with other keys in them.
func (p *play) strangeAppKeys() map[string]string {
	out := maps.Clone(p.appAnswers)
	for _, f := range p.a.AppFields {
		if f.Format == "pem" || f.Format == "key" {
			out[f.Name] = strangeKey()
		}
	}
	return out
}

// providerError has the provider fail while connecting, and while a credential is renewed: neither may
// cost the person anything.
func (p *play) providerError(ctx context.Context) (bool, error) {
	on := "token"
	if !issuedByRequest(p.a) {
		if !p.k.Testable(p.a) {
			return false, nil // it is never asked
		}
		on = "api"
	}
	if p.a.Device != nil {
		if err := p.failsWhilePolled(ctx); err != nil {
			return true, err
		}
		on = "device"
	}
	fail := simulator.Fault{On: on, Kind: simulator.FaultStatus, Status: http.StatusInternalServerError}
	p.simulator.Set(p.k.ID, fail)
	at, err := p.connect(ctx, p.answers, ben, "allow")
	if err == nil && p.a.Authorize != nil && on == "api" {
		// What a person has allowed is kept, and marked as not checked.
		if at.Status != storage.FlowDone || !slices.Contains(at.Warnings, "unverified") {
			err = fmt.Errorf("what was allowed is not kept as unverified: %s", told(at))
		}
	} else if err == nil && at.Ask != nil {
		// A typed credential is not thrown away because the provider is down.
		at, err = p.engine.Flows.Answer(ctx, p.operator, at.Flow, browser, "cancel")
		err = failed(at, err, "cancelled")
	} else {
		err = failed(at, err, "provider-down")
	}
	if err != nil {
		return true, fmt.Errorf("while connecting: %w", err)
	}
	_, _, cred, err := p.opened(ctx)
	if err != nil || !cred.Renewable(p.a) {
		return true, err
	}
	fail.On = "token"
	p.simulator.Set(p.k.ID, fail)
	_, err = p.engine.Connections.Refresh(ctx, p.operator, p.id)
	if kind := fault.KindOf(err); kind != fault.Unavailable {
		return true, fmt.Errorf("a refresh that the provider answers with status 500 is taken for %v, want %v: %w", kind, fault.Unavailable, orSuccess(err))
	}
	if err := p.stands(ctx, connection.Active); err != nil {
		return true, fmt.Errorf("after an error of the provider %w", err)
	}
	p.simulator.Set(p.k.ID)
	return true, p.accepted(ctx) // the old token is as good as before
}
