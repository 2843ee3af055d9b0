package web

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/flow"
	"dowel/ui"
)

func tile(k *definition.Connector) ui.Tile { return ui.Tile{Name: k.Name, Color: k.Color} }

// tileOf is tile for a connector that may be gone.
func (h *handler) tileOf(ctx context.Context, tenant, id string) ui.Tile {
	if k, err := h.Catalog.Current(ctx, tenant, id); err == nil {
		return tile(k)
	}
	return ui.Tile{Name: id}
}

// typed is what was posted with a form that has to be shown again.
type typed struct {
	answers map[string]string
	errors  map[string]string // by field
	failed  *ui.Failed
}

// connectPage draws the card of one connector.
func (h *handler) connectPage(v visit, k *definition.Connector, method string, t typed, offers int) ui.ConnectPage {
	p := ui.ConnectPage{
		Dialog: v.dialog("dowel_status", "cancelled"), Connector: k.ID, Tile: tile(k), EndUser: v.Principal.EndUser,
		Inputs: fields(k.Inputs, t), Pick: v.Connection == "" && offers > 1, Failed: t.failed,
	}
	for _, a := range k.Auth {
		p.Methods = append(p.Methods, ui.Method{
			ID: a.ID, Label: cmp.Or(a.Label, k.Name), Help: a.Help, Kind: string(a.Kind), DocsURL: a.DocsURL,
			Redirects: a.Authorize != nil, Fields: fields(a.Fields, t), Scopes: scopes(a),
		})
	}
	p.Method = k.Auth[0].ID
	if method != "" && k.Method(method) != nil {
		p.Method = method
	}
	return p
}

// fields draws the questions a person is asked. What was typed stays, except secrets.
func fields(fs definition.Fields, t typed) []ui.Field {
	var out []ui.Field
	for _, f := range fs {
		if f.Hidden {
			continue
		}
		u := ui.Field{
			Name: f.Name, Label: cmp.Or(f.Label, f.Name), Type: cmp.Or(f.Type, "text"), Required: f.Must(), Disabled: f.Disabled,
			Secret: f.Secret(), Help: f.Help, HelpURL: f.HelpURL, Example: f.Example, Prefix: f.Prefix, Suffix: f.Suffix,
			Error: t.errors[f.Name],
		}
		if !u.Secret {
			u.Value = f.Default
			if given, ok := t.answers[f.Name]; ok && !f.Disabled {
				u.Value = given
			}
		}
		for _, o := range f.Options {
			u.Options = append(u.Options, ui.Option{Value: o.Value, Label: cmp.Or(o.Label, o.Value)})
		}
		out = append(out, u)
	}
	return out
}

// scopes lists what will be asked for. Scopes that depend on an answer are not known yet.
func scopes(a *definition.Auth) []ui.Scope {
	var out []ui.Scope
	seen := map[string]bool{}
	add := func(ts []definition.Template) {
		for _, t := range ts {
			if !seen[t.Source] && !strings.Contains(t.Source, "${") {
				seen[t.Source] = true
				out = append(out, ui.Scope{Name: t.Source})
			}
		}
	}
	if a.Scopes != nil {
		add(a.Scopes.Required)
		add(a.Scopes.Default)
	}
	for _, g := range a.ScopeGroups {
		add(g.Required)
		add(g.Default)
	}
	return out
}

// offers lists the connectors a session may choose from.
func (h *handler) offers(ctx context.Context, v visit) ([]*definition.Connector, error) {
	all, err := h.Catalog.All(ctx, v.Principal.Tenant)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(k *definition.Connector) bool {
		return !v.Allows(k.ID) || k.Deprecated != "" && len(v.Connectors) == 0
	}), nil
}

// resultPage draws the end of a flow.
func (h *handler) resultPage(ctx context.Context, v visit, p flow.Progress) ui.ResultPage {
	out := ui.ResultPage{Connector: p.Connector, Tile: h.tileOf(ctx, p.Tenant, p.Connector), Flow: p.Flow}
	if p.Status != flow.Done {
		out.Failed = failed(p.Failure)
		out.Failed.ForAdmin = v.ByOperator
		out.Dialog = v.dialog("dowel_status", "failed", "dowel_code", out.Failed.Code)
		return out
	}
	h.madePage(ctx, v, &out, p.Result)
	out.ConnectedAs = cmp.Or(p.Label, out.ConnectedAs)
	return out
}

// madePage fills in the connection that was made.
func (h *handler) madePage(ctx context.Context, v visit, out *ui.ResultPage, id string) {
	out.Dialog = v.dialog("dowel_status", "connected", "connection", id)
	out.Connection, out.Status, out.Reconnected = id, string(connection.Active), v.Connection != ""
	c, err := h.Connections.Mine(ctx, v.Principal, id)
	if err != nil {
		h.Logger.Warn("read the connection just made", "connection", id, "err", err)
		return
	}
	if out.Connector == "" {
		out.Connector, out.Tile = c.Connector, h.tileOf(ctx, v.Principal.Tenant, c.Connector)
	}
	out.Status, out.ConnectedAs, out.Unverified = string(c.Status), account(c), c.Unverified
	if c.ExpiresAt != nil && !c.Renewed {
		out.EndsAt = *c.ExpiresAt
	}
	for _, s := range c.RequestedScopes {
		if len(c.GrantedScopes) > 0 && !slices.Contains(c.GrantedScopes, s) {
			out.MissingScopes = append(out.MissingScopes, ui.Scope{Name: s})
		}
	}
}

// account is how people know who they are at the provider; empty if the provider did not say.
func account(c connection.View) string {
	return cmp.Or(c.Identity.Email, c.Identity.Name, c.Identity.Subject)
}
