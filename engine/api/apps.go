package api

import (
	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
)

type appInput struct {
	Connector    string             `json:"connector"`
	Method       string             `json:"method"`
	Environment  string             `json:"environment"`
	Issuer       string             `json:"issuer"`
	Name         *string            `json:"name"`
	ClientID     *string            `json:"client_id"`
	ClientSecret *string            `json:"client_secret"`
	Fields       map[string]*string `json:"fields"`
	Scopes       []string           `json:"scopes"`
}

type appChange struct {
	Issuer       string             `json:"issuer"`
	Name         *string            `json:"name"`
	ClientID     *string            `json:"client_id"`
	ClientSecret *string            `json:"client_secret"`
	Fields       map[string]*string `json:"fields"`
	Scopes       []string           `json:"scopes"`
}

func (h *handler) appList(c *fiber.Ctx) error {
	apps, err := h.Connections.Apps(c.UserContext(), principal(c), c.Query("connector"))
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"apps": apps})
}

func (h *handler) appCreate(c *fiber.Ctx) error {
	var in appInput
	if err := body(c, &in); err != nil {
		return err
	}
	app, err := h.Connections.CreateApp(c.UserContext(), principal(c), connection.AppInput{
		Connector: in.Connector, Method: in.Method, Environment: in.Environment, Issuer: in.Issuer, Name: in.Name, ClientID: in.ClientID,
		ClientSecret: in.ClientSecret, Fields: in.Fields, Scopes: in.Scopes,
	})
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(app)
}

func (h *handler) appUpdate(c *fiber.Ctx) error {
	var in appChange
	if err := body(c, &in); err != nil {
		return err
	}
	app, err := h.Connections.UpdateApp(c.UserContext(), principal(c), c.Params("id"), connection.AppInput{
		Issuer: in.Issuer, Name: in.Name, ClientID: in.ClientID, ClientSecret: in.ClientSecret, Fields: in.Fields, Scopes: in.Scopes,
	})
	if err != nil {
		return err
	}
	return c.JSON(app)
}

func (h *handler) appDelete(c *fiber.Ctx) error {
	if err := h.Connections.DeleteApp(c.UserContext(), principal(c), c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
