package web

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/connection"
	"dowel/ui"
)

var connectionForm = regexp.MustCompile(`^conn_[A-Za-z0-9]+$`)

func isConnection(id string) bool { return connectionForm.MatchString(id) }

func connectionPath(id string) string { return "/console/connections/" + url.PathEscape(id) }

// connectionShow is one connection with its timeline.
func (h *handler) connectionShow(c *fiber.Ctx) error {
	return h.connectionPage(c, fiber.StatusOK, noted(c))
}

func (h *handler) connectionPage(c *fiber.Ctx, status int, console ui.Console) error {
	ctx, who := c.UserContext(), principal(c)
	v, err := h.Connections.Get(ctx, who, c.Params("id"))
	if err != nil {
		return err
	}
	timeline, err := h.Connections.EventsLike(ctx, who, connection.EventFilter{Subject: v.ID, Limit: perPage})
	if err != nil {
		return err
	}
	p := ui.ConnectionPage{
		Console: console, Row: h.row(ctx, v), Version: v.Version, MethodLabel: v.Method, Subject: v.Identity.Subject,
		Email: v.Identity.Email, IdentityName: v.Identity.Name, Requested: v.RequestedScopes, Granted: v.GrantedScopes,
		Inputs: factsOf(v.Inputs), Captured: factsOf(v.Captured), UpdatedAt: v.UpdatedAt, RefreshAt: moment(v.RefreshAt),
		LastTestAt: moment(v.Health.LastTestAt), LastTestError: v.Health.LastTestError, Timeline: events(timeline),
		Curl: `curl -H "Authorization: Bearer $DOWEL_API_KEY" ` + h.PublicURL + "/api/v1/connections/" + v.ID + "/token",
	}
	if len(timeline) == perPage {
		p.MoreURL = next("/console/events", timeline[len(timeline)-1].ID, "subject", v.ID)
	}
	if err := h.lastRead(ctx, who, &p.Row); err != nil {
		return err
	}
	if err := h.appName(ctx, who, v, &p); err != nil {
		return err
	}
	h.abilities(ctx, who, v, &p)
	return h.page(c, status, frame{}, p)
}

// abilities says what the definition knows to do with the connection.
func (h *handler) abilities(ctx context.Context, who access.Principal, v connection.View, p *ui.ConnectionPage) {
	k, err := h.Catalog.Version(ctx, who.Tenant, v.Connector, v.ConnectorVersion)
	if err != nil {
		return // the definition is gone; the connection can still be looked at and ended
	}
	a := k.Method(v.Method)
	if a == nil {
		return
	}
	if a.Label != "" {
		p.MethodLabel = a.Label
	}
	p.CanTest = k.Testable(a)
	p.CanRefresh = v.Renewed || a.Renew != nil || a.Refresh != nil && a.Refresh.Grant != "none"
}

func (h *handler) lastRead(ctx context.Context, who access.Principal, r *ui.ConnectionRow) error {
	reads, err := h.Connections.EventsLike(ctx, who, connection.EventFilter{Subject: r.ID, Kind: audit.TokenRead, Limit: 1})
	if len(reads) > 0 {
		r.LastReadAt = reads[0].At
	}
	return err
}

func (h *handler) appName(ctx context.Context, who access.Principal, v connection.View, p *ui.ConnectionPage) error {
	if v.App == "" {
		return nil
	}
	apps, err := h.Connections.Apps(ctx, who, v.Connector)
	p.App = v.App
	for _, a := range apps {
		if a.ID == v.App && a.Name != "" {
			p.App = a.Name
		}
	}
	return err
}

func factsOf(m map[string]string) []ui.Fact {
	out := make([]ui.Fact, 0, len(m))
	for name, value := range m {
		out = append(out, ui.Fact{Name: name, Value: value})
	}
	slices.SortFunc(out, func(a, b ui.Fact) int { return strings.Compare(a.Name, b.Name) })
	return out
}
