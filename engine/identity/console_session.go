package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"time"

	"dowel/engine/access"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// The lives of a console link and of the session it opens.
const (
	linkTTL    = 24 * time.Hour
	consoleTTL = 12 * time.Hour
)

// ConsoleLink makes a link that opens a console session for an operator of the tenant, once.
func (s *Service) ConsoleLink(ctx context.Context, tenant, operator string) (string, error) {
	text := newSecret()
	t := now()
	err := s.Store.CreateSession(ctx, storage.Session{
		Ref: storage.Ref{Tenant: tenant, ID: "link_" + rand.Text()}, Hash: hash(text), Operator: operator, Link: true,
		CreatedAt: t, ExpiresAt: t.Add(linkTTL),
	})
	if err != nil {
		return "", err
	}
	return s.PublicURL + "/console/open?link=" + text, nil
}

// Console is an operator's session.
type Console struct {
	Principal access.Principal
	Cookie    string // only when just opened
	CSRF      string
	ExpiresAt time.Time
}

// OpenConsole trades a link for a session with a new cookie. The link counts once.
func (s *Service) OpenConsole(ctx context.Context, link string) (Console, error) {
	rec, err := s.Store.TakeSession(ctx, hash(link))
	if fault.KindOf(err) == fault.NotFound || err == nil && (!rec.Link || !now().Before(rec.ExpiresAt)) {
		return Console{}, fault.E(fault.Gone, "this link was used already or is too old", nil).WithCode("link-used")
	}
	if err != nil {
		return Console{}, err
	}
	cookie, t := newSecret(), now()
	next := storage.Session{
		Ref: storage.Ref{Tenant: rec.Tenant, ID: "sess_" + rand.Text()}, Hash: hash(cookie), Operator: rec.Operator,
		CSRF: newSecret(), CreatedAt: t, ExpiresAt: t.Add(consoleTTL),
	}
	if err := s.Store.CreateSession(ctx, next); err != nil {
		return Console{}, err
	}
	c := console(next)
	c.Cookie = cookie
	return c, nil
}

// Operator returns the session a console cookie stands for.
func (s *Service) Operator(ctx context.Context, cookie string) (Console, error) {
	if cookie == "" {
		return Console{}, signedOut()
	}
	rec, err := s.Store.Session(ctx, hash(cookie))
	if fault.KindOf(err) == fault.NotFound || err == nil && (rec.Link || !now().Before(rec.ExpiresAt)) {
		return Console{}, signedOut()
	}
	if err != nil {
		return Console{}, err
	}
	return console(rec), nil
}

func signedOut() error {
	return fault.E(fault.Unauthenticated, "sign in to the console first", nil).WithCode("signed-out")
}

func console(rec storage.Session) Console {
	return Console{
		Principal: access.Principal{Kind: access.Operator, Tenant: rec.Tenant, ID: rec.Operator},
		CSRF:      rec.CSRF, ExpiresAt: rec.ExpiresAt,
	}
}

// CloseConsole ends a session.
func (s *Service) CloseConsole(ctx context.Context, cookie string) error {
	return s.Store.DeleteSession(ctx, hash(cookie))
}

// SameCSRF compares a form's token with the session's.
func (c Console) SameCSRF(token string) bool {
	return token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(c.CSRF)) == 1
}
