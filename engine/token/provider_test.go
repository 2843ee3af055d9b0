package token

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

// provider is an auth.Method that stands for a provider which replaces the refresh token at every use
// and ends the whole grant when a replaced one is used again (RFC 9700 §4.14.2).
type provider struct {
	mu       sync.Mutex
	grants   map[string]*grant // by name
	calls    []call
	parallel int // the most calls at once for one grant
	reused   int
	revoked  []string
	as       manner
}

// manner is how a provider behaves.
type manner struct {
	// latency is how long an answer takes; the provider acts at once. life is that of its access
	// tokens. grace is how long a used refresh token is taken again.
	latency, life, grace time.Duration
	// sameRefresh leaves the refresh token as it is and out of the answer.
	sameRefresh bool
	// refuse, if set, may answer instead: it is asked before anything is done.
	refuse func(c *call) error
	// lose, if set, may lose the answer after the provider has acted.
	lose func(c *call) error
}

func (p *provider) manner() manner {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.as
}

// behave changes the provider's manner from now on.
func (h *house) behave(change func(m *manner)) {
	h.provider.mu.Lock()
	defer h.provider.mu.Unlock()
	change(&h.provider.as)
}

type grant struct {
	name       string
	generation int
	issuedAt   time.Time
	used       map[string]time.Time // when each refresh token was first used
	dead       bool
	running    int
}

// call is one token request as the provider saw it.
type call struct {
	refresh, client, grant string
	at, issued             time.Time
	n                      int // the calls before this one, of all grants
}

func newProvider() *provider {
	return &provider{as: manner{latency: 200 * time.Millisecond, life: time.Hour}, grants: map[string]*grant{}}
}

// grant starts a grant and returns its first credential.
func (p *provider) grant(name string) auth.Credential {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := &grant{name: name, used: map[string]time.Time{}}
	p.grants[name] = g
	return p.issue(g)
}

func (p *provider) issue(g *grant) auth.Credential {
	g.generation++
	g.issuedAt = time.Now()
	t := now()
	c := auth.Credential{
		Kind: definition.AuthorizationCode, AccessToken: secret.New(fmt.Sprintf("at-%s-%d", g.name, g.generation)),
		RefreshToken: secret.New(fmt.Sprintf("rt-%s-%d", g.name, g.generation)), TokenType: "Bearer", ObtainedAt: t, Scopes: []string{"read"},
	}
	if p.as.life > 0 {
		c.ExpiresAt = t.Add(p.as.life)
	}
	return c
}

// Refresh implements auth.Refresher.
func (p *provider) Refresh(ctx context.Context, r auth.Request, c auth.Credential) (auth.Credential, error) {
	k := call{refresh: c.RefreshToken.Reveal(), client: r.App.ClientSecret.Reveal(), at: time.Now()}
	g := p.arrive(&k)
	defer p.leave(g)
	next, err := p.act(&k, g, c)
	select {
	case <-time.After(p.manner().latency):
	case <-ctx.Done():
		return auth.Credential{}, timedOut(ctx.Err())
	}
	as := p.manner()
	if err == nil && as.lose != nil {
		err = as.lose(&k)
	}
	if err != nil {
		return auth.Credential{}, err
	}
	next.ObtainedAt = now()
	if as.life > 0 {
		next.ExpiresAt = next.ObtainedAt.Add(as.life)
	}
	return next, nil
}

func (p *provider) arrive(k *call) *grant {
	p.mu.Lock()
	defer p.mu.Unlock()
	k.grant = k.refresh[strings.Index(k.refresh, "-")+1 : strings.LastIndex(k.refresh, "-")]
	g := p.grants[k.grant]
	k.issued = g.issuedAt
	g.running++
	p.parallel = max(p.parallel, g.running)
	k.n = len(p.calls)
	p.calls = append(p.calls, *k)
	return g
}

func (p *provider) leave(g *grant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g.running--
}

func (p *provider) act(k *call, g *grant, c auth.Credential) (auth.Credential, error) {
	if refuse := p.manner().refuse; refuse != nil {
		if err := refuse(k); err != nil {
			return auth.Credential{}, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	first, used := g.used[k.refresh]
	switch {
	case g.dead:
		return auth.Credential{}, invalidGrant()
	case p.as.sameRefresh:
		next := p.issue(g)
		next.RefreshToken = c.RefreshToken // what auth does when the answer has none
		return next, nil
	case !used:
		g.used[k.refresh] = time.Now()
		return p.issue(g), nil
	case time.Since(first) < p.as.grace:
		return p.issue(g), nil
	default:
		p.reused++
		g.dead = true
		return auth.Credential{}, invalidGrant()
	}
}

// Kind implements auth.Method.
func (p *provider) Kind() definition.AuthKind { return definition.AuthorizationCode }

// Begin is not used.
func (p *provider) Begin(context.Context, auth.Request) (auth.Step, auth.Pending, error) {
	return nil, auth.Pending{}, errors.ErrUnsupported
}

// Complete is not used.
func (p *provider) Complete(context.Context, auth.Request, auth.Pending, auth.Answer) (auth.Step, error) {
	return nil, errors.ErrUnsupported
}

// Apply implements auth.Method.
func (p *provider) Apply(out *http.Request, _ auth.Request, c auth.Credential) error {
	out.Header.Set("Authorization", "Bearer "+c.AccessToken.Reveal())
	return nil
}

// Revoke implements auth.Revoker.
func (p *provider) Revoke(_ context.Context, _ auth.Request, c auth.Credential) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.revoked = append(p.revoked, c.AccessToken.Reveal())
	return nil
}

func (p *provider) seen() []call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]call(nil), p.calls...)
}

// mostUsed returns how often the most used refresh token was sent.
func (p *provider) mostUsed() int {
	uses, most := map[string]int{}, 0
	for _, k := range p.seen() {
		uses[k.refresh]++
		most = max(most, uses[k.refresh])
	}
	return most
}

// What a provider's answers become in auth; see auth.Request.refusal.

func answered(kind fault.Kind, status int, code string) *fault.Error {
	return fault.E(kind, "Acme said no", &auth.ProviderError{Status: status, Code: code, Description: "as Acme puts it"}).WithCode(code)
}

func invalidGrant() error  { return answered(fault.NeedsReauth, 400, "invalid_grant") }
func invalidClient() error { return answered(fault.Misconfigured, 401, "invalid_client") }
func serverError() error   { return answered(fault.Unavailable, 500, "") }

// unsent returns what egress returns for a request that never left.
func unsent(t *testing.T) error {
	t.Helper()
	client, err := egress.NewClient(egress.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://acme.example/token", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.For(egress.Scope{Name: "acme"}).DoOnce(t.Context(), req)
	if err == nil || egress.Sent(err) {
		t.Fatalf("no host is allowed, and the call ended in %v", err)
	}
	return fault.E(fault.Unavailable, "the provider could not be reached", err)
}

// timedOut is what egress returns for a request that was sent and not answered.
func timedOut(cause error) error {
	return fault.E(fault.Timeout, "the provider did not answer in time", cause)
}
