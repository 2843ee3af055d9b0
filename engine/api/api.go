// Package api is the JSON door: the admin API and the token API under /api/v1.
//
// A handler parses, calls one service, and answers; it decides nothing. Failures are RFC 9457
// problems with stable types. The tenant comes from the caller's key and from nowhere else.
package api

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/access"
	"dowel/engine/connection"
	"dowel/engine/connector"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/engine/identity"
)

// Deps is what the door opens on.
type Deps struct {
	Identity    *identity.Service
	Connections *connection.Service
	Flows       *flow.Service
	Connectors  *connector.Service
	Catalog     *definition.Catalog
	// Ready reports whether the store answers.
	Ready  func(ctx context.Context) error
	Logger *slog.Logger
}

type handler struct {
	Deps
	failures *failures
	buffers  buffers
}

// Routes mounts the API on r. Problem is to be the error handler for everything it answers.
func Routes(r fiber.Router, d Deps) {
	h := &handler{Deps: d, failures: newFailures()}
	r.Get("/healthz", h.healthz)
	r.Get("/readyz", h.readyz)
	r.Get("/openapi.yaml", h.describe)

	// First, because it is asked most and routes are tried in their order. Added by method, because
	// fiber's Get answers HEAD as well, and a HEAD must not hand out a token.
	r.Add(fiber.MethodGet, "/api/v1/connections/:id/token", h.token)
	v1 := r.Group("/api/v1", h.authenticate)

	v1.Get("/connectors", h.connectorList)
	v1.Get("/connectors/:id", h.connectorShow)
	v1.Post("/connectors", h.connectorAdd)
	v1.Delete("/connectors/:id", h.connectorWithdraw)
	v1.Get("/connectors/:id/definition", h.connectorDefinition)
	v1.Get("/connectors/:id/versions", h.connectorVersions)
	v1.Post("/connectors/:id/publish", h.connectorPublish)

	v1.Get("/apps", h.appList)
	v1.Post("/apps", h.appCreate)
	v1.Patch("/apps/:id", h.appUpdate)
	v1.Delete("/apps/:id", h.appDelete)

	v1.Post("/connect-sessions", h.connectSessionCreate)
	v1.Get("/connect-sessions/:id", h.connectSessionShow)
	v1.Post("/connect-sessions/:id/start", h.connectSessionStart)
	v1.Post("/connect-sessions/:id/answer", h.connectSessionAnswer)

	v1.Get("/connections", h.connectionList)
	v1.Post("/connections", h.connectionImport)
	v1.Get("/connections/:id", h.connectionShow)
	v1.Patch("/connections/:id", h.connectionUpdate)
	v1.Delete("/connections/:id", h.connectionDelete)
	v1.Post("/connections/:id/refresh", h.connectionRefresh)
	v1.Post("/connections/:id/test", h.connectionTest)
	v1.Post("/connections/:id/sign", h.connectionSign)
	v1.Post("/connections/:id/disconnect", h.connectionDisconnect)
	v1.Get("/connections/:id/events", h.connectionEvents)

	v1.Get("/events", h.eventList)

	v1.Get("/api-keys", h.apiKeyList)
	v1.Post("/api-keys", h.apiKeyCreate)
	v1.Delete("/api-keys/:id", h.apiKeyRevoke)

	v1.Get("/tenant", h.tenantShow)
	v1.Patch("/tenant", h.tenantUpdate)

	v1.All("/*", h.unknown)
}

// requestTimeout bounds one request; a token read may wait for a renewal within it.
const requestTimeout = 40 * time.Second

type principalKey struct{}

// authenticate finds out who is calling and gives the request a deadline.
func (h *handler) authenticate(c *fiber.Ctx) error {
	p, err := h.caller(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	c.Locals(principalKey{}, p)
	c.SetUserContext(ctx)
	return c.Next()
}

// caller finds out who is calling. A key in the URL is refused even if it is right: it stands in logs
// by then.
func (h *handler) caller(c *fiber.Ctx) (access.Principal, error) {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Content-Type-Options", "nosniff")
	scheme, key, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		key = ""
	}
	if q := c.Context().QueryArgs(); q.Len() > 0 && (q.Has("api_key") || q.Has("access_token")) {
		key = ""
	}
	p, err := h.Identity.Workload(context.Background(), key)
	if fault.KindOf(err) != fault.Unauthenticated {
		return p, err
	}
	if wait := h.failures.note(c.IP()); wait > 0 {
		return p, tooMany(wait)
	}
	return p, err
}

func principal(c *fiber.Ctx) access.Principal {
	p, _ := c.Locals(principalKey{}).(access.Principal)
	return p
}

func (h *handler) healthz(c *fiber.Ctx) error {
	return c.JSON(fiber.Map{"status": "ok"})
}

func (h *handler) readyz(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := h.Ready(ctx); err != nil {
		h.Logger.Warn("not ready", "err", err)
		return c.Status(fiber.StatusServiceUnavailable).JSON(fiber.Map{"status": "store unavailable"})
	}
	return c.JSON(fiber.Map{"status": "ok"})
}

func (h *handler) unknown(*fiber.Ctx) error { return fiber.ErrNotFound }
