package web

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/connection"
	"dowel/ui"
)

// How much the first page looks at: the newest connections of a status, and the rows it shows.
const (
	homeLooks = 200
	homeShows = 8
)

// consoleHome is the first page: counts, what needs attention, what ends soon.
func (h *handler) consoleHome(c *fiber.Ctx) error {
	ctx, p := c.UserContext(), principal(c)
	counts, err := h.Connections.Count(ctx, p)
	if err != nil {
		return err
	}
	connectors, err := h.Catalog.All(ctx, p.Tenant)
	if err != nil {
		return err
	}
	out := ui.HomePage{
		Console: noted(c), Active: counts[connection.Active], NeedsReauth: counts[connection.NeedsReauth],
		Disabled: counts[connection.Disabled], Revoked: counts[connection.Revoked], Connectors: len(connectors),
	}
	if out.RefreshesOK, err = h.lately(ctx, p, audit.CredentialRefreshed); err != nil {
		return err
	}
	if out.RefreshesFailed, err = h.lately(ctx, p, audit.CredentialRefreshFail); err != nil {
		return err
	}
	if err := h.attention(ctx, p, &out); err != nil {
		return err
	}
	recent, err := h.Connections.EventsLike(ctx, p, connection.EventFilter{Limit: homeShows})
	if err != nil {
		return err
	}
	out.Recent = events(recent)
	return h.page(c, fiber.StatusOK, frame{}, out)
}

// attention lists what a person has to mend, and what will end without one.
func (h *handler) attention(ctx context.Context, p access.Principal, out *ui.HomePage) error {
	lost, err := h.Connections.List(ctx, p, connection.Filter{Status: connection.NeedsReauth, Limit: homeShows})
	if err != nil {
		return err
	}
	active, err := h.Connections.List(ctx, p, connection.Filter{Status: connection.Active, Limit: homeLooks})
	if err != nil {
		return err
	}
	rows := h.rows(ctx, active)
	failing := slices.DeleteFunc(slices.Clone(rows), func(r ui.ConnectionRow) bool { return r.Failures == 0 })
	slices.SortStableFunc(failing, func(a, b ui.ConnectionRow) int { return cmp.Compare(b.Failures, a.Failures) })
	out.Attention = first(append(h.rows(ctx, lost), failing...))
	ending := slices.DeleteFunc(rows, func(r ui.ConnectionRow) bool { return endOf(r).IsZero() })
	slices.SortStableFunc(ending, func(a, b ui.ConnectionRow) int { return endOf(a).Compare(endOf(b)) })
	out.Expiring = first(ending)
	return nil
}

func first(rows []ui.ConnectionRow) []ui.ConnectionRow { return rows[:min(len(rows), homeShows)] }

// endOf is when a connection ends unless a person does something; zero: not foreseeable.
func endOf(r ui.ConnectionRow) time.Time {
	if r.Renews {
		return r.EndsAt
	}
	return r.ExpiresAt
}

// countedAtMost bounds what is counted for the first page; more is shown as that many.
const countedAtMost = 1000

// lately counts the events of a kind in the last 24 hours.
func (h *handler) lately(ctx context.Context, p access.Principal, kind audit.Kind) (int, error) {
	since, n, before := time.Now().Add(-24*time.Hour), 0, ""
	for n < countedAtMost {
		es, err := h.Connections.EventsLike(ctx, p, connection.EventFilter{Kind: kind, Before: before, Limit: 200})
		if err != nil {
			return 0, err
		}
		for _, e := range es {
			if e.At.Before(since) {
				return n, nil
			}
			n, before = n+1, e.ID
		}
		if len(es) < 200 {
			break
		}
	}
	return n, nil
}
