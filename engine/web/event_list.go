package web

import (
	"github.com/gofiber/fiber/v2"

	"dowel/engine/audit"
	"dowel/engine/connection"
	"dowel/ui"
)

// eventList is the audit log, newest first.
func (h *handler) eventList(c *fiber.Ctx) error {
	p := ui.EventsPage{Console: noted(c)}
	var err error
	var before string
	for name, to := range map[string]*string{"kind": &p.Kind, "subject": &p.Subject, "before": &before} {
		if *to, err = one(c, name); err != nil {
			return err
		}
	}
	es, err := h.Connections.EventsLike(c.UserContext(), principal(c), connection.EventFilter{
		Subject: p.Subject, Kind: audit.Kind(p.Kind), Before: before, Limit: perPage,
	})
	if err != nil {
		return err
	}
	p.Events = events(es)
	if len(es) == perPage {
		p.NextURL = next("/console/events", es[len(es)-1].ID, "kind", p.Kind, "subject", p.Subject)
	}
	for _, k := range audit.Kinds() {
		p.Kinds = append(p.Kinds, string(k))
	}
	return h.page(c, fiber.StatusOK, frame{}, p)
}
