package simulator

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"dowel/engine/definition"
)

// What the browser was given to bring can be asked about afterwards: whoever asks shows the code, which
// is good once, or what an earlier question was answered, and is told what belongs to the person who
// was given it, whatever the browser has made of it on the way.

// voucher is what one browser was given to bring.
type voucher struct {
	connector, client string
	account           Account
	auth              *definition.Auth
	// told has the callback as it was, the fields it answers, and the answers of steps so far.
	told document
}

// vouch remembers what a browser is given to bring. s.mu is held.
func (c *call) vouch(ask *consent, account Account, told document, fields map[string]any) {
	if len(ask.auth.Callback.Confirm) == 0 {
		return
	}
	query, _ := told.get([]any{"callback", "query"}).(map[string]any)
	v := &voucher{connector: c.connector.ID, client: ask.client, account: account, auth: ask.auth, told: document{
		"callback": map[string]any{"query": maps.Clone(query)}, "fields": fields, "steps": map[string]any{},
	}}
	for name, value := range query {
		c.s.vouchers[voucherKey("callback.query."+name, definition.Text(value))] = v
	}
}

// voucherKey tells what a browser brings under one name from what it brings under another, and from what
// steps were answered.
func voucherKey(name, value string) string {
	if strings.HasPrefix(name, "steps.") {
		name = "steps"
	}
	return name + "\x00" + value
}

// vouched finds among hits the request that confirms something, and what it is about; nil if it is about
// nothing that was given out.
func (c *call) vouched(hits []hit) (hit, slots, *voucher) {
	for _, h := range hits {
		if h.role != roleConfirm || h.method != c.r.Method {
			continue
		}
		got, p := c.asked(h)
		if p != nil {
			continue
		}
		if v := c.voucher(h, got); v != nil {
			return h, got, v
		}
	}
	return hit{}, nil, nil
}

// shownName is a name under which a request shows something that was given out before.
var shownName = regexp.MustCompile(`^callback\.query\.|^steps\.`)

// voucher is what all the values are of that a request shows; nil if one of them is of nothing.
func (c *call) voucher(h hit, got slots) *voucher {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var out *voucher
	for name, value := range got {
		if !shownName.MatchString(name) {
			continue
		}
		v := c.s.vouchers[voucherKey(name, value)]
		if t := c.s.tokens[value]; v == nil && t != nil && t.grant.connector == c.connector.ID && t.good(time.Now()) {
			continue // the app has got a token of its own, which says nothing of the person
		}
		if v == nil || v.auth != h.auth || v.connector != c.connector.ID || out != nil && v != out {
			return nil
		}
		out = v
	}
	return out
}

// confirm answers a request that confirms something.
func (c *call) confirm(hits []hit) *answer {
	h, got, v := c.vouched(hits)
	if v == nil {
		h = hits[slices.IndexFunc(hits, func(h hit) bool { return h.role == roleConfirm && h.method == c.r.Method })]
		return c.refuseConfirming(h, refuse("invalid_grant", "what is asked about was not given out, or was asked about before"))
	}
	p := c.mayRevoke(h, got)
	if p == nil {
		p = c.ofApp(got, v.client)
	}
	if p != nil {
		return c.refuseConfirming(h, p)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if code, shown := got["callback.query.code"]; shown {
		delete(c.s.vouchers, voucherKey("callback.query.code", code)) // RFC 6749 §4.1.2: once
	}
	d := maps.Clone(v.told)
	for _, path := range h.readLater() {
		value := c.s.issue("confirmed")
		c.s.vouchers[voucherKey("steps.", value)] = v
		d.set(append([]any{"response"}, path...), value)
	}
	for i := range h.request.Capture {
		d.place(&h.request.Capture[i].Value, c.confirmed(h.auth, v.account, h.request.Capture[i].Name))
	}
	d.decide(h.request.Success, true)
	if claims := d.get([]any{"claims"}); claims != nil {
		if err := c.signClaims(d, h.request, claims); err != nil {
			return plain(http.StatusInternalServerError, err.Error())
		}
	}
	v.told.set([]any{"steps", h.confirmation}, map[string]any{"body": d.get(body())})
	return d.answer(http.StatusOK, h.request.Reading)
}

// confirmed is a value that a confirmation captures: of the account, if the identity reads it.
func (c *call) confirmed(a *definition.Auth, account Account, name string) string {
	if id := c.connector.IdentityFor(a); id != nil {
		for e, value := range map[*definition.Expression]string{id.Subject: account.ID, id.Email: account.Email, id.Name: account.Name} {
			if reads(e, "captured."+name) {
				return value
			}
		}
	}
	return c.capturedValue(name)
}

func (c *call) refuseConfirming(h hit, p *problem) *answer {
	c.count(func(s *Stats) { s.Refused[p.code]++ })
	return refusal(h.auth, h.request.Outcome, p)
}

// signClaims puts a token that makes the claims wherever formulas of q read one.
func (c *call) signClaims(d document, q *definition.Request, claims any) error {
	token, err := signed("HS256", c.s.issue("key"), claims)
	if err != nil {
		return err
	}
	q.EachFormula(func(e *definition.Expression) {
		if n := parse(e); n != nil {
			ast.Walk(&n, tokenPlacer{d, string(token)})
		}
	})
	return nil
}

// tokenPlacer puts a token where jwt_claims reads one.
type tokenPlacer struct {
	d     document
	token string
}

// Visit implements ast.Visitor.
func (t tokenPlacer) Visit(n *ast.Node) {
	call, ok := (*n).(*ast.CallNode)
	if !ok || len(call.Arguments) != 1 {
		return
	}
	if callee, ok := call.Callee.(*ast.IdentifierNode); ok && callee.Value == "jwt_claims" {
		t.d.put(call.Arguments[0], t.token, nil)
	}
}

// readLater are the places in the answer of a confirmation that others read as steps.<id>.
func (e *endpoint) readLater() [][]any {
	r := &stepReader{id: e.confirmation}
	for _, c := range e.auth.Callback.Confirm {
		c.Request.EachFormula(func(e *definition.Expression) {
			if n := parse(e); n != nil {
				ast.Walk(&n, r)
			}
		})
	}
	return r.paths
}

// stepReader collects what formulas read of one step.
type stepReader struct {
	id    string
	paths [][]any
}

// Visit implements ast.Visitor. What is inside comes first, so that a whole chain of members comes last.
func (r *stepReader) Visit(n *ast.Node) {
	m, ok := (*n).(*ast.MemberNode)
	if !ok {
		return
	}
	path, ok := document{}.path(m, nil)
	if ok && len(path) > 3 && path[0] == "steps" && path[1] == r.id && path[2] == "body" {
		r.paths = append(r.paths, path[2:])
	}
}
