package api

import (
	"github.com/gofiber/fiber/v2"

	"dowel/engine/access"
	"dowel/engine/definition"
	"dowel/engine/fault"
)

type connectorView struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Version     string   `json:"version"`
	Color       string   `json:"color,omitempty"`
	Categories  []string `json:"categories"`
	Docs        string   `json:"docs,omitempty"`
	Verified    string   `json:"verified,omitempty"`
	Deprecated  string   `json:"deprecated,omitempty"`
	SignIn      bool     `json:"sign_in"`
	// Own says that the connector is the tenant's and did not come with Dowel.
	Own     bool         `json:"own"`
	Inputs  []fieldView  `json:"inputs"`
	Methods []methodView `json:"methods"`
}

type methodView struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"`
	Label    string `json:"label,omitempty"`
	NeedsApp bool   `json:"needs_app"`
	// AppFields are what an app has to say beside its client id; AppSecret whether it has a client secret.
	AppFields []fieldView `json:"app_fields"`
	AppSecret bool        `json:"app_secret"`
	Fields    []fieldView `json:"fields"`
	Scopes    []string    `json:"scopes"`
}

type fieldView struct {
	Name     string   `json:"name"`
	Label    string   `json:"label"`
	Type     string   `json:"type"`
	Required bool     `json:"required"`
	Secret   bool     `json:"secret"`
	Help     string   `json:"help,omitempty"`
	Example  string   `json:"example,omitempty"`
	Pattern  string   `json:"pattern,omitempty"`
	Default  string   `json:"default,omitempty"`
	Options  []string `json:"options,omitempty"`
}

// connectorList lists the connectors, without what each asks for.
func (h *handler) connectorList(c *fiber.Ctx) error {
	if !principal(c).May(access.ReadConnectors) {
		return lacks(access.ReadConnectors)
	}
	all, err := h.Catalog.All(c.UserContext(), principal(c).Tenant)
	if err != nil {
		return err
	}
	out := make([]connectorView, 0, len(all))
	for _, k := range all {
		out = append(out, showConnector(k))
	}
	return c.JSON(fiber.Map{"connectors": out})
}

// connectorShow shows one connector.
func (h *handler) connectorShow(c *fiber.Ctx) error {
	if !principal(c).May(access.ReadConnectors) {
		return lacks(access.ReadConnectors)
	}
	k, err := h.Catalog.Current(c.UserContext(), principal(c).Tenant, c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(showConnector(k))
}

func lacks(a access.Action) error {
	return fault.E(fault.Forbidden, "this key lacks the scope "+string(a), nil).WithCode("scope-missing")
}

func showConnector(k *definition.Connector) connectorView {
	out := connectorView{
		ID: k.ID, Name: k.Name, Description: k.Description, Version: k.Version, Color: k.Color, Categories: k.Categories,
		Docs: k.Links.Docs, Verified: k.Verified.Level, Deprecated: k.Deprecated, SignIn: k.SignsIn(), Own: k.Tenant != "", Inputs: showFields(k.Inputs),
		Methods: []methodView{},
	}
	if out.Categories == nil {
		out.Categories = []string{}
	}
	for _, a := range k.Auth {
		m := methodView{
			ID: a.ID, Kind: string(a.Kind), Label: a.Label, NeedsApp: a.NeedsApp(), Fields: showFields(a.Fields), Scopes: []string{},
			AppFields: showFields(a.AppFields), AppSecret: a.AsksSecret(),
		}
		if a.Scopes != nil {
			for _, t := range a.Scopes.Default {
				m.Scopes = append(m.Scopes, t.Source)
			}
		}
		for _, g := range a.ScopeGroups {
			for _, t := range g.Default {
				m.Scopes = append(m.Scopes, t.Source)
			}
		}
		out.Methods = append(out.Methods, m)
	}
	return out
}

func showFields(fs definition.Fields) []fieldView {
	out := make([]fieldView, 0, len(fs))
	for _, f := range fs {
		if f.Hidden {
			continue
		}
		v := fieldView{
			Name: f.Name, Label: f.Label, Type: f.Type, Required: f.Must(), Secret: f.Secret(), Help: f.Help, Example: f.Example,
			Pattern: f.Pattern, Default: f.Default,
		}
		if v.Type == "" {
			v.Type = "text"
		}
		for _, o := range f.Options {
			v.Options = append(v.Options, o.Value)
		}
		out = append(out, v)
	}
	return out
}
