package web

import (
	"cmp"
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/ui"
)

// connectShow is the first page a person sees: the card of one connector, or the list to pick from.
// A used ticket shows what came of it.
func (h *handler) connectShow(c *fiber.Ctx) error {
	v, err := h.open(c, true)
	if err != nil {
		return err
	}
	h.cookies.keepTicket(c, v.Session, v.text)
	if v.Used {
		return h.already(c, v)
	}
	id, err := one(c, "connector")
	if err != nil {
		return err
	}
	method, err := one(c, "method")
	if err != nil {
		return err
	}
	var reconnectOf string
	if v.Connection != "" {
		old, err := h.Connections.Mine(c.UserContext(), v.Principal, v.Connection)
		if err != nil {
			return err
		}
		id, method, reconnectOf = old.Connector, cmp.Or(method, old.Method), cmp.Or(account(old), old.Name)
	}
	offers, err := h.offers(c.UserContext(), v)
	if err != nil {
		return err
	}
	if id == "" && len(offers) == 1 {
		id = offers[0].ID
	}
	if id == "" {
		return h.pick(c, v, offers)
	}
	k, err := h.allowed(c.UserContext(), v, id)
	if err != nil {
		return err
	}
	p := h.connectPage(v, k, method, typed{}, len(offers))
	p.ReconnectOf = reconnectOf
	return h.page(c, fiber.StatusOK, v.frame(), p)
}

// allowed returns a connector if the session may connect to it.
func (h *handler) allowed(ctx context.Context, v visit, id string) (*definition.Connector, error) {
	if !v.Allows(id) {
		return nil, fault.E(fault.Forbidden, "this link is not for that service", nil).WithCode("not-allowed")
	}
	return h.Catalog.Current(ctx, v.Principal.Tenant, id)
}

// pick shows the list of connectors that the session may choose from.
func (h *handler) pick(c *fiber.Ctx, v visit, offers []*definition.Connector) error {
	p := ui.PickerPage{Dialog: v.dialog("dowel_status", "cancelled"), EndUser: v.Principal.EndUser}
	var err error
	if p.Search, err = searched(c); err != nil {
		return err
	}
	for _, k := range offers {
		p.Offers = append(p.Offers, ui.Offer{Entry: entry(k), Label: ways(k)})
	}
	return h.page(c, fiber.StatusOK, v.frame(), p)
}

// ways names the ways to connect; empty if one of them has no name.
func ways(k *definition.Connector) string {
	names := make([]string, 0, len(k.Auth))
	for _, a := range k.Auth {
		if a.Label == "" {
			return ""
		}
		names = append(names, a.Label)
	}
	return strings.Join(names, ", ")
}

// already shows the connection that the session has made before.
func (h *handler) already(c *fiber.Ctx, v visit) error {
	var p ui.ResultPage
	h.madePage(c.UserContext(), v, &p, v.Result)
	if wantsJSON(c) {
		return h.json(c, fiber.StatusOK, h.UI.Progress(p))
	}
	return h.page(c, fiber.StatusOK, v.resultFrame(), p)
}
