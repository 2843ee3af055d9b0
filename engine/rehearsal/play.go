package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"dowel/engine/access"
	"dowel/engine/auth"
	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/engine/storage"
)

// play is the rehearsal of one method, in a tenant of its own.
type play struct {
	*stage
	k *definition.Connector
	a *definition.Auth
	// operator may do everything in the tenant.
	operator access.Principal
	answers  map[string]string
	app      bool   // the method uses an app of ours
	id       string // of the connection
	// appID is the app's id, appAnswers what is registered beside its client id.
	appID      string
	appAnswers map[string]string
	// onTheWay changes what a browser brings back; nil: nothing.
	onTheWay func(url.Values)
}

func (s *stage) newPlay(ctx context.Context, k *definition.Connector, a *definition.Auth) (*play, error) {
	p := &play{stage: s, k: k, a: a}
	p.operator = access.Principal{Kind: access.Operator, Tenant: k.ID + "." + a.ID, ID: "rehearsal"}
	var err error
	if p.answers, err = Answers(k.Inputs, a.Fields); err != nil {
		return nil, err
	}
	if p.answers, err = p.withKeys(p.answers, goodKey, ofPerson); err != nil {
		return nil, err
	}
	if err := p.registerKeys(goodKey); err != nil {
		return nil, err
	}
	s.simulator.Know(k.ID, p.answers)
	if !a.NeedsApp() {
		return p, nil
	}
	if err := p.registerApp(ctx); err != nil {
		return nil, err
	}
	p.showApp()
	return p, nil
}

// browser is the text of the cookie that binds flows.
const browser = "rehearsal"

// The people of the simulator.
const (
	ana = "1001"
	ben = "1002"
)

// connect runs one flow: it goes where it is sent, decides as told, and chooses the first of what it is
// asked. A flow that comes to nothing is no error of connect.
func (p *play) connect(ctx context.Context, answers map[string]string, account, decision string) (flow.Progress, error) {
	flows := p.engine.Flows
	at, err := p.start(ctx, answers)
	for range maxSteps {
		if stopped := (*flow.Stopped)(nil); errors.As(err, &stopped) {
			return flow.Progress{Status: storage.FlowFailed, Failure: stopped.Failure}, nil
		}
		switch {
		case err != nil:
			return at, plainly(err)
		case at.Status != storage.FlowPending:
			return at, nil
		case at.RedirectURL != "":
			at, err = p.visit(ctx, at.RedirectURL, account, decision)
		case at.Wait != nil:
			at, err = p.enterCode(ctx, at, account, decision)
		case at.Ask != nil && at.Ask.Kind == "unverified":
			return at, nil
		case at.Ask != nil && at.Ask.Kind == "account":
			at, err = flows.Answer(ctx, p.operator, at.Flow, browser, "new")
		case at.Ask != nil && len(at.Ask.Options) > 0:
			at, err = flows.Answer(ctx, p.operator, at.Flow, browser, at.Ask.Options[0].Value)
		default:
			return at, errors.New("the flow waits for something that a rehearsal cannot do")
		}
	}
	return at, errors.New("the flow does not end")
}

// start begins a flow with the person's answers.
func (p *play) start(ctx context.Context, answers map[string]string) (flow.Progress, error) {
	return p.engine.Flows.Start(ctx, p.operator, flow.Begin{
		Intent: p.engine.Connections.Intent(), Connector: p.k.ID, Method: p.a.ID, Answers: answers, EndUser: browser, Browser: browser,
	})
}

// maxSteps bounds what one flow may want of the person.
const maxSteps = 20

func (p *play) visit(ctx context.Context, address, account, decision string) (flow.Progress, error) {
	query, by, err := p.visitor.consent(ctx, address, account, decision)
	if err != nil {
		return flow.Progress{}, err
	}
	if p.onTheWay != nil {
		p.onTheWay(query)
	}
	return p.engine.Flows.Callback(ctx, flow.Arrival{Query: query, By: by, Browser: browser})
}

// connected is connect for a flow that has to succeed; it returns the connection.
func (p *play) connected(ctx context.Context, account string) (connection.View, error) {
	at, err := p.connect(ctx, p.answers, account, "allow")
	if err != nil {
		return connection.View{}, err
	}
	if at.Status != storage.FlowDone {
		return connection.View{}, fmt.Errorf("not connected: %s", told(at))
	}
	if len(at.Warnings) > 0 {
		for _, w := range at.Warnings {
			if w != "no-refresh" { // some providers' tokens end and that is that
				return connection.View{}, fmt.Errorf("connected, but with the warning %s", w)
			}
		}
	}
	return p.engine.Connections.Get(ctx, p.operator, at.Result)
}

// told is what a person is told of a flow that came to nothing.
func told(at flow.Progress) string {
	f := at.Failure
	if f == nil && at.Ask != nil && at.Ask.Why != nil {
		f = at.Ask.Why
	}
	if f == nil {
		return fmt.Sprintf("the flow is %s", at.Status)
	}
	text := f.Message + " (" + f.Code + ")"
	if f.Provider != "" {
		text += "; the provider says: " + f.Provider
	}
	return text
}

// plainly is an error with everything that is known of it: the author of a definition is no stranger.
func plainly(err error) error {
	var bad *flow.InvalidAnswers
	if errors.As(err, &bad) {
		var all []string
		for _, f := range bad.Fields {
			all = append(all, fault.Public(f))
		}
		return fmt.Errorf("the answers are refused: %s", strings.Join(all, "; "))
	}
	var provider *auth.ProviderError
	if errors.As(err, &provider) {
		return fmt.Errorf("%s; the provider says: %s %s", fault.Public(err), provider.Code, provider.Description)
	}
	return err
}

// opened is the connection's record with its credential, as the engine itself sees it.
func (p *play) opened(ctx context.Context) (auth.Method, auth.Request, auth.Credential, error) {
	c, err := p.store.Connection(ctx, storage.Ref{Tenant: p.operator.Tenant, ID: p.id})
	if err != nil {
		return nil, auth.Request{}, auth.Credential{}, err
	}
	return p.engine.Source.Open(ctx, c)
}
