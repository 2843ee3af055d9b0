package api

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/access"
	"dowel/engine/identity"
)

type apiKeyInput struct {
	Name      string    `json:"name"`
	Scopes    []string  `json:"scopes"`
	ExpiresAt time.Time `json:"expires_at"`
}

type apiKeyCreated struct {
	// Key is shown this once.
	Key string `json:"key"`
	identity.APIKeyView
}

func (h *handler) apiKeyCreate(c *fiber.Ctx) error {
	var in apiKeyInput
	if err := body(c, &in); err != nil {
		return err
	}
	text, view, err := h.Identity.CreateAPIKey(c.UserContext(), principal(c), in.Name, in.Scopes, in.ExpiresAt)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(apiKeyCreated{Key: text, APIKeyView: view})
}

func (h *handler) apiKeyList(c *fiber.Ctx) error {
	keys, err := h.Identity.APIKeys(c.UserContext(), principal(c))
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"api_keys": keys})
}

func (h *handler) apiKeyRevoke(c *fiber.Ctx) error {
	if err := h.Identity.RevokeAPIKey(c.UserContext(), principal(c), c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (h *handler) tenantShow(c *fiber.Ctx) error {
	origins, err := h.Identity.ReturnOrigins(c.UserContext(), principal(c).Tenant)
	if err != nil {
		return err
	}
	if origins == nil {
		origins = []string{}
	}
	return c.JSON(tenantView{ReturnOrigins: origins})
}

type tenantView struct {
	ReturnOrigins []string `json:"return_origins"`
}

func (h *handler) tenantUpdate(c *fiber.Ctx) error {
	if !principal(c).May(access.WriteApps) {
		return lacks(access.WriteApps)
	}
	var in tenantView
	if err := body(c, &in); err != nil {
		return err
	}
	if err := h.Identity.AllowOrigins(c.UserContext(), principal(c).Tenant, in.ReturnOrigins); err != nil {
		return err
	}
	return h.tenantShow(c)
}
