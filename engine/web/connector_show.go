package web

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/ui"
)

// connectorShow is one connector with its apps.
func (h *handler) connectorShow(c *fiber.Ctx) error {
	return h.connectorPage(c, fiber.StatusOK, c.Params("id"), func(*ui.ConnectorPage) {})
}

// connectorPage draws a connector; change puts a form's complaints in.
func (h *handler) connectorPage(c *fiber.Ctx, status int, id string, change func(*ui.ConnectorPage)) error {
	k, err := h.Catalog.Current(c.UserContext(), principal(c).Tenant, id)
	if err != nil {
		return err
	}
	apps, err := h.Connections.Apps(c.UserContext(), principal(c), k.ID)
	if err != nil {
		return err
	}
	made, err := h.Connections.List(c.UserContext(), principal(c), connection.Filter{Connector: k.ID, Limit: 20})
	if err != nil {
		return err
	}
	have := appsFor(apps)
	p := ui.ConnectorPage{
		ConnectorHead: connectorHead(c, k), Simulated: h.Simulated, Links: links(k), AppsURL: k.Links.Apps, Replaces: k.Replaces,
		Verified: ui.Verified{Level: k.Verified.Level, Sources: k.Verified.Sources, Date: k.Verified.Date, Note: k.Verified.Note},
		Inputs:   fields(k.Inputs, typed{}), RedirectURI: h.RedirectURI, NeedsApp: have.lacks(k),
		Connections: h.rows(c.UserContext(), made), EndUser: principal(c).ID,
	}
	if slices.ContainsFunc(k.Auth, func(a *definition.Auth) bool { return a.LaunchVerify() != nil }) {
		p.LaunchURL = h.PublicURL + launchPath(principal(c).Tenant) + k.ID
	}
	if k.API.BaseURL != nil {
		p.BaseURL = k.API.BaseURL.Source
	}
	for _, t := range k.Hosts {
		p.Hosts = append(p.Hosts, t.Source)
	}
	for _, e := range k.Environments {
		p.Environments = append(p.Environments, ui.Option{Value: e.ID, Label: e.Label})
	}
	for _, a := range k.Auth {
		m := methodView(k, a)
		m.LacksApp = have.lack(k, a)
		p.Methods = append(p.Methods, m)
	}
	for _, a := range apps {
		p.Apps = append(p.Apps, appRow(k, a))
	}
	p.TakesNoApp = len(apps) == 0 && !slices.ContainsFunc(k.Auth, (*definition.Auth).UsesApp)
	asksID, asksSecret := k.AppAsks("")
	p.AppForm = ui.AppForm{Fields: fields(k.AppQuestions(""), typed{}), NoClientID: !asksID, NoSecret: !asksSecret, AsksIssuer: k.AppsByServer("")}
	change(&p)
	return h.page(c, status, frame{}, p)
}

// links are the addresses for people that a definition has.
func links(k *definition.Connector) []ui.Link {
	var out []ui.Link
	for _, l := range []ui.Link{
		{Key: "website", URL: k.Links.Website},
		{Key: "docs", URL: k.Links.Docs},
		{Key: "apps", URL: k.Links.Apps},
		{Key: "revoke", URL: k.Links.Revoke},
		{Key: "status", URL: k.Links.StatusURL},
	} {
		if l.URL != "" {
			out = append(out, l)
		}
	}
	return out
}

// methodView is a method for an operator to read.
func methodView(k *definition.Connector, a *definition.Auth) ui.ConnectorMethod {
	m := ui.ConnectorMethod{
		ID: a.ID, Label: cmp.Or(a.Label, k.Name), Kind: string(a.Kind), Help: a.Help, Fields: fields(a.Fields, typed{}),
		NeedsApp: a.NeedsApp(), Refreshes: a.Refresh != nil && a.Refresh.Grant != "none" || a.Renew != nil,
	}
	if a.Authorize != nil {
		m.AuthorizeURL = a.Authorize.URL.Source
		m.PKCE = strings.TrimSpace(a.PKCE.Mode + " " + a.PKCE.Method)
	}
	if a.Token != nil {
		m.TokenURL, m.ClientAuth = a.Token.URL.Source, string(a.Token.ClientAuth)
	}
	for _, s := range scopes(a) {
		m.Scopes = append(m.Scopes, s.Name)
	}
	if a.Scopes != nil {
		for _, t := range a.Scopes.Required {
			m.Required = append(m.Required, t.Source)
		}
	}
	return m
}
