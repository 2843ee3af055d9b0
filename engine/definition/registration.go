package definition

// Registration says that the provider lets apps register themselves. Nobody has to add one: it is made
// when somebody connects first, once per tenant and issuer.
type Registration struct {
	// Mode is dynamic (RFC 7591), metadata_document (the client id is the address of a document that we
	// publish about ourselves), or either: the document where the server takes one, else dynamic.
	Mode string `yaml:"mode"`
	// URL is the registration endpoint; nil: the one that is discovered.
	URL *Template `yaml:"url"`
	// Params are laid over what is said about the client (RFC 7591 §2).
	Params *Tree `yaml:"params"`
	// InitialAccessToken lets us register at servers that do not let everybody (RFC 7591 §3).
	InitialAccessToken *Template `yaml:"initial_access_token"`
}

// The modes of a registration.
const (
	RegisterDynamic  = "dynamic"
	RegisterDocument = "metadata_document"
	RegisterEither   = "either"
)

// ClientAuthRegistered authenticates as was agreed when the app registered itself.
const ClientAuthRegistered ClientAuth = "registered"

// Dynamic reports whether the app may have to be registered with a request.
func (r *Registration) Dynamic() bool { return r.Mode != RegisterDocument }

func (k *compiler) registration(a *Auth) {
	r := a.Registration
	if r == nil {
		return
	}
	if r.URL == nil && r.Dynamic() && a.Discovery != nil {
		r.URL = &Template{Source: "${discovered.registration_endpoint}"}
	}
	k.optional(r.URL, inRegister)
	k.optional(r.InitialAccessToken, inRegister)
	if r.Params != nil {
		r.Params.templates(func(t *Template) { k.template(t, inRegister) })
	}
}

func registrationRules() []Rule {
	return []Rule{
		{"registration-endpoint", LevelError, "Who registers sends the request somewhere.", lintRegistrationEndpoint},
		{"registration-unused", LevelError, "How a registered app authenticates matters where one registers.", lintRegistrationUnused},
	}
}

func lintRegistrationEndpoint(l *linter) {
	l.methods(func(a *Auth, at string) {
		r := a.Registration
		switch {
		case r == nil:
		case r.Dynamic() && r.URL == nil:
			l.report(at+"/registration", "nothing says where to register; write url, or say under discovery where the provider publishes it")
		case !r.Dynamic() && (r.URL != nil || r.Params != nil || r.InitialAccessToken != nil):
			l.report(at+"/registration", "with mode: metadata_document nothing is sent, so there is no url, params and initial_access_token")
		}
	})
}

func lintRegistrationUnused(l *linter) {
	l.clientRequests(func(q *ClientRequest, at string) {
		if q.ClientAuth == ClientAuthRegistered && !l.registers(at) {
			l.report(at+"/client_auth", "the app does not register itself here, so nothing was agreed; say how it authenticates, or describe the registration under registration")
		}
	})
}

// registers reports whether the method that a JSON pointer lies in registers its app.
func (l *linter) registers(pointer string) bool {
	found := false
	l.methods(func(a *Auth, at string) {
		found = found || a.Registration != nil && len(pointer) > len(at) && pointer[:len(at)+1] == at+"/"
	})
	return found
}
