package api_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// routes lists the API's routes as "GET /api/v1/apps/{id}".
func (h *house) routes() []string {
	var out []string
	for _, r := range h.app.GetRoutes(true) {
		known := strings.HasPrefix(r.Path, "/api/") || slices.Contains([]string{"/healthz", "/readyz", "/openapi.yaml"}, r.Path)
		if !known || strings.HasSuffix(r.Path, "*") || r.Method == fiber.MethodHead {
			continue
		}
		out = append(out, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var parameter = regexp.MustCompile(`:([a-z_]+)`)

func TestEveryRouteHasAScenario(t *testing.T) {
	h := newHouse(t)
	played := map[string]bool{}
	for _, s := range slices.Concat(connectionScenarios(), tokenScenarios(), connectorScenarios(), appScenarios(), sessionScenarios(), tenantScenarios()) {
		played[s.route(h.routes())] = true
	}
	for _, r := range h.routes() {
		if strings.Contains(r, "/api/") && !played[r] {
			t.Errorf("no scenario plays %s", r)
		}
	}
}

// route is the one of the routes that the scenario's request goes to; empty if to none.
func (s scenario) route(all []string) string {
	path, _, _ := strings.Cut(s.path, "?")
	asked := strings.Split(path, "/")
	for _, r := range all {
		method, pattern, _ := strings.Cut(r, " ")
		parts := strings.Split(pattern, "/")
		fits := method == s.method && len(parts) == len(asked)
		for i := 0; fits && i < len(parts); i++ {
			fits = parts[i] == asked[i] || strings.HasPrefix(parts[i], "{")
		}
		if fits {
			return r
		}
	}
	return ""
}
