package identity

import (
	"context"
	"slices"
	"time"

	"dowel/engine/access"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// SessionView is a connect session as programs see it.
type SessionView struct {
	ID         string    `json:"id"`
	EndUser    string    `json:"end_user"`
	Connectors []string  `json:"connectors"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	// Expired says that nothing can be begun with the session any more.
	Expired bool `json:"expired"`
	// Connection is the one to reconnect, or the one that was made; empty before.
	Connection string `json:"connection,omitempty"`
	// Connected says that the session has made its connection.
	Connected bool `json:"connected"`
	// Flow is the one that was begun last; empty if none was.
	Flow string `json:"-"`
}

// Session returns a connect session of the caller's tenant.
func (s *Service) Session(ctx context.Context, p access.Principal, id string) (SessionView, error) {
	if !p.May(access.CreateConnectSession) {
		return SessionView{}, forbidden(access.CreateConnectSession)
	}
	rec, err := s.Store.ConnectSessionByRef(ctx, storage.Ref{Tenant: p.Tenant, ID: id})
	if err != nil {
		return SessionView{}, err
	}
	v := SessionView{
		ID: rec.ID, EndUser: rec.EndUser, Connectors: slices.Clone(rec.Connectors), CreatedAt: rec.CreatedAt, ExpiresAt: rec.ExpiresAt,
		Expired: !now().Before(rec.ExpiresAt), Connection: rec.Connection, Connected: rec.Used, Flow: rec.Flow,
	}
	if v.Connectors == nil {
		v.Connectors = []string{}
	}
	if rec.Used {
		v.Connection = rec.Result
	}
	return v, nil
}

// ProgramTicket opens a connect session for the program that made it, which has no browser to bind it to.
// One that a browser has opened is its alone.
func (s *Service) ProgramTicket(ctx context.Context, p access.Principal, id string) (Ticket, error) {
	if !p.May(access.CreateConnectSession) {
		return Ticket{}, forbidden(access.CreateConnectSession)
	}
	rec, err := s.Store.ConnectSessionByRef(ctx, storage.Ref{Tenant: p.Tenant, ID: id})
	switch {
	case err != nil:
		return Ticket{}, err
	case rec.Used:
		return Ticket{}, fault.E(fault.Gone, "this session was used already", nil).WithCode("session-used")
	case !now().Before(rec.ExpiresAt):
		return Ticket{}, noLongerValid()
	case rec.BrowserHash != "":
		return Ticket{}, fault.E(fault.Conflict, "the person has opened this session already", nil).WithCode("session-opened")
	}
	return Ticket{Principal: visitor(rec), Session: rec.ID, Connectors: rec.Connectors, Connection: rec.Connection}, nil
}
