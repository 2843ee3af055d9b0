package web

import (
	"context"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/audit"
	"dowel/engine/connection"
	"dowel/engine/fault"
	"dowel/ui"
)

// noted is consoleOf with the notice that the address asks for, if it is one of ours.
func noted(c *fiber.Ctx) ui.Console {
	p := consoleOf(c)
	if code, err := one(c, "notice"); err == nil && slices.Contains(notices, code) {
		p.Notice = &ui.Notice{Code: code}
	}
	return p
}

// afterwards moves on to a page that says how it went.
func (h *handler) afterwards(c *fiber.Ctx, path, notice string) error {
	return h.redirect(c, path+"?notice="+notice)
}

// unlucky notes on the page that an action did not work. What a provider does wrong is not ours to
// answer with an error page; what we do wrong is.
func unlucky(c *fiber.Ctx, err error) error {
	switch fault.KindOf(err) {
	case fault.Internal, fault.NotFound, fault.Unauthenticated, fault.Forbidden, fault.StoreDown:
		return err
	}
	p := consoleOf(c)
	p.Notice = &ui.Notice{Code: "failed", Bad: true, Words: sentence(fault.Public(err))}
	c.Locals(consoleKey{}, p)
	return nil
}

// row draws one connection in a list.
func (h *handler) row(ctx context.Context, v connection.View) ui.ConnectionRow {
	return ui.ConnectionRow{
		ID: v.ID, Name: v.Name, Connector: v.Connector, Tile: h.tileOf(ctx, v.Tenant, v.Connector), EndUser: v.EndUser, Account: account(v),
		Kind: v.Kind, Status: string(v.Status), Reason: v.StatusReason, Unverified: v.Unverified,
		Failures: v.Health.Failures, LastError: v.Health.LastRefreshError, Renews: v.Renewed,
		ExpiresAt: moment(v.ExpiresAt), EndsAt: moment(v.RefreshExpiresAt), LastRefreshAt: moment(v.Health.LastRefreshAt),
		CreatedAt: v.CreatedAt,
	}
}

func (h *handler) rows(ctx context.Context, vs []connection.View) []ui.ConnectionRow {
	out := make([]ui.ConnectionRow, 0, len(vs))
	for _, v := range vs {
		out = append(out, h.row(ctx, v))
	}
	return out
}

func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func events(es []audit.Event) []ui.Event {
	out := make([]ui.Event, 0, len(es))
	for _, e := range es {
		u := ui.Event{ID: e.ID, Kind: string(e.Kind), Subject: e.Subject, Actor: e.Actor, At: e.At, Data: e.Data}
		if isConnection(e.Subject) && e.Kind != audit.ConnectionDeleted {
			u.SubjectURL = connectionPath(e.Subject)
			u.SubjectName = e.Data["account"]
		}
		out = append(out, u)
	}
	return out
}
