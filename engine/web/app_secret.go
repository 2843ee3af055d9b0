package web

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/ui"
)

// appSecret replaces an app's secret, and what is registered beside it. What is left empty stays.
func (h *handler) appSecret(c *fiber.Ctx) error {
	app, err := h.appOf(c)
	if err != nil {
		return err
	}
	in, err := formOf(c).all("client_secret", "issuer")
	if err != nil {
		return err
	}
	text := in[0]
	change := connection.AppInput{}
	if server := strings.TrimSpace(in[1]); server != app.Issuer {
		change.Issuer = server
	}
	if text != "" {
		change.ClientSecret = &text
	}
	if change.Fields, err = h.changedAnswers(c, app); err != nil {
		return err
	}
	if text == "" && len(change.Fields) == 0 && change.Issuer == "" {
		return fault.Field("client_secret", "the client secret is required")
	}
	a, err := h.Connections.UpdateApp(c.UserContext(), principal(c), app.ID, change)
	if complaints := complaintsOf(err); len(complaints) > 0 {
		return h.connectorPage(c, fiber.StatusUnprocessableEntity, app.Connector, func(p *ui.ConnectorPage) {
			i := slices.IndexFunc(p.Apps, func(r ui.AppRow) bool { return r.ID == app.ID })
			for n := range p.Apps[i].Fields {
				p.Apps[i].Fields[n].Error = complaints[connection.AppFieldPrefix+p.Apps[i].Fields[n].Name]
			}
			p.Apps[i].Errors, p.Apps[i].NewIssuer = complaints, in[1]
		})
	}
	if err != nil {
		return err
	}
	return h.afterwards(c, connectorPath(a.Connector), "app-saved")
}

// appOf is the app that the address names.
func (h *handler) appOf(c *fiber.Ctx) (connection.AppView, error) {
	apps, err := h.Connections.Apps(c.UserContext(), principal(c), "")
	if err != nil {
		return connection.AppView{}, err
	}
	i := slices.IndexFunc(apps, func(a connection.AppView) bool { return a.ID == c.Params("id") })
	if i < 0 {
		return connection.AppView{}, fault.E(fault.NotFound, "there is no such app", nil)
	}
	return apps[i], nil
}

// changedAnswers are the answers about an app that were given anew.
func (h *handler) changedAnswers(c *fiber.Ctx, app connection.AppView) (map[string]*string, error) {
	k, err := h.Catalog.Current(c.UserContext(), principal(c).Tenant, app.Connector)
	if err != nil {
		return nil, err
	}
	questions := k.AppQuestions(app.Method)
	given, err := formOf(c).appAnswers(questions)
	if err != nil {
		return nil, err
	}
	for name, v := range given {
		if f, _ := questions.Named(name); *v == "" && f.Secret() {
			delete(given, name)
		}
	}
	return given, nil
}

// appRow is an app for an operator to read and to change.
func appRow(k *definition.Connector, a connection.AppView) ui.AppRow {
	_, asksSecret := k.AppAsks(a.Method)
	asksIssuer := k.AppsByServer(a.Method)
	row := ui.AppRow{
		ID: a.ID, Name: a.Name, Method: a.Method, Environment: a.Environment, Issuer: a.Issuer, NewIssuer: a.Issuer, AsksIssuer: asksIssuer, ClientID: a.ClientID, HasSecret: a.HasSecret, NoSecret: !asksSecret,
		Scopes: a.Scopes, Refused: moment(a.RefusedSince), RefusedReason: a.RefusedReason, CreatedAt: a.CreatedAt,
	}
	questions := k.AppQuestions(a.Method)
	row.Fields = fields(questions, typed{answers: a.Fields})
	for i := range row.Fields {
		f := &row.Fields[i]
		set := slices.Contains(a.SecretFields, f.Name)
		if f.Secret && set {
			f.Required = false // it is there; another is only typed to replace it
		}
		if a.Fields[f.Name] != "" || set {
			row.Answers = append(row.Answers, ui.AppAnswer{Label: f.Label, Value: a.Fields[f.Name], Secret: f.Secret})
		}
	}
	return row
}
