package definition

import (
	"fmt"
	"slices"
	"strings"
)

func addressRules() []Rule {
	return []Rule{
		{"http-url", LevelError, "Nothing is sent, and nobody is sent, over a connection that others can read.", lintHTTPURL},
		{"base-url-missing", LevelError, "An address that begins with / stands under api.base_url.", lintBaseURL},
		{"secret-in-url", LevelWarning, "Addresses are written to logs; a secret is better sent in a header or a body.", lintSecretInURL},
	}
}

// addresses calls f for every address that something is sent to; underBase says that it may be a path
// under api.base_url.
func (l *linter) addresses(f func(t *Template, underBase bool)) {
	one := func(t *Template, underBase bool) {
		if t != nil && len(t.parts) > 0 {
			f(t, underBase)
		}
	}
	one(l.c.API.BaseURL, false)
	l.methods(func(a *Auth, _ string) {
		if a.API != nil {
			one(a.API.BaseURL, false)
		}
		if a.Authorize != nil {
			one(&a.Authorize.URL, false)
			if q := a.Authorize.PAR; q != nil {
				one(&q.URL, false)
			}
		}
		if a.Refresh != nil {
			one(a.Refresh.URL, false)
		}
		if a.IDToken != nil {
			one(a.IDToken.JWKSURL, false)
		}
		if a.Registration != nil {
			one(a.Registration.URL, false)
		}
	})
	l.clientRequests(func(q *ClientRequest, _ string) { one(&q.URL, false) })
	l.requests(func(r *Request, _ string) { one(&r.URL, true) })
}

func lintHTTPURL(l *linter) {
	check := func(t *Template, underBase bool) {
		switch first := t.parts[0]; {
		case first.expr != nil || strings.HasPrefix(first.text, "https://"):
		case underBase && strings.HasPrefix(first.text, "/"):
		default:
			l.reportAt(t.At, "%q must begin with https://", cut(t.Source))
		}
	}
	l.addresses(check)
	l.methods(func(a *Auth, _ string) {
		if a.Issuer != nil && len(a.Issuer.parts) > 0 {
			check(a.Issuer, false)
		}
		if t := a.IDToken; t != nil && t.Issuer != nil && len(t.Issuer.parts) > 0 {
			check(t.Issuer, false)
		}
	})
	l.links(func(link, at string) {
		if link != "" && !strings.HasPrefix(link, "https://") {
			l.report(at, "%q must begin with https://", cut(link))
		}
	})
}

// links calls f for every address that people follow.
func (l *linter) links(f func(link, at string)) {
	k := l.c.Links
	f(k.Docs, "/links/docs")
	f(k.Apps, "/links/apps")
	f(k.Revoke, "/links/revoke")
	f(k.StatusURL, "/links/status")
	f(k.Website, "/links/website")
	l.fields(func(d Field, at string) { f(d.HelpURL, at+"/help_url") })
	l.methods(func(a *Auth, at string) { f(a.DocsURL, at+"/docs_url") })
}

func lintBaseURL(l *linter) {
	based := !slices.ContainsFunc(l.c.Auth, func(a *Auth) bool { return l.c.APIFor(a).BaseURL == nil })
	if based {
		return
	}
	l.requests(func(r *Request, _ string) {
		if strings.HasPrefix(r.URL.Source, "/") {
			l.reportAt(r.URL.At, "%q stands under api.base_url, which is missing; add it or write the whole address", cut(r.URL.Source))
		}
	})
}

func lintSecretInURL(l *linter) {
	check := func(t *Template) {
		for _, p := range t.parts {
			if p.expr == nil {
				continue
			}
			if name := l.secretIn(p.expr); name != "" {
				l.reportAt(t.At, "%s would stand in the address, which proxies and servers write to their logs", name)
			}
		}
	}
	l.addresses(func(t *Template, _ bool) { check(t) })
	l.methods(func(a *Auth, _ string) {
		if a.Apply != nil && a.Apply.Path != nil {
			check(a.Apply.Path)
		}
	})
	l.paramLists("query", func(ps Params, _ string) {
		for i := range ps {
			check(&ps[i].Value)
		}
	})
}

// secretIn names a secret that a formula reads.
func (l *linter) secretIn(e *Expression) string {
	for _, u := range e.uses {
		if u.hashed {
			continue
		}
		secret := u.root == "credential" && u.name != "scopes" && u.name != "token_type" || u.name == "client_secret"
		lists := []Fields{l.c.Inputs}
		for _, a := range l.c.Auth {
			lists = append(lists, a.Fields)
		}
		for _, fs := range lists {
			f, ok := fs.Named(u.name)
			secret = secret || ok && f.Secret() && (u.root == "inputs" || u.root == "fields")
		}
		for _, a := range l.c.Auth {
			f, ok := a.AppFields.Named(u.name)
			secret = secret || ok && f.Secret() && u.root == "app"
		}
		if secret {
			return fmt.Sprintf("%s.%s", u.root, u.name)
		}
	}
	return ""
}
