package api

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
	"dowel/engine/fault"
)

func (h *handler) connectionList(c *fiber.Ctx) error {
	limit, err := integer(c, "limit", 50)
	if err != nil {
		return err
	}
	list, err := h.Connections.List(c.UserContext(), principal(c), connection.Filter{
		Connector: c.Query("connector"), EndUser: c.Query("end_user"), Status: connection.Status(c.Query("status")),
		Before: c.Query("before"), Limit: limit,
	})
	if err != nil {
		return err
	}
	out := fiber.Map{"connections": list}
	if len(list) == limit {
		out["next"] = list[len(list)-1].ID
	}
	return c.JSON(out)
}

func (h *handler) connectionShow(c *fiber.Ctx) error {
	v, err := h.Connections.Get(c.UserContext(), principal(c), c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(v)
}

type connectionImport struct {
	Connector    string            `json:"connector"`
	Method       string            `json:"method"`
	EndUser      string            `json:"end_user"`
	Name         string            `json:"name"`
	Answers      map[string]string `json:"answers"`
	AccessToken  string            `json:"access_token"`
	TokenSecret  string            `json:"token_secret"`
	RefreshToken string            `json:"refresh_token"`
	TokenType    string            `json:"token_type"`
	ExpiresAt    time.Time         `json:"expires_at"`
	Scopes       []string          `json:"scopes"`
	Captured     map[string]string `json:"captured"`
	SkipTest     bool              `json:"skip_test"`
}

// connectionImport takes over a connection made elsewhere, or one whose answers a program knows.
func (h *handler) connectionImport(c *fiber.Ctx) error {
	var in connectionImport
	if err := body(c, &in); err != nil {
		return err
	}
	v, err := h.Connections.Import(c.UserContext(), principal(c), connection.Import(in))
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(v)
}

type connectionChange struct {
	Name     *string `json:"name"`
	Disabled *bool   `json:"disabled"`
}

func (h *handler) connectionUpdate(c *fiber.Ctx) error {
	var in connectionChange
	if err := body(c, &in); err != nil {
		return err
	}
	if in.Name == nil && in.Disabled == nil {
		return fault.E(fault.Invalid, "nothing to change: give name or disabled", nil)
	}
	v, err := h.Connections.Update(c.UserContext(), principal(c), c.Params("id"), connection.Change(in))
	if err != nil {
		return err
	}
	return c.JSON(v)
}

func (h *handler) connectionDelete(c *fiber.Ctx) error {
	if err := h.Connections.Delete(c.UserContext(), principal(c), c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (h *handler) connectionDisconnect(c *fiber.Ctx) error {
	revoked, err := h.Connections.Disconnect(c.UserContext(), principal(c), c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"status": connection.Revoked, "revoked_at_provider": revoked})
}

func (h *handler) connectionRefresh(c *fiber.Ctx) error {
	v, err := h.Connections.Refresh(c.UserContext(), principal(c), c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(v)
}

func (h *handler) connectionTest(c *fiber.Ctx) error {
	v, err := h.Connections.Test(c.UserContext(), principal(c), c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(v)
}

func (h *handler) connectionEvents(c *fiber.Ctx) error {
	if _, err := h.Connections.Get(c.UserContext(), principal(c), c.Params("id")); err != nil {
		return err
	}
	return h.events(c, c.Params("id"))
}

func (h *handler) eventList(c *fiber.Ctx) error { return h.events(c, c.Query("subject")) }

func (h *handler) events(c *fiber.Ctx, subject string) error {
	limit, err := integer(c, "limit", 50)
	if err != nil {
		return err
	}
	list, err := h.Connections.Events(c.UserContext(), principal(c), subject, c.Query("before"), limit)
	if err != nil {
		return err
	}
	out := fiber.Map{"events": list}
	if len(list) == limit {
		out["next"] = list[len(list)-1].ID
	}
	return c.JSON(out)
}
