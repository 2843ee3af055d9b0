package rehearsal

import (
	"context"
	"fmt"
	"slices"

	"dowel/engine/auth"
	"dowel/engine/connection"
	"dowel/engine/definition"
)

// The registration that every simulated provider knows. The odd characters are those that Basic, forms
// and queries give a meaning to; the secret is long enough to sign with (RFC 7518 §3.2).
const (
	clientID     = "rehearsal app:1"
	clientSecret = "s3cret/%+& of the app, and as long as the longest hash of a signature"
)

// AppAnswers answers what is asked about an app of a connector, for one method or (empty) for all, as an
// operator would whose answers are all good; issue gives out keys and certificates, as simulator.Issue.
func AppAnswers(k *definition.Connector, method string, issue func(a *definition.Auth) (string, error)) (map[string]*string, error) {
	out, err := Answers(appQuestions(k, method))
	if err != nil {
		return nil, err
	}
	for _, a := range k.Auth {
		if method != "" && a.ID != method || !holdsKeys(k, a) {
			continue
		}
		text, err := issue(a)
		if err != nil {
			return nil, err
		}
		if err := enter(out, k, a, text, ofApp); err != nil {
			return nil, err
		}
	}
	return given(out), nil
}

// appQuestions are the questions about an app for the method, or for all of them. An operator may leave
// open what only some of these need; an app that is to do for each may not.
func appQuestions(k *definition.Connector, method string) definition.Fields {
	out := slices.Clone(k.AppQuestions(method))
	for i, q := range out {
		for _, a := range k.Auth {
			if f, asked := a.AppFields.Named(q.Name); asked && f.Must() && (method == "" || a.ID == method) {
				out[i].Required = f.Required
			}
		}
	}
	return out
}

// holdsKeys reports whether an app for a holds a key or a certificate.
func holdsKeys(k *definition.Connector, a *definition.Auth) bool {
	from := func(t *definition.Template) bool {
		asked := k.Asked(a, t)
		return len(asked) > 0 && asked[0].Root == "app"
	}
	for _, j := range a.JWTs() {
		if from(&j.Key) {
			return true
		}
	}
	return a.TLS != nil && from(&a.TLS.Certificate)
}

// registerApp keeps an app for the method, and shows the provider the same.
func (p *play) registerApp(ctx context.Context) error {
	answers, err := Answers(p.a.AppFields)
	if err == nil {
		answers, err = p.withKeys(answers, goodKey, ofApp)
	}
	if err != nil {
		return err
	}
	p.app, p.appAnswers = true, answers
	p.simulator.Register(p.k.ID, clientID, clientSecret, publicURL+"/callback")
	in := connection.AppInput{Connector: p.k.ID, Method: p.a.ID, Fields: given(answers)}
	if p.k.AppsByServer(p.a.ID) {
		in.Issuer = auth.AnyServer // there is none but the simulated one
	}
	if p.a.HasClient() {
		in.ClientID = new(clientID)
	}
	if p.a.AsksSecret() {
		in.ClientSecret = new(clientSecret)
	}
	view, err := p.engine.Connections.CreateApp(ctx, p.operator, in)
	if err != nil {
		return fmt.Errorf("register the app: %w", plainly(err))
	}
	p.appID = view.ID
	return nil
}

// showApp tells the provider what is registered beside the client id. An app is the same for all methods,
// and its other answers may not be.
func (p *play) showApp() { p.simulator.RegisterFields(p.k.ID, clientID, p.appAnswers) }

func given(answers map[string]string) map[string]*string {
	out := make(map[string]*string, len(answers))
	for name, v := range answers {
		out[name] = &v
	}
	return out
}
