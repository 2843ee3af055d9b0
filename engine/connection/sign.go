package connection

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"dowel/engine/access"
	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/storage"
	"dowel/engine/token"
)

// SignRequest is a request that a program is about to make itself.
type SignRequest struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    *string           `json:"body"`
	// BodySHA256 is the digest of a body that the program keeps to itself, in hex.
	BodySHA256 string `json:"body_sha256"`
}

// Signed is what a program adds to its request.
type Signed = auth.Signed

// Sign puts the live credential on a request that a program makes itself, signed where the connector's
// requests are, and sends nothing. It hands out what reading the token would, to whoever may read it, and
// is counted as that is. Connectors whose requests are not signed answer alike.
func (s *Service) Sign(ctx context.Context, p access.Principal, id string, q SignRequest) (Signed, error) {
	if err := allowed(p, access.ReadTokens); err != nil {
		return Signed{}, err
	}
	u, err := q.unsigned()
	if err != nil {
		return Signed{}, err
	}
	r := storage.Ref{Tenant: p.Tenant, ID: id}
	if _, err := s.Source.Token(ctx, r, token.Wish{}); err != nil {
		return Signed{}, missing(err)
	}
	c, err := s.Store.Connection(ctx, r)
	if err != nil {
		return Signed{}, missing(err)
	}
	m, req, cred, err := s.Source.Open(ctx, c)
	if err != nil {
		return Signed{}, err
	}
	out, err := auth.SignRequest(ctx, m, req, cred, u)
	if err != nil {
		return Signed{}, err
	}
	s.Reads.Count(p, id)
	return out, nil
}

// maxHeaders bounds the headers of a request that is signed.
const maxHeaders = 100

// unsigned checks the form of q; whether its address may be called is the definition's to say.
func (q SignRequest) unsigned() (auth.Unsigned, error) {
	out := auth.Unsigned{Method: q.Method, Headers: q.Headers}
	if q.Method == "" {
		out.Method = "GET"
	}
	var err error
	if out.URL, err = url.Parse(q.URL); err != nil || out.URL.Scheme != "https" || out.URL.Host == "" {
		return out, fault.Field("url", "must be a whole address that begins with https://")
	}
	if len(q.Headers) > maxHeaders {
		return out, fault.Field("headers", "are more than anybody would sign")
	}
	if q.Body != nil {
		out.Body = []byte(*q.Body)
	}
	if q.BodySHA256 == "" {
		return out, nil
	}
	if q.Body != nil {
		return out, fault.Field("body_sha256", "stands for the body; give one of the two")
	}
	b, err := hex.DecodeString(q.BodySHA256)
	if err != nil || len(b) != sha256.Size {
		return out, fault.Field("body_sha256", "must be a SHA-256 in hex")
	}
	out.BodySHA256 = new([sha256.Size]byte)
	copy(out.BodySHA256[:], b)
	return out, nil
}
