package definition

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

func oauthRules() []Rule {
	return []Rule{
		{"scopes-twice", LevelError, "Scopes are one list, or groups with a parameter each.", lintScopesTwice},
		{"duplicate-scope", LevelError, "A scope is asked for once.", lintDuplicateScope},
		{"scope-separator-in-scope", LevelError, "A scope that contains the separator is read as two.", lintScopeSeparator},
		{"scope-parameter-twice", LevelError, "Two lists of scopes need two parameters.", lintScopeParameter},
		{"reserved-parameter", LevelError, "What keeps a flow safe is set by Dowel and not by a definition.", lintReserved},
		{"client-auth-twice", LevelError, "A client authenticates in one way (RFC 6749 §2.3).", lintClientAuthTwice},
		{"pkce-off", LevelWarning, "Without PKCE a stolen code can be used (RFC 9700 §2.1.1).", lintPKCEOff},
		{"pkce-plain", LevelWarning, "A plain challenge shows the verifier to whoever sees the request (RFC 7636 §7.2).", lintPKCEPlain},
		{"legacy-kind", LevelWarning, "A person's password is handed to nobody but the provider, where that can be helped (RFC 9700 §2.4).", lintLegacyKind},
		{"refresh-unused", LevelError, "What says how to renew does nothing where nothing is renewed.", lintRefreshUnused},
	}
}

func lintScopesTwice(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.Scopes != nil && len(a.ScopeGroups) > 0 {
			l.reportKey(at+"/scope_groups", "there is scopes already; make it one of the groups")
		}
	})
}

// scopeLists calls f for every list of scopes, with its JSON pointer.
func (l *linter) scopeLists(f func(s *Scopes, at string)) {
	l.methods(func(a *Auth, at string) {
		if a.Scopes != nil {
			f(a.Scopes, at+"/scopes")
		}
		for i := range a.ScopeGroups {
			g := &a.ScopeGroups[i]
			f(&g.Scopes, at+"/scope_groups/"+escape(g.Name))
		}
	})
}

func lintDuplicateScope(l *linter) {
	l.scopeLists(func(s *Scopes, _ string) {
		var seen []string
		for _, t := range slices.Concat(s.Default, s.Required) {
			if slices.Contains(seen, t.Source) {
				l.reportAt(t.At, "the scope %q is asked for already; required ones need not stand in default", t.Source)
			}
			seen = append(seen, t.Source)
		}
	})
}

func lintScopeSeparator(l *linter) {
	l.scopeLists(func(s *Scopes, _ string) {
		for _, t := range slices.Concat(s.Default, s.Required) {
			if t.Literal() && s.Sep() != "" && strings.Contains(t.Source, s.Sep()) {
				l.reportAt(t.At, "%q contains the separator %q; write each scope as an item of its own, or say the separator", t.Source, s.Sep())
			}
		}
	})
}

func lintScopeParameter(l *linter) {
	l.methods(func(a *Auth, at string) {
		var seen []string
		for _, g := range a.ScopeGroups {
			parameter := g.Parameter
			if parameter == "" {
				parameter = "scope"
			}
			if slices.Contains(seen, parameter) {
				l.reportKey(at+"/scope_groups/"+escape(g.Name), "another group is sent as %q already; give this one its parameter", parameter)
			}
			seen = append(seen, parameter)
		}
	})
}

// What the method sets itself, and where a definition says otherwise.
var (
	ofAuthorize = map[string]string{
		"state": "it is made anew for every flow", "code_challenge": "see pkce", "code_challenge_method": "see pkce",
		"response_type": "it is code; null leaves it out", "client_id": "it is the app's; see names", "redirect_uri": "it is Dowel's own; see names",
	}
	ofDevice = map[string]string{"client_id": "it is the app's; see names", "scope": "see scopes"}
	ofToken  = map[string]string{
		"grant_type": "see grant_type", "code": "it comes from the callback", "device_code": "it comes from the device request", "code_verifier": "see pkce", "refresh_token": "it is the credential's",
	}
	ofOAuth1 = map[string]string{
		"oauth_callback": "it is Dowel's own", "oauth_verifier": "it comes from the callback", "oauth_token": "it comes from the answer before",
		"oauth_consumer_key": "it is the app's", "oauth_nonce": "it is made anew for every request", "oauth_timestamp": "it is made anew for every request",
		"oauth_signature": "it is made anew for every request", "oauth_signature_method": "see signature", "oauth_version": "it is 1.0",
		"state": "it is in the callback address",
	}
)

func lintReserved(l *linter) {
	check := func(ps Params, reserved map[string]string, at string) {
		for _, p := range ps {
			if why, ok := reserved[p.Name]; ok && !p.Drop {
				l.reportKey(at+"/"+escape(p.Name), "%s cannot be given here: %s", p.Name, why)
			}
		}
	}
	l.methods(func(a *Auth, at string) {
		for i, t := range a.Exchanges() {
			check(t.Params, reservedOfToken(a), exchangeAt(at, i)+"/params")
		}
		if a.Authorize != nil && a.IDToken != nil {
			check(a.Authorize.Params, map[string]string{"nonce": "it is made anew for every flow"}, at+"/authorize/params")
		}
		if a.Authorize != nil {
			reserved := reservedOf(a)
			check(a.Authorize.Params, reserved, at+"/authorize/params")
			if q := a.Authorize.PAR; q != nil {
				check(q.Params, reserved, at+"/authorize/par/params")
			}
			l.reservedQuery(&a.Authorize.URL, reserved)
		}
		if a.Kind == OAuth1 && a.RequestToken != nil && a.Token != nil {
			check(a.RequestToken.Params, ofOAuth1, at+"/request_token/params")
			check(a.Token.Params, ofOAuth1, at+"/token/params")
		}
		if a.Assertion != nil && a.Token != nil {
			check(a.Token.Params, map[string]string{"assertion": "see assertion"}, at+"/token/params")
		}
		if a.Kind == Password && a.Token != nil {
			check(a.Token.Params, map[string]string{"username": "see username", "password": "see password"}, at+"/token/params")
		}
		if a.Device != nil {
			check(a.Device.Params, ofDevice, at+"/device/params")
		}
		if a.Refresh != nil {
			check(a.Refresh.Params, ofToken, at+"/refresh/params")
		}
	})
}

// reservedOf are the parameters of the authorization request that a definition leaves alone. Kinds
// without a code say themselves what the provider is to answer with.
func reservedOf(a *Auth) map[string]string {
	if a.Kind == OAuth1 {
		return ofOAuth1
	}
	out := maps.Clone(ofAuthorize)
	if a.Kind != AuthorizationCode {
		delete(out, "response_type")
	}
	if _, sent := a.Authorize.Names.Name("redirect_uri"); !sent {
		delete(out, "redirect_uri") // a provider may know the callback address by a name of its own
	}
	if a.Authorize.PAR != nil {
		out["request_uri"] = "the provider makes it of what is pushed"
	}
	if name := a.Authorize.Names[stateParameter]; name != "" {
		out[name] = out[stateParameter]
	}
	return out
}

// reservedOfToken are the parameters of the token request that a definition leaves alone. A client that
// has only itself to show sends no refresh token, unless the person brings one.
func reservedOfToken(a *Auth) map[string]string {
	out := maps.Clone(ofToken)
	if a.Kind == ClientCredentials {
		delete(out, "refresh_token")
	}
	return out
}

func (l *linter) reservedQuery(t *Template, reserved map[string]string) {
	_, query, _ := strings.Cut(t.outline("x"), "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(reserved)) {
		if values.Has(name) {
			l.reportAt(t.At, "%s would be sent twice: take it out of the address (%s)", name, reserved[name])
		}
	}
}

func lintClientAuthTwice(l *linter) {
	check := func(auth ClientAuth, params, headers Params, names Names, at string) {
		if auth == ClientAuthUnsent {
			return // the definition writes itself what it sends of the client
		}
		secret, _ := names.Name("client_secret")
		for _, p := range params {
			switch {
			case p.Drop || p.Name != "client_secret" && p.Name != secret:
			case auth == ClientAuthBody:
				l.reportKey(at+"/params/"+escape(p.Name), "client_auth: body sends %s already", p.Name)
			default:
				l.reportKey(at+"/params/"+escape(p.Name), "client_auth is %s, and this sends the secret in the body too; choose one", auth)
			}
		}
		for _, h := range headers {
			if strings.EqualFold(h.Name, "Authorization") && auth != ClientAuthNone {
				l.reportKey(at+"/headers/"+escape(h.Name), "client_auth: %s authenticates the client already; take the header away or write client_auth: none", auth)
			}
		}
	}
	l.clientRequests(func(q *ClientRequest, at string) { check(q.ClientAuth, q.Params, q.Headers, q.Names, at) })
	l.methods(func(a *Auth, at string) {
		if a.Authorize != nil && a.Authorize.PAR != nil {
			q := a.Authorize.PAR
			check(q.authOr(a.Token), q.Params, q.Headers, nil, at+"/authorize/par")
		}
		if f := a.Refresh; f != nil && a.Token != nil {
			auth := f.ClientAuth
			if auth == "" {
				auth = a.Token.ClientAuth
			}
			check(auth, f.Params, f.Headers, f.Names, at+"/refresh")
		}
	})
}

func lintPKCEOff(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.PKCE.Mode == "off" {
			l.report(at+"/pkce", "nothing protects the code if it is stolen; most providers take PKCE or ignore it, so try optional")
		}
	})
}

func lintPKCEPlain(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.PKCE.Method == "plain" && a.PKCE.Used() {
			l.report(at+"/pkce/method", "use S256 unless the provider refuses it")
		}
	})
}

func lintLegacyKind(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.Kind == Password && a.Help == "" {
			l.report(at+"/kind", "the person's password passes through our hands: use another kind if the provider has one, and else tell the person under help why this is asked")
		}
	})
}

func lintRefreshUnused(l *linter) {
	l.methods(func(a *Auth, at string) {
		f := a.Refresh
		if f == nil {
			return
		}
		s, _ := find(l.d.root, at+"/refresh")
		for i := 0; f.Grant == "none" && i+1 < len(s.value.Content); i += 2 {
			if key := s.value.Content[i].Value; key != "grant" {
				l.reportKey(fmt.Sprintf("%s/refresh/%s", at, escape(key)), "nothing is renewed with grant: none, so %s does nothing", key)
			}
		}
		if f.ReuseGrace > 0 && f.Rotation == "never" {
			l.reportKey(at+"/refresh/reuse_grace", "the refresh token is never replaced, so there is no time after that")
		}
	})
}
