package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
	"dowel/engine/fault"
	"dowel/ui"
)

// appCreate keeps a registration at the provider.
func (h *handler) appCreate(c *fiber.Ctx) error {
	id := c.Params("id")
	in, err := formOf(c).all("name", "method", "environment", "client_id", "client_secret", "scopes")
	if err != nil {
		return err
	}
	app := connection.AppInput{Connector: id, Method: in[1], Environment: in[2], ClientID: &in[3], ClientSecret: &in[4], Scopes: words(in[5])}
	if name := strings.TrimSpace(in[0]); name != "" {
		app.Name = &name
	}
	_, err = h.Connections.CreateApp(c.UserContext(), principal(c), app)
	if e := fault.As(err); e != nil && e.Kind == fault.Invalid && e.Field != "connector" {
		return h.connectorPage(c, fiber.StatusUnprocessableEntity, id, func(p *ui.ConnectorPage) {
			p.AppForm = ui.AppForm{
				Name: in[0], Method: in[1], Environment: in[2], ClientID: in[3], Scopes: in[5], Errors: map[string]string{e.Field: sentence(e.Public)},
			}
		})
	}
	if err != nil {
		return err
	}
	return h.afterwards(c, connectorPath(id), "app-saved")
}

// words splits what people separate by blanks, commas or lines.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\r' || r == '\t' })
}
