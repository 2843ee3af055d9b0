package definition

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

func callbackRules() []Rule {
	return []Rule{
		{"callback-field", LevelError, "A callback answers fields that the method has.", lintCallbackField},
		{"callback-code", LevelError, "Only the authorization code is brought by a callback; other kinds have no code.", lintCallbackCode},
		{"callback-from", LevelError, "An answer comes in one way, and is read where it comes.", lintCallbackFrom},
		{"post-without-state", LevelError, "What a server posts is found by the state in it.", lintPostWithoutState},
		{"required-unused", LevelWarning, "What a callback must tell is read somewhere.", lintRequiredUnused},
		{"state-lost", LevelError, "A callback is found by its state, which is sent in one place and comes back.", lintStateLost},
		{"host-from-callback", LevelError, "What a browser brings does not decide where secrets go.", lintHostFromCallback},
		{"verify-key", LevelError, "A signature proves something if nobody but the provider and us has the key.", lintVerifyKey},
		{"verify-over", LevelError, "A signature is over what the browser brings.", lintVerifyOver},
		{"unconfirmed-callback", LevelError, "What a browser brings does not choose whose data the app's own secret opens.", lintUnconfirmedCallback},
		{"credential-too-early", LevelError, "What leads to a credential is not asked with it.", lintCredentialTooEarly},
		{"launch-unverified", LevelError, "Nobody but the provider sends people here in its name.", lintLaunchUnverified},
		{"launch-answer", LevelError, "A launch answers what is asked, and no secret.", lintLaunchAnswer},
		{"pkce-encoding", LevelError, "How a hash is written matters only where there is one.", lintPKCEEncoding},
	}
}

func lintCallbackField(l *linter) {
	l.methods(func(a *Auth, at string) {
		for _, c := range a.Callback.Fields {
			if _, ok := a.Fields.Named(c.Name); !ok {
				l.reportKey(at+"/callback/fields/"+c.Name, "the method has no field %q; add it to fields, with type: password if it is a secret", c.Name)
			}
		}
	})
}

func lintCallbackCode(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.Kind != AuthorizationCode && l.has(at+"/callback/code") {
			l.reportKey(at+"/callback/code", "%s trades no code, so this does nothing; read what the callback tells under fields or capture", a.Kind)
		}
	})
}

func lintCallbackFrom(l *linter) {
	for i, a := range l.c.Auth {
		at := fmt.Sprintf("/auth/%d/callback", i)
		posted := l.readsAny("callback.posted", i)
		switch from := a.Callback.From; {
		case a.Callback.FormPost && from != "" && from != FromQuery:
			l.reportKey(at+"/form_post", "a form that the browser posts is another way than from: %s; leave out one of them", from)
		case from == FromPost && !posted:
			l.report(at+"/from", "nothing reads what the provider's server posts; read callback.posted under fields or capture, or leave this out")
		case from != FromPost && posted:
			l.reportKey(at, "callback.posted is empty unless the provider's server posts something; write from: post, or read callback.query")
		}
	}
}

// readsAny reports whether a formula of the given method reads something of root.
func (l *linter) readsAny(root string, method int) bool {
	for u := range l.used {
		if u.root == root && u.method == method {
			return true
		}
	}
	return false
}

func lintPostWithoutState(l *linter) {
	l.methods(func(a *Auth, at string) {
		switch {
		case a.Callback.From != FromPost || a.Authorize == nil:
		case a.Authorize.StateIn == InRedirectURI:
			l.report(at+"/callback/from", "the state in the redirect URI comes back with the browser and not with the post; send it as a parameter that the server posts back")
		case a.Callback.State == "" && a.Authorize.Names[stateParameter] == "":
			l.report(at+"/callback/from", "say under which name the provider's server posts the state: authorize.names.state, or callback.state")
		}
	})
}

func lintRequiredUnused(l *linter) {
	for i, a := range l.c.Auth {
		for n, name := range a.Callback.Required {
			if !l.reads("callback.query", name, i) && !l.reads("callback.posted", name, i) {
				l.report(fmt.Sprintf("/auth/%d/callback/required/%d", i, n), "nothing reads callback.query.%s; keep it under capture or fields, or do not require it", name)
			}
		}
	}
}

func lintStateLost(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.Authorize == nil {
			return
		}
		name, named := a.Authorize.Names[stateParameter]
		switch inURI := a.Authorize.StateIn == InRedirectURI; {
		case inURI && named:
			l.reportKey(at+"/authorize/names/state", "the state is sent in the redirect URI, so it is no parameter that could have a name")
		case inURI:
			if to, ok := a.Authorize.Names["redirect_uri"]; ok && to == "" {
				l.reportKey(at+"/authorize/state_in", "the redirect URI is not sent, and the state would be sent with it")
			}
		case named && name == "":
			l.reportKey(at+"/authorize/names/state", "without a state no callback can be told from a forged one; write state_in: redirect_uri if the provider brings back no parameter")
		}
	})
}

// fixedDomain finds a domain of two names or more at the end of a host.
var fixedDomain = regexp.MustCompile(`\.[A-Za-z0-9-]+\.[A-Za-z0-9-]+(:[0-9]{1,5})?$`)

func lintHostFromCallback(l *linter) {
	told := map[string]bool{}
	l.methods(func(a *Auth, _ string) {
		for _, c := range a.Callback.Capture {
			told["captured."+c.Name] = true
		}
		for _, c := range a.Callback.Fields {
			told["fields."+c.Name] = true
		}
	})
	for i := range l.c.Hosts {
		h := &l.c.Hosts[i]
		host, _ := hostPart(h)
		for _, p := range h.parts {
			if p.expr == nil || fixedDomain.MatchString(host.tail) {
				continue
			}
			if u := slices.IndexFunc(p.expr.uses, func(u use) bool { return told[u.root+"."+u.name] }); u >= 0 {
				l.reportAt(h.At, "%s comes with the browser, where anybody can change it, and would decide who gets the client secret; list the provider's hosts, or write its domain behind it", strings.TrimSpace(p.expr.Source))
			}
		}
	}
}

// verifies calls f for every signature that is checked, with its JSON pointer.
func (l *linter) verifies(f func(a *Auth, v *Verify, at string)) {
	l.methods(func(a *Auth, at string) {
		if a.Callback.Verify != nil {
			f(a, a.Callback.Verify, at+"/callback/verify")
		}
		if l := a.Callback.Launch; l != nil && l.Verify != nil {
			f(a, l.Verify, at+"/callback/provider_initiated/verify")
		}
	})
}

func lintVerifyKey(l *linter) {
	l.verifies(func(a *Auth, v *Verify, _ string) {
		key, secret := v.Key(), false
		for _, p := range key.parts {
			if p.expr == nil {
				continue
			}
			secret = secret || l.secretIn(p.expr) != ""
			for _, u := range p.expr.uses {
				if f, ok := a.Fields.Named(u.name); ok && f.Told && u.root == "fields" {
					l.reportAt(key.At, "fields.%s is told by the callback itself, so whoever writes one could choose the key", u.name)
				}
			}
		}
		if !secret {
			l.reportAt(key.At, "nothing in %q is secret, so anybody could sign; use the app's client secret, or a field of type password", cut(key.Source))
		}
	})
}

func lintVerifyOver(l *linter) {
	l.verifies(func(_ *Auth, v *Verify, _ string) {
		if v.HMAC == nil || v.HMAC.Over.Source == OverSortedQuery {
			return
		}
		for _, p := range v.HMAC.Over.parts {
			if p.expr != nil && slices.ContainsFunc(p.expr.uses, func(u use) bool { return u.root == "callback.query" || u.root == "callback.posted" }) {
				return
			}
		}
		l.reportAt(v.HMAC.Over.At, "%q reads nothing of the callback, so one signature would do for all; write %s, or read callback.query", cut(v.HMAC.Over.Source), OverSortedQuery)
	})
}

func lintLaunchUnverified(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.Callback.Launch != nil && a.LaunchVerify() == nil {
			l.reportKey(at+"/callback/provider_initiated", "anybody could send people here in the provider's name; say under verify how it signs, or let them begin here")
		}
	})
}

func lintLaunchAnswer(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.Callback.Launch == nil {
			return
		}
		for _, c := range a.Callback.Launch.Answers {
			f, ok := slices.Concat(l.c.Inputs, a.Fields).Named(c.Name)
			switch at := at + "/callback/provider_initiated/answers/" + c.Name; {
			case !ok:
				l.reportKey(at, "%q is asked neither under inputs nor under fields", c.Name)
			case f.Secret():
				l.reportKey(at, "%q is secret, and would stand in the address of the launch", c.Name)
			case f.Hidden || f.Disabled:
				l.reportKey(at, "%q is not asked, so nobody can answer it", c.Name)
			}
		}
	})
}

func lintPKCEEncoding(l *linter) {
	l.methods(func(a *Auth, at string) {
		switch {
		case a.PKCE.Encoding == "":
		case !a.PKCE.Used():
			l.reportKey(at+"/pkce/encoding", "no challenge is sent, so there is nothing to write in %s", a.PKCE.Encoding)
		case a.PKCE.Method == "plain":
			l.reportKey(at+"/pkce/encoding", "a plain challenge is the verifier itself and no hash, so it is not written in %s", a.PKCE.Encoding)
		}
	})
}
