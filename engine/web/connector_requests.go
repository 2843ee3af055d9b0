package web

import (
	"cmp"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
	"dowel/ui"
)

// connectorRequests shows the exact requests that a connector makes, redacted.
func (h *handler) connectorRequests(c *fiber.Ctx) error {
	k, err := h.Catalog.Current(c.UserContext(), principal(c).Tenant, c.Params("id"))
	if err != nil {
		return err
	}
	explained, err := h.Connections.Explain(c.UserContext(), principal(c), k.ID)
	if err != nil {
		return err
	}
	p := ui.ConnectorRequestsPage{ConnectorHead: connectorHead(c, k)}
	for _, m := range explained {
		by := ui.SentBy{ID: m.Method, Label: k.Name, Kind: string(m.Kind), Requests: sent(m)}
		if a := k.Method(m.Method); a != nil {
			by.Label = cmp.Or(a.Label, by.Label)
		}
		p.Methods = append(p.Methods, by)
	}
	return h.page(c, fiber.StatusOK, frame{}, p)
}

func sent(m connection.Explained) []ui.Sent {
	out := make([]ui.Sent, 0, len(m.Requests))
	for _, r := range m.Requests {
		s := ui.Sent{Title: r.Title, Method: r.Method, URL: r.URL, Body: r.Body, Certificate: r.Certificate, Depends: r.Depends, Note: r.Note}
		for i, q := range r.Query {
			name, value, _ := strings.Cut(q, "=")
			v := ui.SentValue{Name: name, Value: value}
			switch {
			case i >= len(r.QueryFrom):
			case r.Taken:
				v.ReadBy = r.QueryFrom[i]
			default:
				v.From = r.QueryFrom[i]
			}
			s.Query = append(s.Query, v)
		}
		for _, f := range r.Headers {
			s.Headers = append(s.Headers, ui.SentValue{Name: f.Name, Value: f.Value, From: f.From})
		}
		for _, f := range r.BodyFrom {
			v := ui.SentValue{Name: f.Name, From: f.Value}
			if r.Taken {
				v.From, v.ReadBy = "", f.Value
			}
			s.BodyFields = append(s.BodyFields, v)
		}
		for _, t := range r.Tokens {
			s.Tokens = append(s.Tokens, ui.SentToken{Name: t.Name, Header: t.Header, Claims: t.Claims})
		}
		out = append(out, s)
	}
	return out
}
