package identity

import (
	"context"
	"crypto/rand"

	"dowel/engine/audit"
	"dowel/engine/storage"
)

// OpenLaunch makes a ticket for a person whom a provider has sent here, and who has confirmed that they
// want to connect: it is for that connector, that end user and that browser alone. What the provider says
// must have been verified.
func (s *Service) OpenLaunch(ctx context.Context, tenant, connector, endUser, browser string) (text string, _ Ticket, err error) {
	text = newSecret()
	t := now()
	rec := storage.ConnectSession{
		Ref: storage.Ref{Tenant: tenant, ID: "cs_" + rand.Text()}, Revision: 1, TicketHash: hash(text), EndUser: endUser,
		Connectors: []string{connector}, BrowserHash: hash(browser), CreatedBy: "provider:" + connector, CreatedAt: t, ExpiresAt: t.Add(sessionTTL),
	}
	rec.Outbox = append(rec.Outbox, audit.New(audit.ConnectSessionCreated, tenant, rec.ID, rec.CreatedBy, map[string]string{
		"end_user": endUser, "connectors": connector,
	}))
	if err := s.Store.CreateConnectSession(ctx, rec); err != nil {
		return "", Ticket{}, err
	}
	ticket, err := s.ticket(ctx, rec, browser)
	return text, ticket, err
}
