package web

import (
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/ui"
)

// appCreate keeps a registration at the provider.
func (h *handler) appCreate(c *fiber.Ctx) error {
	k, err := h.Catalog.Current(c.UserContext(), principal(c).Tenant, c.Params("id"))
	if err != nil {
		return err
	}
	in, err := formOf(c).all("name", "method", "environment", "client_id", "client_secret", "scopes", "issuer")
	if err != nil {
		return err
	}
	app := connection.AppInput{Connector: k.ID, Method: in[1], Environment: in[2], ClientID: &in[3], ClientSecret: &in[4], Scopes: words(in[5]), Issuer: strings.TrimSpace(in[6])}
	if name := strings.TrimSpace(in[0]); name != "" {
		app.Name = &name
	}
	if app.Fields, err = formOf(c).appAnswers(k.AppQuestions(app.Method)); err != nil {
		return err
	}
	_, err = h.Connections.CreateApp(c.UserContext(), principal(c), app)
	if complaints := complaintsOf(err); len(complaints) > 0 {
		return h.connectorPage(c, fiber.StatusUnprocessableEntity, k.ID, func(p *ui.ConnectorPage) {
			p.AppForm.Name, p.AppForm.Method, p.AppForm.Environment = in[0], in[1], in[2]
			p.AppForm.ClientID, p.AppForm.Scopes, p.AppForm.Issuer, p.AppForm.Errors = in[3], in[5], in[6], complaints
			p.AppForm.Fields = appFields(k.AppQuestions(""), app.Fields, complaints)
		})
	}
	if err != nil {
		return err
	}
	return h.afterwards(c, connectorPath(k.ID), "app-saved")
}

// complaintsOf are the complaints about a form, by the name of what they are about; none if the form is
// not what failed.
func complaintsOf(err error) map[string]string {
	out := map[string]string{}
	var answers *flow.InvalidAnswers
	if errors.As(err, &answers) {
		for _, e := range answers.Fields {
			out[e.Field] = sentence(e.Public)
		}
	}
	if e := fault.As(err); e != nil && e.Kind == fault.Invalid && e.Field != "" && e.Field != "connector" {
		out[e.Field] = sentence(e.Public)
	}
	return out
}

// appFields are the questions about an app, with what was typed and what is wrong with it.
func appFields(questions definition.Fields, given map[string]*string, complaints map[string]string) []ui.Field {
	t := typed{answers: map[string]string{}, errors: map[string]string{}}
	for name, v := range given {
		if v != nil {
			t.answers[name] = *v
		}
	}
	for name, text := range complaints {
		if field, ok := strings.CutPrefix(name, connection.AppFieldPrefix); ok {
			t.errors[field] = text
		}
	}
	return fields(questions, t)
}

// words splits what people separate by blanks, commas or lines.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\r' || r == '\t' })
}
