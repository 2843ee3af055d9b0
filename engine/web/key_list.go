package web

import (
	"github.com/gofiber/fiber/v2"

	"dowel/engine/access"
	"dowel/ui"
)

// keyList lists the API keys.
func (h *handler) keyList(c *fiber.Ctx) error {
	return h.keysPage(c, fiber.StatusOK, ui.APIKeysPage{Console: noted(c), Chosen: []string{string(access.ReadTokens)}})
}

// keysPage draws the list below what p has of the form.
func (h *handler) keysPage(c *fiber.Ctx, status int, p ui.APIKeysPage) error {
	keys, err := h.Identity.APIKeys(c.UserContext(), principal(c))
	if err != nil {
		return err
	}
	for _, k := range keys {
		p.Keys = append(p.Keys, ui.APIKeyRow{
			ID: k.ID, Name: k.Name, Prefix: k.Prefix, Scopes: k.Scopes, CreatedAt: k.CreatedAt,
			ExpiresAt: moment(k.ExpiresAt), RevokedAt: moment(k.RevokedAt), LastUsedAt: moment(k.LastUsedAt),
		})
	}
	for _, a := range access.Actions() {
		p.Scopes = append(p.Scopes, string(a))
	}
	return h.page(c, status, frame{}, p)
}
