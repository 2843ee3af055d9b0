package auth

import "net/http"

// callback adds what the browser brings back, if the definition says more about it than RFC 6749 §4.1.2
// does.
func (x explanation) callback() {
	if !x.a.ReadsCallback() {
		return
	}
	out := ExplainedRequest{Title: "callback (from the browser)", Method: http.MethodGet, URL: x.redirectURI}
	if x.a.Callback.FormPost {
		out.Method = http.MethodPost
	}
	if name := x.a.CodeName(); name != "" {
		out.Query = append(out.Query, name+"="+exampleCode)
	}
	for _, name := range x.a.CallbackNames() {
		out.Query = append(out.Query, name+"=["+name+"]")
	}
	out.Query = append(out.Query, x.a.StateName()+"="+exampleState)
	x.out.Requests = append(x.out.Requests, out)
}
