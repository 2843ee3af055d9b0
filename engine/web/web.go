// Package web is the HTML door: the Connect page, the one callback, and the operator's console.
//
// A handler parses, calls one service, and draws a page of ui; it decides nothing about connections.
// What is decided here is what browsers need: cookies, CSRF, the content security policy, and which
// page comes next. GET changes nothing. Provider answers never stay in an address: the callback moves
// on to a clean one.
package web

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/flow"
	"dowel/engine/identity"
	"dowel/ui"
)

// Deps is what the door opens on.
type Deps struct {
	Identity    *identity.Service
	Connections *connection.Service
	Flows       *flow.Service
	Catalog     *definition.Catalog
	UI          *ui.UI
	// PublicURL is our own origin, RedirectURI the address of the callback as providers know it.
	PublicURL, RedirectURI string
	// Simulated says that no real provider is called.
	Simulated bool
	Logger    *slog.Logger
}

type handler struct {
	Deps
	cookies cookies
	// tries limits what one address may start, misses the tickets and links it may guess.
	tries, misses *limiter
}

// ClientPath is where providers read about us.
const ClientPath = "/oauth/client.json"

// requestTimeout bounds one request; a callback waits for the provider within it.
const requestTimeout = 45 * time.Second

// Routes mounts the pages on r. ErrorHandler is to be the error handler for everything they answer.
func Routes(r fiber.Router, d Deps) {
	h := &handler{
		Deps: d, cookies: cookies{secure: strings.HasPrefix(d.PublicURL, "https://")},
		tries: newLimiter(20, 200), misses: newLimiter(5, 60),
	}
	r.Get("/", h.home)
	r.Get("/static/:name", h.static)
	r.Get(ClientPath, h.clientDocument)
	h.connectRoutes(r)
	h.consoleRoutes(r)
}

// connectRoutes are the pages of the end user. They are added by method, because fiber's Get answers
// HEAD as well, and a HEAD must not spend a state or bind a ticket.
func (h *handler) connectRoutes(r fiber.Router) {
	callback := r.Group("/callback", h.enter)
	callback.Add(fiber.MethodGet, "/", h.callback)
	callback.Add(fiber.MethodPost, "/", h.callbackPosted)
	callback.Add(fiber.MethodPost, "/fragment", h.callbackFragment)

	launch := r.Group("/connect/launch/:tenant/:connector", h.enter)
	launch.Add(fiber.MethodGet, "/", h.launchShow)
	launch.Add(fiber.MethodPost, "/", h.launchConfirm)

	connect := r.Group("/connect/:ticket", h.enter)
	connect.Add(fiber.MethodGet, "/", h.connectShow)
	connect.Add(fiber.MethodPost, "/check", h.connectCheck)
	connect.Add(fiber.MethodPost, "/start", h.connectStart)
	connect.Add(fiber.MethodGet, "/status", h.connectStatus)
	connect.Add(fiber.MethodGet, "/result", h.connectResult)
	connect.Add(fiber.MethodPost, "/choose", h.connectChoose)
	connect.Add(fiber.MethodPost, "/save", h.connectSave)
	connect.Add(fiber.MethodPost, "/cancel", h.connectCancel)
}

// consoleRoutes are the pages of the operator.
func (h *handler) consoleRoutes(r fiber.Router) {
	outside := r.Group("/console", h.enter)
	outside.Add(fiber.MethodGet, "/open", h.consoleOpen)
	outside.Add(fiber.MethodPost, "/login", h.consoleLogin)

	console := r.Group("/console", h.operator)
	console.Get("/", h.consoleHome)
	console.Post("/logout", h.consoleLogout)
	console.Get("/return", h.consoleReturn)

	console.Get("/connectors", h.connectorList)
	console.Get("/connectors/:id", h.connectorShow)
	console.Get("/connectors/:id/requests", h.connectorRequests)
	console.Get("/connectors/:id/definition", h.connectorDefinition)
	console.Post("/connectors/:id/connect", h.connectorConnect)
	console.Post("/connectors/:id/apps", h.appCreate)
	console.Post("/apps/:id/secret", h.appSecret)
	console.Post("/apps/:id/delete", h.appDelete)

	console.Get("/connections", h.connectionList)
	console.Get("/connections/:id", h.connectionShow)
	console.Post("/connections/:id/refresh", h.connectionRefresh)
	console.Post("/connections/:id/test", h.connectionTest)
	console.Post("/connections/:id/enable", h.connectionEnable)
	console.Post("/connections/:id/disable", h.connectionDisable)
	console.Post("/connections/:id/rename", h.connectionRename)
	console.Post("/connections/:id/reconnect", h.connectionReconnect)
	console.Get("/connections/:id/disconnect", h.connectionDisconnectAsk)
	console.Post("/connections/:id/disconnect", h.connectionDisconnect)

	console.Get("/keys", h.keyList)
	console.Post("/keys", h.keyCreate)
	console.Post("/keys/:id/revoke", h.keyRevoke)

	console.Get("/events", h.eventList)
}

// home leads to the console; there is nothing else at the root.
func (h *handler) home(c *fiber.Ctx) error { return h.redirect(c, "/console") }

type handlerKey struct{}

// enter gives a request its deadline and lets the error handler know whose it is.
func (h *handler) enter(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	c.Locals(handlerKey{}, h)
	return c.Next()
}
