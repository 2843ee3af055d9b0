package definition

import "cmp"

// Reading says how the body of an answer becomes response.body.
type Reading struct {
	// Parse is the body's form: auto (JSON, else a form; the usual one), json, form, xml, jwt, jsonp or
	// text.
	Parse string `yaml:"parse"`
	// StripPrefix is taken off the front of the body if it stands there.
	StripPrefix string `yaml:"strip_prefix"`
}

// The forms of a body.
const (
	ParseAuto  = "auto"
	ParseJSON  = "json"
	ParseForm  = "form"
	ParseXML   = "xml"
	ParseJWT   = "jwt"   // the claims of a JWT (RFC 7519)
	ParseJSONP = "jsonp" // JSON as the argument of a function call
	ParseText  = "text"
)

// or is r, with what it does not say as in other.
func (r Reading) or(other Reading) Reading {
	return Reading{Parse: cmp.Or(r.Parse, other.Parse), StripPrefix: cmp.Or(r.StripPrefix, other.StripPrefix)}
}

// ReadingOf is how the answer to a renewal is read: as the refresh block says, else as the token request
// does.
func (f *Refresh) ReadingOf(t *TokenRequest) Reading {
	if f == nil {
		return t.Reading
	}
	return f.or(t.Reading)
}
