package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"dowel/engine/auth"
	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/token"
)

// scene is one part of a play. It reports whether it applies to the method.
type scene struct {
	name string
	play func(ctx context.Context) (bool, error)
}

// scenes are played in this order, each on what the one before has left.
func (p *play) scenes() []scene {
	return []scene{
		{"connect", p.connectScene},
		{"identity", p.identity},
		{"token", p.token},
		{"other tests", p.otherTests},
		{"introspection", p.introspection},
		{"signature", p.signature},
		{"refresh", p.refresh},
		{"replay", p.replay},
		{"slow down", p.slowDown},
		{"registration", p.registration},
		{"provider error", p.providerError},
		{"revoke", p.revoke},
		{"denial", p.denial},
		{"forgery", p.forgery},
		{"another's", p.anothers},
		{"too late", p.tooLate},
		{"late handover", p.lateHandover},
		{"launch", p.launch},
		{"forged ID token", p.forgedIDToken},
		{"wrong secret", p.wrongSecret},
		{"wrong password", p.wrongPassword},
		{"wrong key", p.wrongKey},
		{"unfit key", p.unfitKey},
	}
}

func (p *play) connectScene(ctx context.Context) (bool, error) {
	view, err := p.connected(ctx, ana)
	p.id = view.ID
	return true, err
}

// identity asks who was connected, where the definition says how to find out.
func (p *play) identity(ctx context.Context) (bool, error) {
	id := p.k.IdentityFor(p.a)
	if id == nil {
		return false, nil
	}
	view, err := p.engine.Connections.Get(ctx, p.operator, p.id)
	switch {
	case err != nil:
		return true, err
	case view.Identity.Subject == "" || strings.Contains(view.Identity.Subject, "<nil>"):
		return true, errors.New("the answer tells no subject where identity.subject looks for it")
	case id.Email != nil && view.Identity.Email == "":
		return true, errors.New("the answer tells no e-mail address where identity.email looks for it")
	case id.Name != nil && view.Identity.Name == "":
		return true, errors.New("the answer tells no name where identity.name looks for it")
	}
	return true, nil
}

// token reads the token and has the provider accept it.
func (p *play) token(ctx context.Context) (bool, error) {
	live, err := p.engine.Connections.Token(ctx, p.operator, p.id, token.Wish{})
	if err != nil {
		return true, plainly(err)
	}
	var answer struct {
		Request auth.Attachment `json:"request"`
	}
	if err := json.Unmarshal(live.AppendJSON(nil), &answer); err != nil {
		return true, fmt.Errorf("read the token answer: %w", err)
	}
	if a := answer.Request; p.a.Kind != definition.NoCredential && len(a.Headers)+len(a.Query)+len(a.Body) == 0 && !a.Signed && p.a.Apply.Path == nil {
		return true, errors.New("nothing of the credential goes on a request; say where under apply")
	}
	if err := p.ends(ctx); err != nil {
		return true, err
	}
	return true, p.accepted(ctx)
}

// ends checks that the engine has understood when the token ends, where the definition says that the
// answer tells.
func (p *play) ends(ctx context.Context) error {
	if p.a.Token == nil {
		return nil
	}
	answer := &p.a.Token.Answer
	if n := len(p.a.Token.Then); n > 0 {
		answer = &p.a.Token.Then[n-1].Answer
	}
	_, _, c, err := p.opened(ctx)
	if err != nil {
		return err
	}
	if answer.RefreshExpires.Told() && c.RefreshExpiresAt.IsZero() && !c.RefreshToken.IsZero() {
		return errors.New("the answer tells no end of the refresh token where answer.refresh_expires looks for it")
	}
	if !answer.Expires.Told() {
		return nil
	}
	const slack = 5 * time.Minute
	switch left := time.Until(c.ExpiresAt); {
	case c.ExpiresAt.IsZero() && !c.Renewable(p.a):
		return nil // it lives as long as the grant
	case c.ExpiresAt.IsZero():
		return errors.New("the answer tells no end of the token where answer.expires looks for it")
	case left < lifetime-slack || left > lifetime:
		return fmt.Errorf("the token is taken to end in %s, and does in %s; see answer.expires", left.Round(time.Minute), lifetime)
	}
	return nil
}

// accepted has the provider asked with the credential as it is now.
func (p *play) accepted(ctx context.Context) error {
	if !p.k.Testable(p.a) {
		return nil
	}
	if _, err := p.engine.Connections.Test(ctx, p.operator, p.id); err != nil {
		return fmt.Errorf("the provider does not accept the credential: %w", plainly(err))
	}
	return nil
}

// refresh renews the credential twice, so that the second renewal lives on what the first has brought.
func (p *play) refresh(ctx context.Context) (bool, error) {
	_, _, before, err := p.opened(ctx)
	if err != nil {
		return true, err
	}
	if !before.Renewable(p.a) {
		if r := p.a.Refresh; r != nil && r.Grant != "none" || p.a.Renew != nil {
			return true, errors.New("the definition says how to renew, but the answer brings nothing to renew with")
		}
		return false, nil
	}
	for range 2 {
		if err := p.renewed(ctx); err != nil {
			return true, err
		}
	}
	return true, nil
}

// renewed renews the credential and has the provider accept what came of it.
func (p *play) renewed(ctx context.Context) error {
	_, _, before, err := p.opened(ctx)
	if err != nil {
		return err
	}
	if _, err := p.engine.Connections.Refresh(ctx, p.operator, p.id); err != nil {
		return plainly(err)
	}
	_, _, after, err := p.opened(ctx)
	if err != nil {
		return err
	}
	if before.Primary(p.a).Equal(after.Primary(p.a)) {
		return errors.New("the refresh brought nothing new")
	}
	return p.accepted(ctx)
}

// replay shows the provider a refresh token that another has taken the place of: it must be refused, the
// whole grant with it (RFC 9700 §4.14.2), and the engine has to see that the person must connect again.
func (p *play) replay(ctx context.Context) (bool, error) {
	r := p.a.Refresh
	if r == nil || r.Rotation != "always" || r.Grant != "" && r.Grant != "refresh_token" {
		return false, nil
	}
	m, req, old, err := p.opened(ctx)
	if err != nil {
		return true, err
	}
	if err := p.renewed(ctx); err != nil {
		return true, err
	}
	_, err = m.(auth.Refresher).Refresh(ctx, req, old)
	if fault.KindOf(err) != fault.NeedsReauth {
		return true, fmt.Errorf("a used refresh token is answered with %w; want it refused as a dead grant, see errors.dead_grant", orSuccess(err))
	}
	_, err = p.engine.Connections.Refresh(ctx, p.operator, p.id)
	if fault.KindOf(err) != fault.NeedsReauth {
		return true, fmt.Errorf("after a replay the grant is renewed with %w; want the person asked to connect again", orSuccess(err))
	}
	if err := p.stands(ctx, connection.NeedsReauth); err != nil {
		return true, fmt.Errorf("after a replay %w", err)
	}
	view, err := p.connected(ctx, ana)
	p.id = view.ID
	return true, err
}

// stands checks the status of the connection.
func (p *play) stands(ctx context.Context, want connection.Status) error {
	view, err := p.engine.Connections.Get(ctx, p.operator, p.id)
	if err == nil && view.Status != want {
		err = fmt.Errorf("the connection is %s, want %s", view.Status, want)
	}
	return err
}

var errSuccess = errors.New("success")

// orSuccess is what was answered, for a message about an answer that should have been an error.
func orSuccess(err error) error {
	if err == nil {
		return errSuccess
	}
	return plainly(err)
}

// revoke ends the connection, after which the provider must not accept the credential any more.
func (p *play) revoke(ctx context.Context) (bool, error) {
	m, req, cred, err := p.opened(ctx)
	if err != nil {
		return true, err
	}
	told, err := p.engine.Connections.Disconnect(ctx, p.operator, p.id)
	if err != nil {
		return true, err
	}
	if p.a.Revoke == nil {
		return false, nil
	}
	if !told {
		return true, p.notTold(ctx)
	}
	if issuedByRequest(p.a) && p.k.Testable(p.a) {
		if _, err := auth.Test(ctx, m, req, cred); err == nil {
			return true, errors.New("the provider accepts the credential although it was given back")
		}
	}
	return true, nil
}

// notTold says why the provider did not take the access back, as the audit log has it.
func (p *play) notTold(ctx context.Context) error {
	events, err := p.engine.Connections.Events(ctx, p.operator, p.id, "", 1)
	if err != nil {
		return err
	}
	why := "nobody knows why"
	if len(events) > 0 {
		why = events[0].Data["result"]
	}
	return errors.New("the provider does not take the access back: " + why)
}

// issuedByRequest reports whether a token or login request stands between the person and the credential.
func issuedByRequest(a *definition.Auth) bool { return a.Token != nil || len(a.Login) > 0 }
