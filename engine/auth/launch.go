package auth

import (
	"net/url"

	"dowel/engine/fault"
)

// Launch is what a provider says that has sent somebody here.
type Launch struct {
	// Answers are to inputs and fields; they have been checked by nobody yet.
	Answers map[string]string
	// Subject names who is to be connected; empty if the provider does not say.
	Subject string
}

// maxLaunchSubject bounds the subject, in characters.
const maxLaunchSubject = 150

// Launched reads the parameters of a launch, which have to be signed by the provider with a secret of r's
// app. Nothing is sent, and nothing is decided by it but what a form is filled in with.
func (r Request) Launched(query url.Values) (Launch, error) {
	l, v := r.Auth.Callback.Launch, r.Auth.LaunchVerify()
	if l == nil || v == nil {
		return Launch{}, fault.E(fault.Refused, r.Connector.Name+" sends nobody here", nil)
	}
	for name, values := range query {
		if len(values) > 1 {
			return Launch{}, fault.E(fault.Invalid, "the address contains "+clean(name, 40)+" twice", nil).WithCode("callback-ambiguous")
		}
	}
	if err := r.verify(v, Answer{Query: query}, r.env(nil)); err != nil {
		return Launch{}, err
	}
	r.callback = callbackOf(r.RedirectURI, Answer{Query: query})
	env := r.env(nil)
	subject := l.Subject.Text(env)
	if subject != clean(subject, maxLaunchSubject) {
		return Launch{}, fault.E(fault.Refused, r.Connector.Name+" does not say who is to be connected in a way that can be used", nil)
	}
	return Launch{Answers: texts(l.Answers, env), Subject: subject}, nil
}
