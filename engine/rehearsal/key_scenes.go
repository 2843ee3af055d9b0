package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/flow"
)

// signers are the tokens of the method whose keys are among the answers of roots.
func (p *play) signers(roots []string) []*definition.JWT {
	return slices.DeleteFunc(tokensOf(p.a), func(j *definition.JWT) bool {
		asked := p.k.Asked(p.a, &j.Key)
		return len(asked) == 0 || !slices.Contains(roots, asked[0].Root)
	})
}

// holds reports whether answers of roots hold a key of the method's, or its certificate.
func (p *play) holds(roots []string) bool {
	if len(p.signers(roots)) > 0 {
		return true
	}
	if p.a.TLS == nil {
		return false
	}
	asked := p.k.Asked(p.a, &p.a.TLS.Key)
	return len(asked) > 0 && slices.Contains(roots, asked[0].Root)
}

// wrongKey connects with a key, or a certificate, that the provider does not know.
func (p *play) wrongKey(ctx context.Context) (bool, error) {
	answers := p.answers
	switch {
	case p.holds(ofApp):
		// The provider is shown another key; ours is then the wrong one.
		if err := p.registerKeys(otherKey); err != nil {
			return true, err
		}
		defer func() { _ = p.registerKeys(goodKey) }() // as before, when it did not fail
	case p.holds(ofPerson):
		var err error
		if answers, err = p.withKeys(p.answers, otherKey, ofPerson); err != nil {
			return true, err
		}
	default:
		return false, nil
	}
	at, err := p.connect(ctx, answers, ana, "allow")
	return true, failed(at, err, "invalid-key", "app-misconfigured", "provider-error")
}

// unfitKey gives a key that cannot sign what has to be signed: the form says which answer to change, and
// the provider is not asked.
func (p *play) unfitKey(ctx context.Context) (bool, error) {
	played := false
	for _, j := range slices.Concat(p.signers(ofPerson), p.signers(ofApp)) {
		if j.Symmetric() {
			continue
		}
		played = true
		asked := p.k.Asked(p.a, &j.Key)[0]
		key, err := p.unfit(j)
		if err != nil {
			return true, err
		}
		text, err := pasted(p.k, asked, key, j)
		if err == nil {
			err = p.complained(ctx, asked, text, "a key of another kind")
		}
		if err != nil {
			return true, err
		}
	}
	if p.a.TLS == nil || !p.holds(append(ofPerson, ofApp...)) {
		return played, nil
	}
	_, key, err := p.keys.certificate(p.k, p.a, otherKey)
	if err != nil {
		return true, err
	}
	return true, p.complained(ctx, p.k.Asked(p.a, &p.a.TLS.Key)[0], key, "the key of another certificate")
}

// complained gives an answer that is of no use, and reports whether the form says so, of that answer alone.
func (p *play) complained(ctx context.Context, asked definition.Asked, text, what string) error {
	name, err := asked.Field.Name, p.give(ctx, asked, text)
	if asked.Root == "app" {
		name = connection.AppFieldPrefix + name
	}
	var bad *flow.InvalidAnswers
	if !errors.As(err, &bad) || len(bad.Fields) != 1 || bad.Fields[0].Field != name {
		return fmt.Errorf("%s is answered with %w; want a complaint about %s", what, orSuccess(err), name)
	}
	return nil
}

// give answers one question in another way: the person's, with which a flow begins, or the operator's.
func (p *play) give(ctx context.Context, asked definition.Asked, text string) error {
	if asked.Root == "app" {
		_, err := p.engine.Connections.UpdateApp(ctx, p.operator, p.appID, connection.AppInput{Fields: map[string]*string{asked.Field.Name: &text}})
		return err
	}
	answers := maps.Clone(p.answers)
	answers[asked.Field.Name] = text
	_, err := p.start(ctx, answers)
	return err
}
