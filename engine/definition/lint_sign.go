package definition

import (
	"fmt"
	"slices"
	"strings"
)

func signRules() []Rule {
	return []Rule{
		{"sign-key", LevelError, "A signature is made with the key that its method takes.", lintSignKey},
		{"sign-header-twice", LevelError, "What a signer writes is written by nothing else.", lintSignHeaderTwice},
		{"signature-unused", LevelError, "A signature that is sent nowhere proves nothing.", lintSignatureUnused},
		{"signature-constant", LevelWarning, "A signature over nothing of the request is good for every request, whoever sends it.", lintSignatureConstant},
		{"weak-signature", LevelWarning, "Some ways to sign protect little, and are for providers that know no better.", lintWeakSignature},
		{"apply-body-unsent", LevelError, "What goes into the body is not sent with GET and HEAD, which have none.", lintApplyBodyUnsent},
	}
}

// signers calls f for every signer that stands in the file, with its JSON pointer.
func (l *linter) signers(f func(a *Auth, s *Sign, at string)) {
	l.methods(func(a *Auth, at string) {
		if a.Apply != nil && a.Apply.Sign != nil && l.has(at+"/apply/sign") {
			f(a, a.Apply.Sign, at+"/apply/sign/"+a.Apply.Sign.name())
		}
		for i, s := range a.Login {
			if step := fmt.Sprintf("%s/login/%d/sign", at, i); s.Sign != nil && l.has(step) {
				f(a, s.Sign, step+"/"+s.Sign.name())
			}
		}
	})
}

func lintSignKey(l *linter) {
	check := func(o *OAuth1Signature, at string) {
		rsa := o.Method == "RSA-SHA1"
		switch {
		case rsa && o.PrivateKey.Source == "":
			l.report(at+"/method", "RSA-SHA1 signs with a private key; say which under private_key")
		case !rsa && o.PrivateKey.Source != "":
			l.reportKey(at+"/private_key", "%s signs with the secrets; a private key is RSA-SHA1's", o.Method)
		case !rsa && o.ConsumerSecret.Source == "":
			l.reportKey(at, "%s signs with the secrets; say the client's under consumer_secret", o.Method)
		}
	}
	l.signers(func(_ *Auth, s *Sign, at string) {
		if s.OAuth1 != nil {
			check(s.OAuth1, at)
		}
	})
	l.methods(func(a *Auth, at string) {
		if a.Signature != nil {
			check(a.credentials, at+"/signature")
		}
	})
}

func lintSignHeaderTwice(l *linter) {
	l.signers(func(a *Auth, s *Sign, at string) {
		writes := s.header()
		if writes == "" {
			return
		}
		apply := strings.TrimSuffix(at, "/sign/"+s.name())
		check := func(ps Params, at string) {
			for _, p := range ps {
				if strings.EqualFold(p.Name, writes) && !p.Drop {
					l.reportKey(at+"/"+escape(p.Name), "the signer writes %s; what stands here would be replaced", writes)
				}
			}
		}
		if i := slices.IndexFunc(a.Login, func(step *Step) bool { return step.Sign == s }); i >= 0 {
			if q := a.Login[i].Request; q != nil {
				check(q.Headers, apply+"/request/headers")
			}
			return
		}
		check(a.Apply.Headers, apply+"/headers")
		check(l.c.API.Headers, "/api/headers")
		if a.API != nil {
			check(a.API.Headers, strings.TrimSuffix(apply, "/apply")+"/api/headers")
		}
		if a.Apply.Basic != nil && writes == "Authorization" {
			l.reportKey(apply+"/basic", "the signer writes Authorization; what stands here would be replaced")
		}
	})
}

func lintSignatureUnused(l *linter) {
	l.signers(func(_ *Auth, s *Sign, at string) {
		places := s.Places()
		sent := s.Digest() == nil && s.JWT == nil
		for _, ps := range []Params{places.Headers, places.Query} {
			for i := range ps {
				sent = sent || ps[i].ReadsSignature()
			}
		}
		if !sent {
			l.reportKey(at, "the signature is sent nowhere; write it into a header or a parameter as ${signature}")
		}
	})
}

func lintSignatureConstant(l *linter) {
	l.signers(func(_ *Auth, s *Sign, at string) {
		d := s.Digest()
		if d == nil || d.Message.readsRoot("request") {
			return
		}
		l.report(at+"/message", "the message is the same for every request; make it of request.method, request.url and the like, as the provider says")
	})
}

func lintWeakSignature(l *linter) {
	plain := func(at string) {
		l.report(at+"/method", "PLAINTEXT sends the secrets with every request; use HMAC-SHA1 or better if the provider takes it")
	}
	l.methods(func(a *Auth, at string) {
		if a.Signature != nil && a.Signature.Method == "PLAINTEXT" {
			plain(at + "/signature")
		}
	})
	l.signers(func(_ *Auth, s *Sign, at string) {
		d := s.Digest()
		switch {
		case s.OAuth1 != nil && s.OAuth1.Method == "PLAINTEXT":
			plain(at)
		case d != nil && d.Alg == "md5", s.Hash != nil && d.Alg == "sha1":
			l.report(at+"/alg", "%s can be forged; use sha256 if the provider takes it", strings.ToUpper(d.Alg))
		}
	})
}

func lintApplyBodyUnsent(l *linter) {
	l.methods(func(a *Auth, at string) {
		p := a.Apply
		if p == nil || len(p.Body) == 0 || len(p.Headers)+len(p.Query)+len(p.Cookies) > 0 || p.Basic != nil || p.Sign != nil {
			return
		}
		check := func(r *Request) {
			if r != nil && r.Auth == "credential" && (r.Method == "GET" || r.Method == "HEAD") {
				l.reportAt(r.URL.At, "a %s request has no body for the credential of %q; make it a POST, or say under apply where else it goes", r.Method, a.ID)
			}
		}
		for _, r := range l.c.TestsFor(a) {
			check(r)
		}
		if id := l.c.IdentityFor(a); id != nil {
			check(id.Request)
			for _, s := range id.Also {
				check(s.Request)
			}
		}
		for _, ch := range l.c.ChoicesFor(a) {
			check(ch.Request)
		}
	})
}
