package definition

// defaults fills in what a definition may leave out because its kind usually does it so. Afterwards
// every method has an Apply, and auth knows one way to put a credential on a request.
func (a *Auth) defaults() {
	a.defaultSigning()
	switch a.Kind {
	case Basic, Password:
		a.defaultPassword()
	case OAuth1:
		a.defaultOAuth1()
	case Bearer:
		if len(a.Fields) == 0 {
			a.Fields = Fields{{Name: "token", Label: "Token", Type: "password"}}
		}
	}
	if a.Device != nil && a.Device.ClientAuth == "" {
		a.Device.ClientAuth = ClientAuthNone // a code is nothing that a wrong guess could spend
	}
	for _, s := range a.Login {
		s.Sign.defaults()
	}
	if a.Apply != nil {
		a.Apply.Sign.defaults()
		return
	}
	switch a.Kind {
	case AuthorizationCode, DeviceCode, ClientCredentials, JWTBearer, TokenExchange, Password:
		a.Apply = bearing("${credential.access_token}")
	case Bearer:
		a.Apply = bearing("${fields." + a.secretField() + "}")
	case Basic:
		a.Apply = &Apply{Basic: &UserPass{Username: *a.Username, Password: *a.Password}}
	default:
		a.Apply = &Apply{}
	}
}

func (a *Auth) defaultPassword() {
	if len(a.Fields) == 0 {
		a.Fields = Fields{
			{Name: "username", Label: "User name"},
			{Name: "password", Label: "Password", Type: "password"},
		}
	}
	if a.Username == nil {
		a.Username = &Template{Source: "${fields.username}"}
	}
	if a.Password == nil {
		a.Password = &Template{Source: "${fields.password}"}
	}
}

// bearing is the Authorization header of RFC 6750 §2.1.
func bearing(token string) *Apply {
	return &Apply{Headers: Params{{Name: "Authorization", Value: Template{Source: "Bearer " + token}}}}
}

// secretField names the first secret field, or the first field.
func (a *Auth) secretField() string {
	for _, f := range a.Fields {
		if f.Secret() {
			return f.Name
		}
	}
	if len(a.Fields) > 0 {
		return a.Fields[0].Name
	}
	return ""
}
