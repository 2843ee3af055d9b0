package auth

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"dowel/engine/definition"
)

// callback adds what the browser brings back, if the definition says more about it than RFC 6749 §4.1.2
// does.
func (x explanation) callback() {
	x.launch()
	if !x.a.ReadsCallback() {
		return
	}
	if x.a.Callback.From == definition.FromPost {
		x.posted()
	}
	out := ExplainedRequest{Title: "callback (from the browser)", Method: http.MethodGet, URL: x.redirectURI}
	switch {
	case x.a.Callback.FormPost:
		out.Method = http.MethodPost
	case x.a.Callback.From == definition.FromFragment:
		out.Note = "the parameters stand in the fragment, which a page of ours reads and posts to us"
	}
	if name := x.a.CodeName(); name != "" && x.a.Callback.From != definition.FromPost {
		out.Query = append(out.Query, name+"="+exampleCode)
	}
	for _, name := range x.a.CallbackNames() {
		out.Query = append(out.Query, name+"=["+name+"]")
	}
	out.Query = append(out.Query, x.a.StateName()+"="+exampleState)
	if v := x.a.Callback.Verify; v != nil {
		out.Note = x.signed(v)
	}
	x.out.Requests = append(x.out.Requests, out)
}

// posted adds what the provider's server posts.
func (x explanation) posted() {
	body := x.a.StateName() + "=" + exampleState
	if name := x.a.CodeName(); name != "" {
		body += "&" + name + "=" + exampleCode
	}
	for _, name := range x.a.PostedNames() {
		body += "&" + name + "=[" + name + "]"
	}
	x.out.Requests = append(x.out.Requests, ExplainedRequest{
		Title: "callback (from the provider's server)", Method: http.MethodPost, URL: x.redirectURI, Body: body,
		Note: "a form or JSON; it counts once, and not before the browser is back",
	})
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
		Title: "launch (from the provider)", Method: http.MethodGet, Note: x.signed(v),
		URL: strings.TrimSuffix(x.redirectURI, "/callback") + "/connect/launch/[tenant]/" + x.k.ID,
	}
	for _, name := range x.a.LaunchNames() {
		out.Query = append(out.Query, name+"=["+name+"]")
	}
	x.out.Requests = append(x.out.Requests, out)
}
