package web

import (
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
	"dowel/ui"
)

// keyFields are the names of the form's fields where the service has other ones.
var keyFields = map[string]string{"scopes": "scope", "expires_at": "expires"}

// keyCreate makes a key and shows it, this once.
func (h *handler) keyCreate(c *fiber.Ctx) error {
	f := formOf(c)
	in, err := f.all("name", "expires")
	if err != nil {
		return err
	}
	scopes := slices.Clone(f.values["scope"])
	expires, err := inDays(in[1])
	var text string
	if err == nil {
		text, _, err = h.Identity.CreateAPIKey(c.UserContext(), principal(c), in[0], scopes, expires)
	}
	if e := fault.As(err); e != nil && e.Kind == fault.Invalid {
		field := e.Field
		if own, ok := keyFields[field]; ok {
			field = own
		}
		return h.keysPage(c, fiber.StatusUnprocessableEntity, ui.APIKeysPage{
			Console: consoleOf(c), Name: in[0], Chosen: scopes, Expires: in[1], Errors: map[string]string{field: sentence(e.Public)},
		})
	}
	if err != nil {
		return err
	}
	return h.page(c, fiber.StatusOK, frame{}, ui.APIKeyCreatedPage{
		Console: consoleOf(c), Name: in[0], Key: text, Scopes: scopes, ExpiresAt: expires,
	})
}

// inDays is the end of a key that lives a number of days; empty: for ever.
func inDays(days string) (time.Time, error) {
	if days == "" {
		return time.Time{}, nil
	}
	n, err := strconv.Atoi(days)
	if err != nil || n < 1 || n > 3650 {
		return time.Time{}, fault.Field("expires_at", "the lifetime must be a number of days from 1 to 3650")
	}
	return time.Now().AddDate(0, 0, n), nil
}

// keyRevoke ends a key.
func (h *handler) keyRevoke(c *fiber.Ctx) error {
	if err := h.Identity.RevokeAPIKey(c.UserContext(), principal(c), c.Params("id")); err != nil {
		return err
	}
	return h.afterwards(c, "/console/keys", "key-revoked")
}
