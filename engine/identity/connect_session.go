package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net/url"
	"slices"
	"strings"
	"time"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// sessionTTL is how long a connect session may wait for its person.
const sessionTTL = 15 * time.Minute

// reviewTTL is how much longer its browser may see what came of it.
const reviewTTL = 30 * time.Minute

// SessionInput asks for a connect session.
type SessionInput struct {
	EndUser    string   `json:"end_user"`
	Connectors []string `json:"connectors"`
	Connection string   `json:"connection"` // to reconnect
	ReturnURL  string   `json:"return_url"`
	// OpenerOrigin is the origin of the page that opens the Connect page as a popup and is told the
	// result; it has to be one of the tenant's return origins.
	OpenerOrigin string `json:"opener_origin"`
}

// SessionTicket is what the host application hands to the browser.
type SessionTicket struct {
	// ID names the session to programs; it opens nothing.
	ID        string    `json:"id"`
	Ticket    string    `json:"ticket"`
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expires_at"`
}

// CreateConnectSession makes a ticket that lets one browser complete one connection.
func (s *Service) CreateConnectSession(ctx context.Context, p access.Principal, in SessionInput) (SessionTicket, error) {
	if !p.May(access.CreateConnectSession) {
		return SessionTicket{}, forbidden(access.CreateConnectSession)
	}
	if in.EndUser == "" || len(in.EndUser) > 200 {
		return SessionTicket{}, fault.Field("end_user", "say whose connection this is, in 1 to 200 characters")
	}
	if err := s.checkOrigins(ctx, p, in); err != nil {
		return SessionTicket{}, err
	}
	ticket := newSecret()
	t := now()
	rec := storage.ConnectSession{
		Ref: storage.Ref{Tenant: p.Tenant, ID: "cs_" + rand.Text()}, Revision: 1, TicketHash: hash(ticket), EndUser: in.EndUser,
		Connectors: in.Connectors, Connection: in.Connection, ReturnURL: in.ReturnURL, OpenerOrigin: in.OpenerOrigin,
		CreatedBy: string(p.Kind) + ":" + p.ID, CreatedAt: t, ExpiresAt: t.Add(sessionTTL),
	}
	rec.Outbox = append(rec.Outbox, audit.New(audit.ConnectSessionCreated, p.Tenant, rec.ID, rec.CreatedBy, map[string]string{
		"end_user": in.EndUser, "connectors": strings.Join(in.Connectors, " "),
	}))
	if err := s.Store.CreateConnectSession(ctx, rec); err != nil {
		return SessionTicket{}, err
	}
	return SessionTicket{ID: rec.ID, Ticket: ticket, URL: s.PublicURL + "/connect/" + ticket, ExpiresAt: rec.ExpiresAt}, nil
}

// checkOrigins holds the return URL and the opener against the tenant's list.
func (s *Service) checkOrigins(ctx context.Context, p access.Principal, in SessionInput) error {
	if in.ReturnURL == "" && in.OpenerOrigin == "" {
		return nil
	}
	allowed, err := s.ReturnOrigins(ctx, p.Tenant)
	if err != nil {
		return err
	}
	allowed = append(slices.Clone(allowed), s.PublicURL) // the console returns to itself
	if in.OpenerOrigin != "" && !slices.Contains(allowed, in.OpenerOrigin) {
		return fault.Field("opener_origin", "this origin is not on the tenant's list")
	}
	if in.ReturnURL == "" {
		return nil
	}
	u, err := url.Parse(in.ReturnURL)
	if err != nil || u.User != nil || u.Fragment != "" || strings.ContainsAny(in.ReturnURL, "\\ \t\r\n") || !slices.Contains(allowed, u.Scheme+"://"+u.Host) {
		return fault.Field("return_url", "the origin of this URL is not on the tenant's list")
	}
	return nil
}

// isOrigin reports whether s is a scheme and a host and nothing more; plain http is for loopback.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || s != u.Scheme+"://"+u.Host {
		return false
	}
	h := u.Hostname()
	return u.Scheme == "https" || u.Scheme == "http" && (h == "localhost" || h == "127.0.0.1" || h == "::1")
}

// Ticket is an opened connect session.
type Ticket struct {
	Principal    access.Principal
	Session      string
	Connectors   []string // empty: all
	Connection   string   // to reconnect
	ReturnURL    string
	OpenerOrigin string
	FrameOrigins []string
	TenantName   string
	// ByOperator says that an operator opened it, for whom failures may be told in an operator's words.
	ByOperator bool
	// Used says that the session has made its connection, Result which.
	Used   bool
	Result string
}

// Allows reports whether the session may connect to a connector.
func (t Ticket) Allows(connector string) bool {
	return len(t.Connectors) == 0 || slices.Contains(t.Connectors, connector)
}

// OpenTicket returns what a ticket allows, and binds it to the first browser that opens it. Unknown
// and expired tickets are Gone, alike, and so is a used one in another browser; an open one there is
// Forbidden.
func (s *Service) OpenTicket(ctx context.Context, ticket, browser string) (Ticket, error) {
	rec, err := s.Store.ConnectSession(ctx, hash(ticket))
	if fault.KindOf(err) == fault.NotFound || err == nil && !now().Before(rec.ExpiresAt) {
		return Ticket{}, noLongerValid()
	}
	if err != nil {
		return Ticket{}, err
	}
	if rec.BrowserHash == "" && browser != "" {
		rec, err = s.Store.UpdateConnectSession(ctx, rec.Ref, func(c *storage.ConnectSession) error {
			if c.BrowserHash == "" {
				c.BrowserHash = hash(browser)
			}
			return nil
		})
		if err != nil {
			return Ticket{}, err
		}
	}
	return s.ticket(ctx, rec, browser)
}

// ReviewTicket returns a ticket for seeing what came of it: it binds nothing, and it goes on
// answering after the ticket has expired, because a flow that was begun in time may end later.
func (s *Service) ReviewTicket(ctx context.Context, ticket, browser string) (Ticket, error) {
	rec, err := s.Store.ConnectSession(ctx, hash(ticket))
	if fault.KindOf(err) == fault.NotFound || err == nil && (rec.BrowserHash == "" || now().After(rec.ExpiresAt.Add(reviewTTL))) {
		return Ticket{}, noLongerValid()
	}
	if err != nil {
		return Ticket{}, err
	}
	return s.ticket(ctx, rec, browser)
}

func noLongerValid() error {
	return fault.E(fault.Gone, "this link is no longer valid", nil).WithCode("session-expired")
}

func (s *Service) ticket(ctx context.Context, rec storage.ConnectSession, browser string) (Ticket, error) {
	if browser == "" || subtle.ConstantTimeCompare([]byte(rec.BrowserHash), []byte(hash(browser))) != 1 {
		if rec.Used {
			return Ticket{}, fault.E(fault.Gone, "this link was used already", nil).WithCode("session-used")
		}
		return Ticket{}, fault.E(fault.Forbidden, "this link was opened in another browser", nil).WithCode("browser-mismatch")
	}
	tenant, err := s.Store.Tenant(ctx, rec.Tenant)
	if err != nil {
		return Ticket{}, err
	}
	return Ticket{
		Principal: visitor(rec), Session: rec.ID, Connectors: rec.Connectors, Connection: rec.Connection, ReturnURL: rec.ReturnURL,
		OpenerOrigin: rec.OpenerOrigin, FrameOrigins: tenant.ReturnOrigins, TenantName: tenant.Name,
		ByOperator: strings.HasPrefix(rec.CreatedBy, string(access.Operator)+":"),
		Used:       rec.Used, Result: rec.Result,
	}, nil
}

// visitor is whom a session lets connect.
func visitor(rec storage.ConnectSession) access.Principal {
	return access.Principal{
		Kind: access.EndUser, Tenant: rec.Tenant, ID: rec.ID, EndUser: rec.EndUser, Actions: []access.Action{access.Connect},
	}
}

// NoteFlow notes the flow that was begun with a ticket, so that programs can ask after it.
func (s *Service) NoteFlow(ctx context.Context, t Ticket, flow string) error {
	_, err := s.Store.UpdateConnectSession(ctx, storage.Ref{Tenant: t.Principal.Tenant, ID: t.Session}, func(c *storage.ConnectSession) error {
		c.Flow = flow
		return nil
	})
	return err
}

// UseTicket notes that the session has made its connection. A flow that was already under way may
// still finish and renews the same connection.
func (s *Service) UseTicket(ctx context.Context, t Ticket, connection string) error {
	_, err := s.Store.UpdateConnectSession(ctx, storage.Ref{Tenant: t.Principal.Tenant, ID: t.Session}, func(c *storage.ConnectSession) error {
		c.Used, c.Result = true, connection
		return nil
	})
	return err
}
