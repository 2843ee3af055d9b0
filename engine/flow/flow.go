// Package flow runs one authorization from its first step to a credential, whatever it is for.
//
// A flow is a record: the next step depends on the record alone, so that any instance can take it.
// Its state counts once, is bound to the browser that began, to the tenant, to the version of the
// definition and to the app, and lives ten minutes. What is done with the credential is a Finisher's
// affair, chosen by the flow's intent; how a kind obtains one is auth's.
package flow

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/storage"
	"dowel/engine/vault"
)

// Store is the part of the store this room uses.
type Store interface {
	storage.Flows
	storage.Apps
	AppendEvents(ctx context.Context, events []audit.Event) error
}

// Finisher is what a flow is for.
type Finisher interface {
	Intent() string // "connect", "sign_in", "link"
	// Finish makes the record. It fails with fault.Conflict and the code "wrong-account" when the flow
	// was to reconnect another account; the person is then asked what they want.
	Finish(ctx context.Context, f storage.Flow, r Result) (Outcome, error)
}

// Result is what a flow has come to: a credential and all that was learnt on the way.
type Result struct {
	Connector  *definition.Connector
	Auth       *definition.Auth
	Credential auth.Credential
	Inputs     map[string]string
	Captured   map[string]string
	Discovered map[string]string
	Identity   auth.Identity
	Requested  []string
	// Unverified says that the test could not be run, Tested that it was and passed.
	Unverified, Tested bool
}

// Outcome is the record that was made.
type Outcome struct {
	ID string
	// Label is who was connected, for people: an e-mail address or a name.
	Label string
	// Warnings are stable codes of what the person should know: "unverified", "no-refresh",
	// "missing-scopes".
	Warnings []string
}

// Service runs flows.
type Service struct {
	Store     Store
	Vault     *vault.Vault
	Finishers map[string]Finisher
	TTL       time.Duration // of a pending flow; 10 minutes
	// ClientURL is where we publish what providers may want to know about us; see Registration.
	ClientURL string
	Logger    *slog.Logger
}

// Begin is the request for a flow.
type Begin struct {
	Intent    string
	Connector string
	Method    string            // id of the auth method; empty: the default
	Answers   map[string]string // to the connector's inputs and the method's fields
	EndUser   string
	Target    string // connection to reconnect
	Session   string // connect session that allows it
	// Browser is the text of the cookie that binds the flow; empty for a program's, which no browser can
	// go on with.
	Browser                 string
	ReturnURL, OpenerOrigin string
	// AcceptUnverified stores a typed credential although the provider could not be asked about it.
	AcceptUnverified bool
}

// Progress is where a flow stands, and what the person has to do next.
type Progress struct {
	Flow   string
	Tenant string
	// Session is the connect session that allowed the flow; empty if none.
	Session string
	Status  storage.FlowStatus // pending, done, failed
	// Working says of a pending flow that the answer has come and is being worked on.
	Working bool
	// Handing says of such a flow that the person is back, and the provider's server has still to post.
	Handing bool
	// RedirectURL sends the browser to the provider, and State is what it takes along.
	RedirectURL, State string
	// Ask is a question to the person.
	Ask *Question
	// Wait is what the person has to do elsewhere.
	Wait *Waiting
	// Result is the id of the record made, Label who was connected.
	Result, Label           string
	Warnings                []string
	Connector               string
	ReturnURL, OpenerOrigin string
	// Failed flows: a fault code, our text, the provider's words, and what finds the log line.
	Failure *Failure
}

// Failure tells why a flow came to nothing.
type Failure struct {
	Code, Message string
	// Provider is the provider's own words: data to be quoted; Status its HTTP status, if just heard.
	Provider string
	Status   int
	// Cause and Fix are the definition's explanation of the provider's error, if it has one.
	Cause, Fix string
	Reference  string
}

// Question is a choice among options.
type Question struct {
	Kind        string // "choice", "account" or "unverified"
	Label, Help string
	Options     []Option
	// Got is, for "account", who came instead of who was expected.
	Got string
	// Why is, for "unverified", why the provider could not be asked whether the credential works.
	Why *Failure
}

// Option is one answer to a Question.
type Option struct{ Value, Name string }

// maxPending bounds a tenant's flows under way, so that nobody can fill the store.
const maxPending = 2000

// Start begins a flow: it checks the answers, and does or says what comes first. For typed kinds that
// is also the end. p must be allowed to connect.
func (s *Service) Start(ctx context.Context, p access.Principal, b Begin) (Progress, error) {
	if !p.May(access.Connect) {
		return Progress{}, fault.E(fault.Forbidden, "this caller may not connect accounts", nil)
	}
	n, err := s.Store.CountPendingFlows(ctx, p.Tenant, time.Now())
	if err != nil {
		return Progress{}, err
	}
	if n >= maxPending {
		return Progress{}, fault.E(fault.RateLimited, "too many connections are being made at the moment", nil).WithRetryAfter(time.Minute)
	}
	k, err := s.Vault.Catalog.Current(ctx, p.Tenant, b.Connector)
	if err != nil {
		return Progress{}, err
	}
	a := k.Method(b.Method)
	if a == nil {
		return Progress{}, fault.E(fault.NotFound, "the connector has no such method", nil)
	}
	inputs, fields, bad := Split(k, a, b.Answers)
	if len(bad) > 0 {
		return Progress{}, &InvalidAnswers{Fields: bad}
	}
	r := auth.Request{Connector: k, Auth: a, Inputs: inputs, Fields: auth.Values(fields), RedirectURI: s.Vault.RedirectURI, Outlet: s.Vault.Outlet}
	if r.Discovered, err = auth.Discover(ctx, r); err != nil {
		return Progress{}, s.notBegun(p, b, r, err)
	}
	if r.App, err = s.app(ctx, p.Tenant, r); err != nil {
		return Progress{}, err
	}
	return s.begin(ctx, p, b, r, fields)
}

// notBegun is why a flow could not begin: an answer that looked right and is of no use, such as a key of
// another kind or an address that leads nowhere, or what else went wrong.
func (s *Service) notBegun(p access.Principal, b Begin, r auth.Request, err error) error {
	if f := fault.As(err); f != nil && f.Kind == fault.Invalid && f.Field != "" {
		return &InvalidAnswers{Fields: []*fault.Error{f}}
	}
	return s.explain(s.record(p, b, r), r.Connector, err)
}

func (s *Service) begin(ctx context.Context, p access.Principal, b Begin, r auth.Request, fields map[string]string) (Progress, error) {
	m, err := s.Vault.Methods.Method(r.Auth.Kind)
	if err != nil {
		return Progress{}, err
	}
	f := s.record(p, b, r)
	step, pending, err := m.Begin(ctx, r)
	if err != nil {
		return Progress{}, s.notBegun(p, b, r, err)
	}
	state := pendingState{Inputs: r.Inputs, Fields: fields, Discovered: r.Discovered, Method: pending, AcceptUnverified: b.AcceptUnverified}
	switch step := step.(type) {
	case auth.Redirect:
		if b.Browser == "" {
			return Progress{}, fault.E(fault.Invalid, r.Connector.Name+" wants the person's browser for this: send them to the address of the connect session", nil).WithCode("browser-needed")
		}
		f.StateHash, f.Step = hash(pending.State), "redirect"
		if err := s.create(ctx, &f, state); err != nil {
			return Progress{}, err
		}
		p := about(f)
		p.RedirectURL, p.State = step.URL.String(), pending.State
		return p, nil
	case auth.Wait:
		return s.beginWaiting(ctx, f, state, step)
	case auth.Done:
		f.Status = storage.FlowTaken
		if err := s.create(ctx, &f, pendingState{}); err != nil {
			return Progress{}, err
		}
		return s.advance(ctx, f, m, r, state, step)
	default:
		return Progress{}, fmt.Errorf("step %T is not known here", step)
	}
}

func (s *Service) record(p access.Principal, b Begin, r auth.Request) storage.Flow {
	now := time.Now().UTC().Truncate(time.Millisecond)
	ttl := s.TTL
	if ttl == 0 {
		ttl = 10 * time.Minute
	}
	return storage.Flow{
		Ref: storage.Ref{Tenant: p.Tenant, ID: "flow_" + rand.Text()}, Revision: 1, StateHash: hash(rand.Text()),
		BrowserHash: bound(b.Browser), Intent: b.Intent, Connector: r.Connector.ID, ConnectorVersion: r.Connector.Version,
		Auth: r.Auth.ID, App: r.App.ID, EndUser: b.EndUser, Target: b.Target, Session: b.Session,
		Status: storage.FlowPending, ReturnURL: b.ReturnURL, OpenerOrigin: b.OpenerOrigin,
		CreatedAt: now, ExpiresAt: now.Add(ttl),
	}
}

// pendingState is what is kept sealed while the person is away.
type pendingState struct {
	Inputs map[string]string `json:"inputs,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
	// Discovered pins the provider's addresses: what its document says later does not count.
	Discovered       map[string]string `json:"discovered,omitempty"`
	Method           auth.Pending      `json:"method,omitzero"`
	Wait             auth.Wait         `json:"wait,omitzero"` // what the person was told to do elsewhere
	AcceptUnverified bool              `json:"accept_unverified,omitempty"`
	// Posted is what the provider's server has posted, Returned what the browser has brought before that.
	Posted   *Posted    `json:"posted,omitempty"`
	Returned url.Values `json:"returned,omitempty"`
	// From here on the credential is there and a question is open.
	Credential []byte            `json:"credential,omitempty"`
	Captured   map[string]string `json:"captured,omitempty"`
	Identity   auth.Identity     `json:"identity,omitzero"`
	Unverified bool              `json:"unverified,omitempty"`
	Tested     bool              `json:"tested,omitempty"`
	Chosen     int               `json:"chosen,omitempty"` // how many choices are answered
	Options    []auth.Option     `json:"options,omitempty"`
	Ask        string            `json:"ask,omitempty"` // kind of the open question
	Why        *Failure          `json:"why,omitempty"`
}

func (s *Service) create(ctx context.Context, f *storage.Flow, state pendingState) error {
	sealed, err := s.Vault.Seal(ctx, f.Ref, state)
	if err != nil {
		return err
	}
	f.Pending = sealed
	f.Outbox = append(f.Outbox, audit.New(audit.FlowStarted, f.Tenant, f.ID, "end_user:"+f.EndUser, map[string]string{
		"connector": f.Connector, "method": f.Auth,
	}))
	return s.Store.CreateFlow(ctx, *f)
}

// hash is the SHA-256 of s in hex: enough for what is random and 256 bits long.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// bound is what a flow of a browser is bound to; nothing for one of a program.
func bound(browser string) string {
	if browser == "" {
		return ""
	}
	return hash(browser)
}

// sameBrowser compares the cookie with what the flow is bound to.
func sameBrowser(f storage.Flow, browser string) bool {
	return browser != "" && subtle.ConstantTimeCompare([]byte(f.BrowserHash), []byte(hash(browser))) == 1
}

// Split checks a person's answers against the connector's inputs and the method's fields and says
// which is which. Secret inputs are kept with the fields, sealed.
func Split(k *definition.Connector, a *definition.Auth, answers map[string]string) (inputs, fields map[string]string, bad []*fault.Error) {
	inputs, wrong := k.Inputs.Answers(answers)
	fields, more := a.Fields.Answers(answers)
	bad = append(wrong, more...)
	for _, f := range k.Inputs {
		if v, ok := inputs[f.Name]; ok && f.Secret() {
			fields[f.Name] = v
			delete(inputs, f.Name)
		}
	}
	for name := range answers {
		_, in := k.Inputs.Named(name)
		_, of := a.Fields.Named(name)
		if !in && !of {
			bad = append(bad, fault.Field(name, "there is no field "+name))
		}
	}
	return inputs, fields, bad
}

// LacksAppAt reports whether err says for which server, of those that people type, there is no app.
func LacksAppAt(err error) bool { return errors.Is(err, auth.ErrNoAppAt) }

// InvalidAnswers says which answers are wrong; nothing was stored.
type InvalidAnswers struct{ Fields []*fault.Error }

// Error counts them.
func (e *InvalidAnswers) Error() string {
	return fmt.Sprintf("%d answers are not right", len(e.Fields))
}

// Unwrap classifies it.
func (e *InvalidAnswers) Unwrap() error {
	return fault.E(fault.Invalid, "some answers are not right", nil).WithCode("invalid-answers")
}
