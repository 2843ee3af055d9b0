package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// occasion is one signing of one request: its moment and its nonce, which make every signature another.
type occasion struct {
	at    time.Time
	nonce string
	// named writes names in brackets for what differs from one request to the next, as explanations do.
	named bool
}

// now is the occasion of a request that is about to be sent. A nonce is 130 random bits in letters and
// digits, which every provider takes.
func (r Request) now() occasion {
	switch {
	case r.explained != nil:
		return occasion{named: true}
	case r.occasion != nil:
		return *r.occasion
	}
	return occasion{at: time.Now().UTC(), nonce: rand.Text()}
}

// text is value, or the name that stands for it.
func (o occasion) text(name, value string) string {
	if o.named {
		return "[" + name + "]"
	}
	return value
}

// signature is what sign makes, or the name that stands for it: then there is nothing to sign with.
func (o occasion) signature(sign func() (string, error)) (string, error) {
	if o.named {
		return "[signature]", nil
	}
	return sign()
}

// sign signs out as s says. It is the last thing that is done to a request: what is changed afterwards is
// not what was signed. Signing again takes the place of the earlier signature.
func (r Request) sign(out *http.Request, s *definition.Sign, env definition.Env) error {
	if s == nil {
		return nil
	}
	o := r.now()
	var err error
	switch {
	case s.OAuth1 != nil:
		err = r.signOAuth1(out, s.OAuth1, env, o)
	case s.AWS != nil:
		err = r.signAWS(out, s.AWS, env, o)
	case s.Digest() != nil:
		err = r.signDigest(out, s, env, o)
	case s.WSSE != nil:
		err = signWSSE(out, s.WSSE, env, o)
	case s.JWT != nil:
		err = r.signJWT(out, s, env, o)
	}
	if f := fault.As(err); f != nil && f.Field != "" {
		return f.WithCode("key-unusable") // a complaint about the answer that is to blame
	} else if f != nil {
		return err
	}
	if err != nil {
		return fault.E(fault.Invalid, "no signature can be made with what was entered", err).WithCode("key-unusable")
	}
	return nil
}

// checkSigner complains about an answer that nothing can be signed with, before anything is made of it.
// Whether it is the right key only the provider can tell.
func (r Request) checkSigner(c Credential) error {
	if bad := r.useless(ofPerson); len(bad) > 0 {
		return bad[0]
	}
	env := r.callEnv(&c)
	for _, s := range r.Auth.Signers() {
		var err error
		switch {
		case s.OAuth1 != nil:
			_, err = r.rsaKey(s.OAuth1, env)
		case s.HMAC != nil:
			_, err = r.hmacKey(s.HMAC, env)
		}
		if f := fault.As(err); f != nil && f.Field != "" {
			return f
		}
	}
	return nil // of other things the first request will tell
}

// filledTemplates fills templates of a signer; those that are not given come out empty.
func filledTemplates(env definition.Env, ts ...*definition.Template) ([]string, error) {
	out := make([]string, len(ts))
	for i, t := range ts {
		var err error
		if out[i], err = t.Fill(env); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// content is the body of a request that is being signed, or only its digest, where a program keeps the
// body to itself.
type content struct {
	body     []byte
	sum      [sha256.Size]byte
	withheld bool
}

// errWithheld says that a digest of the body is not enough.
var errWithheld = errors.New("the signature is made of the body itself, and only its digest is here")

// contentOf is what out's body holds.
func (r Request) contentOf(out *http.Request) (content, error) {
	if r.content != nil {
		return *r.content, nil
	}
	b, err := bodyOf(out)
	return content{body: b, sum: sha256.Sum256(b)}, err
}

// signedRequest is out as the formulas of a signer read it.
func (o occasion) signedRequest(out *http.Request, c content) map[string]any {
	address := *out.URL
	address.Fragment, address.RawFragment = "", ""
	m := map[string]any{
		"method": out.Method, "url": address.String(), "host": hostPort(out.URL), "path": escapedPath(out.URL), "query": out.URL.RawQuery,
		"params": map[string]any{}, "headers": map[string]any{},
		"body": string(c.body), "body_sha256": hex.EncodeToString(c.sum[:]), "size": len(c.body),
		"timestamp": int(o.at.Unix()), "timestamp_ms": int(o.at.UnixMilli()),
		"date": o.text("date", o.at.Format(http.TimeFormat)), "time": o.text("time", o.at.Format(time.RFC3339)), "nonce": o.text("nonce", o.nonce),
	}
	if o.named {
		m["timestamp"], m["timestamp_ms"] = "[timestamp]", "[timestamp_ms]"
	}
	joined(m["params"].(map[string]any), out.URL.Query(), ",", func(name string) string { return name })
	joined(m["headers"].(map[string]any), url.Values(out.Header), ", ", strings.ToLower)
	return m
}

// joined writes what is there several times as one text.
func joined(into map[string]any, values map[string][]string, mark string, name func(string) string) {
	for k, v := range values {
		into[name(k)] = strings.Join(v, mark)
	}
}

// hostPort is the host in lower case, without the port that its scheme implies.
func hostPort(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return host
}

// escapedPath is the path as it is sent.
func escapedPath(u *url.URL) string {
	if p := u.EscapedPath(); p != "" {
		return p
	}
	return "/"
}
