package definition

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// compiler walks a decoded definition and compiles every formula where it stands.
type compiler struct {
	c        *Connector
	d        *document
	formulas *formulas
	names    names
	method   int // the auth method being compiled, or -1
	findings []Finding
	used     map[usedName]bool
	// templates are all that the file writes, for the rules that look at every one.
	templates []*Template
	lines     []string
}

// usedName is a name that some formula reads. What belongs to one method is told apart.
type usedName struct {
	method     int
	root, name string
}

// compile fills in defaults and compiles the formulas of c; it keeps every complaint.
func (k *compiler) compile() {
	c := k.c
	k.method = -1
	k.fields(c.Inputs)
	for i, a := range c.Auth {
		k.method = i
		k.auth(a)
	}
	k.method = -1
	k.names = k.namesOf(nil)
	for i := range c.Hosts {
		k.template(&c.Hosts[i], inHosts)
	}
	k.optional(c.API.BaseURL, inHosts)
	k.params(c.API.Headers, inCall)
	k.params(c.API.Query, inCall)
	for _, a := range c.Auth {
		if a.API != nil {
			a.api = c.API.over(a.API)
		}
	}
	k.tests(c.Test)
	k.identity(c.Identity)
	k.choices(c.Choose)
	for i, a := range c.Auth {
		a.readsApp = k.reads(i, "app") || a.Authorize != nil && k.reads(-1, "app")
		a.places = c.placesOf(a)
	}
}

// reads reports whether some formula of a method reads something of root.
func (k *compiler) reads(method int, root string) bool {
	for u := range k.used {
		if u.method == method && u.root == root {
			return true
		}
	}
	return false
}

func (k *compiler) complain(at Position, rule, message string) {
	k.findings = append(k.findings, Finding{
		File: k.c.File, Line: at.Line, Col: at.Col, Level: LevelError, Rule: rule, Message: message,
	})
}

func (k *compiler) auth(a *Auth) {
	a.defaults()
	k.fields(a.Fields)
	k.fields(a.AppFields)
	k.names = k.namesOf(a)
	k.discovery(a)
	k.registration(a)
	k.userPass(a)
	k.optional(a.Issuer, inIssuer)
	if a.Authorize != nil {
		k.template(&a.Authorize.URL, inAuthorize)
		k.params(a.Authorize.Params, inAuthorize)
		k.push(a.Authorize.PAR)
	}
	k.device(a.Device)
	k.exchange(a.Exchange)
	k.callback(a)
	k.scopes(a.Scopes)
	for i := range a.ScopeGroups {
		k.scopes(&a.ScopeGroups[i].Scopes)
	}
	if a.TLS != nil {
		k.template(&a.TLS.Certificate, inTLS)
		k.template(&a.TLS.Key, inTLS)
	}
	k.jwt(a.Assertion, inJWT)
	k.jwt(a.ClientAssertion, inJWT)
	minting := inJWT
	minting.appSecret = false
	k.jwt(a.ClientSecret, minting)
	exchange := inExchange
	exchange.assertion = a.Assertion != nil
	k.oauth1(a)
	k.token(a.Token, exchange)
	k.refresh(a.Refresh)
	k.request(a.Revoke, inRevoke, a.authOfRevoke())
	k.introspection(a.Introspect)
	k.idToken(a.IDToken)
	for _, e := range []*Expression{a.Errors.DeadGrant, a.Errors.Throttled, a.Errors.Transient, a.Errors.App} {
		k.decision(e, place{}.answering())
	}
	k.login(a.Login)
	k.lifetime(a.Expires, inCall)
	k.apply(a.Apply)
	if a.API != nil {
		k.optional(a.API.BaseURL, inHosts)
		k.params(a.API.Headers, inCall)
		k.params(a.API.Query, inCall)
	}
	k.tests(a.Test)
	k.identity(a.Identity)
	k.choices(a.Choose)
}

// userPass compiles what a person logs in with. A password that was traded for a token is not kept (RFC
// 6749 §4.3.1), unless it is to be shown again.
func (k *compiler) userPass(a *Auth) {
	p := inCall
	if a.Kind == Password {
		p = inExchange
	}
	k.optional(a.Username, p)
	k.optional(a.Password, p)
	if a.Kind == Password && a.RefreshGrant() != GrantPassword {
		a.traded = a.secretsIn(a.Password)
		k.names.traded = a.traded
	}
}

func (k *compiler) push(q *PAR) {
	if q == nil {
		return
	}
	k.template(&q.URL, inAsking)
	k.params(q.Params, inAsking)
	k.params(q.Headers, inAsking)
}

func (k *compiler) exchange(x *Exchange) {
	if x == nil {
		return
	}
	for _, t := range x.templates() {
		k.template(t, inExchange)
	}
}

// templates are all that x has.
func (x *Exchange) templates() []*Template {
	out := []*Template{&x.SubjectToken, &x.SubjectTokenType}
	for _, t := range []*Template{x.ActorToken, x.ActorTokenType, x.RequestedTokenType} {
		if t != nil {
			out = append(out, t)
		}
	}
	return slices.Concat(out, x.Audience.All(), x.Resource.All())
}

func (k *compiler) device(d *Device) {
	if d == nil {
		return
	}
	k.clientRequest(&d.ClientRequest, inAsking)
	for _, e := range d.Answer.formulas() {
		k.value(e, inDeviceAnswer)
	}
}

func (k *compiler) token(t *TokenRequest, p place) {
	if t == nil {
		return
	}
	k.clientRequest(&t.ClientRequest, p)
	k.answer(&t.Answer, p.answering())
	for _, next := range t.Then {
		next.ClientAuth = cmp.Or(next.ClientAuth, ClientAuthUnsent)
		k.clientRequest(&next.ClientRequest, inRefresh)
		k.answer(&next.Answer, inRefresh.answering())
	}
}

func (k *compiler) clientRequest(q *ClientRequest, p place) {
	k.template(&q.URL, p)
	k.params(q.Params, p)
	k.params(q.Headers, p)
	k.outcome(q.Outcome, p.answering())
}

func (k *compiler) refresh(r *Refresh) {
	if r == nil {
		return
	}
	k.optional(r.URL, inRefresh)
	k.params(r.Params, inRefresh)
	k.params(r.Headers, inRefresh)
	k.outcome(r.Outcome, inRefresh.answering())
	if r.Answer != nil {
		k.answer(r.Answer, inRefresh.answering())
	}
}

func (k *compiler) answer(t *TokenAnswer, p place) {
	for _, e := range []*Expression{t.AccessToken, t.RefreshToken, t.TokenType, t.IDToken, t.TokenSecret, t.Scopes} {
		k.value(e, p)
	}
	k.lifetime(t.Expires, p)
	k.lifetime(t.RefreshExpires, p)
	k.captures(t.Tokens, p)
	k.captures(t.Capture, p)
}

func (k *compiler) scopes(s *Scopes) {
	if s == nil {
		return
	}
	for i := range s.Default {
		k.template(&s.Default[i], inIssuer)
	}
	for i := range s.Required {
		k.template(&s.Required[i], inIssuer)
	}
	k.value(s.Granted, inCallback.answering())
}

func (k *compiler) login(steps []*Step) {
	for _, s := range steps {
		k.step(s, inLogin, "none")
	}
}

func (k *compiler) step(s *Step, p place, auth string) {
	k.request(s.Request, p, auth)
	k.sign(s.Sign)
	if s.Request != nil {
		s.Request.Sign = s.Sign
	}
	k.captures(s.Credential, p.answering())
	k.lifetime(s.Expires, p.answering())
}

func (k *compiler) apply(a *Apply) {
	if a == nil {
		return
	}
	k.params(a.Headers, inCall)
	k.params(a.Query, inCall)
	k.params(a.Cookies, inCall)
	k.params(a.Body, inCall)
	k.optional(a.Path, inCall)
	k.sign(a.Sign)
	if a.Basic != nil {
		k.template(&a.Basic.Username, inCall)
		k.template(&a.Basic.Password, inCall)
	}
}

// request compiles r; auth is what authenticates it when it does not say.
func (k *compiler) request(r *Request, p place, auth string) {
	if r == nil {
		return
	}
	if r.Method == "" {
		r.Method = "GET"
	}
	if r.Auth == "" {
		r.Auth = auth
	}
	k.template(&r.URL, p)
	for _, ps := range []Params{r.Query, r.Headers, r.Form} {
		k.params(ps, p)
	}
	if r.JSON != nil {
		r.JSON.templates(func(t *Template) { k.template(t, p) })
	}
	k.optional(r.XML, p)
	k.optional(r.Raw, p)
	k.outcome(r.Outcome, p.answering())
	k.decision(r.SkipWhen, p.answering())
	k.captures(r.Capture, p.answering())
}

func (k *compiler) outcome(o Outcome, p place) {
	k.decision(o.Success, p)
	k.value(o.Error, p)
	k.value(o.ErrorDescription, p)
}

func (k *compiler) identity(id *Identity) {
	if id == nil {
		return
	}
	k.request(id.Request, inCall, "credential")
	for _, s := range id.Also {
		k.request(s.Request, inCall, "credential")
	}
	k.request(id.Picture, inCall, "credential")
	for _, e := range []*Expression{id.Issuer, id.Subject, id.Email, id.Name, id.Username, id.Avatar} {
		k.value(e, inIdentity)
	}
	k.decision(id.EmailVerified, inIdentity)
	k.decision(id.RejectWhen, inIdentity)
}

func (k *compiler) choices(cs []*Choice) {
	for _, ch := range cs {
		k.request(ch.Request, inCall, "credential")
		k.value(ch.Options, inCall.answering())
		k.value(ch.Value, inOption)
		k.value(ch.Name, inOption)
		k.captures(ch.Capture, inOption)
	}
}

func (k *compiler) lifetime(l *Lifetime, p place) {
	if l != nil {
		k.value(l.In, p)
		k.value(l.At, p)
	}
}

func (k *compiler) captures(cs Captures, p place) {
	for i := range cs {
		k.value(&cs[i].Value, p)
	}
}

func (k *compiler) params(ps Params, p place) {
	for i := range ps {
		if !ps[i].Drop {
			k.template(&ps[i].Value, p)
		}
	}
}

func (k *compiler) optional(t *Template, p place) {
	if t != nil {
		k.template(t, p)
	}
}

func (k *compiler) template(t *Template, p place) {
	if len(t.Source) > maxSource {
		k.complain(t.At, "formula", "the template is too long")
		return
	}
	if err := t.split(); err != nil {
		k.complain(t.At, "formula", err.Error())
		return
	}
	if t.At.Line > 0 {
		k.templates = append(k.templates, t)
	}
	for _, part := range t.parts {
		if part.expr != nil {
			k.formula(part.expr, p, t.Source, part.offset)
		}
	}
}

func (k *compiler) value(e *Expression, p place) {
	switch {
	case e == nil || e.Source == "": // the schema says so
	case strings.HasPrefix(strings.TrimSpace(e.Source), "${"):
		k.complain(e.At, "formula", "here stands a bare formula, without ${ and }")
	default:
		k.formula(e, p, e.Source, 0)
	}
}

// decision compiles a formula that is asked yes or no; what it yields is read with Truth.
func (k *compiler) decision(e *Expression, p place) { k.value(e, p) }

// formula compiles e, which stands at offset in a text of the file.
func (k *compiler) formula(e *Expression, p place, text string, offset int) {
	f := k.formulas.compile(e.Source, p)
	e.program, e.path, e.uses = f.program, f.path, f.uses
	fault := f.fault
	for _, u := range f.uses {
		if fault == nil {
			fault = k.names.check(u, p)
		}
		k.use(u)
	}
	if fault == nil {
		return
	}
	at := k.within(e.At, text, offset+byteOffset(e.Source, fault.offset))
	k.complain(at, fault.rule, fault.message)
	k.findings[len(k.findings)-1].Fix = meantFix(at, fault.given, fault.meant)
}

// use notes what a formula reads. What an option stands for is read of the field that has the option.
func (k *compiler) use(u use) {
	k.used[usedName{k.method, u.root, u.name}] = true
	switch u.root {
	case "environment":
		k.used[usedName{k.method, "inputs", EnvironmentInput}] = true
	case "values":
		k.used[usedName{k.method, "inputs", u.name}] = true
		k.used[usedName{k.method, "fields", u.name}] = true
	}
}

// fields compiles the patterns of fs.
func (k *compiler) fields(fs Fields) {
	for i := range fs {
		if fs[i].Pattern == "" {
			continue
		}
		re, err := regexp.Compile(`^(?:` + fs[i].Pattern + `)$`)
		if err != nil {
			k.complain(fs[i].At, "pattern-syntax", "the pattern of "+fs[i].Name+" is not an RE2 expression: "+err.Error())
			continue
		}
		fs[i].pattern = re
	}
}
