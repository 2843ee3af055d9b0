package definition

import "slices"

// UsesApp reports whether connecting with a can make use of an app: our registration at the provider.
func (a *Auth) UsesApp() bool { return a.HasClient() || len(a.AppFields) > 0 }

// HasClient reports whether there is a client in the sense of RFC 6749 §2, which has a client id. A page
// that hands out keys to anybody knows none.
func (a *Auth) HasClient() bool {
	return a.Token != nil || a.namesClient() || a.Authorize != nil && a.readsApp
}

// NeedsApp reports whether nobody can connect with a before there is an app: the kind needs one, or
// what is sent says something of it that the person does not bring.
func (a *Auth) NeedsApp() bool {
	if a.Registration != nil {
		return false
	}
	if slices.ContainsFunc(a.AppFields, Field.Must) {
		return true
	}
	if _, brought := a.Fields.Named("client_id"); brought {
		return false
	}
	return a.Kind.NeedsApp() || a.Kind == ClientCredentials || a.readsApp || a.namesClient() || a.authenticates()
}

// namesClient reports whether the browser is sent to the provider with the client id.
func (a *Auth) namesClient() bool {
	if a.Authorize == nil {
		return false
	}
	_, sent := a.Authorize.Names.Name("client_id")
	return sent
}

// authenticates reports whether the client shows the provider who it is.
func (a *Auth) authenticates() bool {
	pushed := a.Authorize != nil && a.Authorize.PAR != nil && a.Authorize.PAR.ClientAuth.shows()
	return pushed || a.Token != nil && a.Token.ClientAuth.shows() || a.Device != nil && a.Device.ClientAuth.shows()
}

// shows reports whether a request with this authentication shows who the client is.
func (c ClientAuth) shows() bool {
	return !slices.Contains([]ClientAuth{"", ClientAuthNone, ClientAuthUnsent}, c)
}

// AsksSecret reports whether the app has a client secret that an operator enters.
func (a *Auth) AsksSecret() bool {
	if !a.HasClient() || a.AppSecret == none || a.ClientSecret != nil {
		return false
	}
	signs := false
	for _, how := range a.clientAuths() {
		switch how {
		case ClientAuthHeader, ClientAuthBody, ClientAuthSecretJWT:
			return true
		case ClientAuthPrivateKeyJWT, ClientAuthMTLS:
			signs = true
		}
	}
	return !signs
}

// AppQuestions lists what an operator is asked beside the client id and secret of an app for a method,
// or for all of them (empty). What only one of several methods has to know is then not required.
func (c *Connector) AppQuestions(method string) Fields {
	var out Fields
	methods := c.appMethods(method)
	for _, a := range methods {
		for _, f := range a.AppFields {
			if _, known := out.Named(f.Name); known {
				continue
			}
			optional := slices.ContainsFunc(methods, func(b *Auth) bool {
				g, asked := b.AppFields.Named(f.Name)
				return !asked || !g.Must()
			})
			if f.Must() && optional {
				f.Required = new(bool)
			}
			out = append(out, f)
		}
	}
	return out
}

// AppAsks reports whether an app for a method, or for all of them (empty), has a client id and a client
// secret that an operator enters.
func (c *Connector) AppAsks(method string) (clientID, clientSecret bool) {
	for _, a := range c.appMethods(method) {
		clientID = clientID || a.HasClient()
		clientSecret = clientSecret || a.AsksSecret()
	}
	return clientID, clientSecret
}

// appMethods are the methods that an app for the given method, or for all, can be used with.
func (c *Connector) appMethods(method string) []*Auth {
	var out []*Auth
	for _, a := range c.Auth {
		if a.UsesApp() && (method == "" || a.ID == method) {
			out = append(out, a)
		}
	}
	return out
}
