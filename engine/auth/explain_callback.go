package auth

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"dowel/engine/definition"
)

// callback adds what the browser brings back, if the definition says more about it than RFC 6749 §4.1.2
// does.
func (x explanation) callback() {
	if !x.a.ReadsCallback() {
		return
	}
	if x.a.Callback.From == definition.FromPost {
		x.posted()
	}
	out := ExplainedRequest{Title: "callback (from the browser)", Method: http.MethodGet, URL: x.redirectURI, Taken: true}
	switch {
	case x.a.Callback.FormPost:
		out.Method = http.MethodPost
	case x.a.Callback.From == definition.FromFragment:
		out.Note = "the parameters stand in the fragment, which a page of ours reads and posts to us"
	}
	code := x.a.CodeName()
	if code != "" && x.a.Callback.From != definition.FromPost {
		out.brings(code, exampleCode, cmp.Or(x.named("callback.code", x.a.Callback.Code), x.readBy("callback.query", code)))
	}
	for _, name := range x.a.CallbackNames() {
		if name != code || x.a.Callback.From == definition.FromPost {
			out.brings(name, "["+name+"]", x.readBy("callback.query", name))
		}
	}
	out.brings(x.a.StateName(), exampleState, x.named("callback.state", x.a.Callback.State))
	if v := x.a.Callback.Verify; v != nil {
		out.Note = x.signed(v)
	}
	x.out.Requests = append(x.out.Requests, out)
}

// confirmations adds what the provider is asked about the callback.
func (x explanation) confirmations() {
	told := url.Values{}
	for _, name := range x.a.CallbackNames() {
		told.Set(name, "["+name+"]")
	}
	env := definition.Env{"callback": callbackOf(x.redirectURI, Answer{Query: told}), "steps": x.exampleSteps()}
	for _, c := range x.a.Callback.Confirm {
		x.callWith("confirm "+c.ID, "callback.confirm."+c.ID, c.Request, env)
	}
}

// stepPath finds what a formula reads of the answer of a step.
var stepPath = regexp.MustCompile(`\bsteps((?:\.[A-Za-z_][A-Za-z0-9_]*)+)`)

// exampleSteps has a name wherever a confirmation reads what one before was answered.
func (x explanation) exampleSteps() map[string]any {
	out := map[string]any{}
	for _, c := range x.a.Callback.Confirm {
		c.Request.EachFormula(func(e *definition.Expression) {
			for _, m := range stepPath.FindAllStringSubmatch(e.Source, -1) {
				path := strings.Split(m[1][1:], ".")
				name := path[len(path)-1]
				at := out
				for _, step := range path[:len(path)-1] {
					next, _ := at[step].(map[string]any)
					if next == nil {
						next = map[string]any{}
						at[step] = next
					}
					at = next
				}
				at[name] = "[" + path[0] + "." + name + "]"
			}
		})
	}
	return out
}

// brings adds a parameter that somebody brings, and what reads it.
func (r *ExplainedRequest) brings(name, value, from string) {
	r.Query, r.QueryFrom = append(r.Query, name+"="+value), append(r.QueryFrom, from)
}

// named is the key of the definition that names a standard parameter, or nothing.
func (explanation) named(key, name string) string {
	if name == "" {
		return ""
	}
	return key
}

// readBy is the key of the definition that reads what a callback tells.
func (x explanation) readBy(root, name string) string {
	c := x.a.Callback
	reads := func(cs definition.Captures) bool {
		return slices.ContainsFunc(cs, func(c definition.Capture) bool { return c.Value.Reads(root, name) })
	}
	switch {
	case root == "callback.query" && c.Verify != nil && slices.Contains(c.Verify.Params(), name):
		return "callback.verify"
	case reads(c.Fields):
		return "callback.fields"
	case reads(c.Capture):
		return "callback.capture"
	case x.a.ConfirmReads(root, name):
		return "callback.confirm"
	case c.Denied.Reads(root, name):
		return "callback.denied"
	case slices.Contains(c.Required, name):
		return "callback.required"
	}
	return ""
}

// posted adds what the provider's server posts.
func (x explanation) posted() {
	out := ExplainedRequest{
		Title: "callback (from the provider's server)", Method: http.MethodPost, URL: x.redirectURI, Taken: true,
		Body: x.a.StateName() + "=" + exampleState, Note: "a form or JSON; it counts once, and not before the browser is back",
	}
	if name := x.a.CodeName(); name != "" {
		out.Body += "&" + name + "=" + exampleCode
	}
	for _, name := range x.a.PostedNames() {
		out.Body += "&" + name + "=[" + name + "]"
		out.BodyFrom = append(out.BodyFrom, ExplainedHeader{Name: name, Value: x.readBy("callback.posted", name)})
	}
	x.out.Requests = append(x.out.Requests, out)
}

// signed says how a signature is checked.
func (x explanation) signed(v *definition.Verify) string {
	r, _ := x.example("[captured.%s]")
	key, err := v.Key().Fill(r.env(nil))
	if err != nil {
		key = v.Key().Source
	}
	if v.JWT != nil {
		return fmt.Sprintf("refused unless %s is a token signed with %s by %s", v.JWT.Param, cmp.Or(v.JWT.Alg, "HS256"), key)
	}
	over := v.HMAC.Over.Source
	if over == definition.OverSortedQuery {
		over = "all other parameters, sorted"
	}
	return fmt.Sprintf("refused unless %s is the HMAC-%s, keyed with %s, of %s", v.HMAC.Param, cmp.Or(v.HMAC.Alg, "sha256"), key, over)
}

// launch adds how people come who have begun at the provider.
func (x explanation) launch() {
	v := x.a.LaunchVerify()
	if v == nil {
		return
	}
	out := ExplainedRequest{
		Title: "launch (from the provider)", Method: http.MethodGet, Taken: true, Note: x.signed(v),
		URL: strings.TrimSuffix(x.redirectURI, "/callback") + "/connect/launch/[tenant]/" + x.k.ID,
	}
	for _, name := range x.a.LaunchNames() {
		from := "callback.provider_initiated"
		if slices.Contains(v.Params(), name) {
			from = "callback.verify"
		}
		out.brings(name, "["+name+"]", from)
	}
	x.out.Requests = append(x.out.Requests, out)
}
