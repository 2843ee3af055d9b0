package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"dowel/engine/e2e"
)

// house is one instance of the product with its simulated providers, each a process of its own.
type house struct {
	*e2e.Instance
	t         *testing.T
	simulator *e2e.Simulator
}

// newHouse starts both; flags are the simulator's.
func newHouse(t *testing.T, flags ...string) *house {
	t.Helper()
	return newHouseWith(t, nil, flags...)
}

// newHouseWith is newHouse with settings of both processes ("DOWEL_CONNECTORS_DIR=…").
func newHouseWith(t *testing.T, env []string, flags ...string) *house {
	t.Helper()
	needChromium(t)
	address := e2e.FreeAddress(t)
	s := e2e.StartSimulatorWith(t, env, "http://"+address, flags...)
	// Another name for the same machine is another site to a browser, as a provider's is: what cookies
	// and openers survive on the way there and back is then told as it is.
	s.URL = strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	return &house{t: t, simulator: s, Instance: e2e.Start(t, append([]string{"DOWEL_LISTEN=" + address, "DOWEL_SIMULATOR_URL=" + s.URL}, env...)...)}
}

// visitor is a person who may get to the house and its simulated providers.
func (h *house) visitor() *window {
	h.t.Helper()
	p := newPerson(h.t)
	p.tap.allow(h.URL, h.simulator.URL)
	return p.first
}

// operator is a visitor who has opened the console.
func (h *house) operator() *window {
	h.t.Helper()
	w := h.visitor()
	w.open(h.ConsoleURL)
	w.press("Open the console")
	w.see("Make your first connection")
	return w
}

// operatorWithConnections is operator where there is something already.
func (h *house) operatorWithConnections() *window {
	h.t.Helper()
	w := h.visitor()
	w.open(h.ConsoleURL)
	w.press("Open the console")
	w.see("What happened")
	return w
}

// session makes a connect session and returns its address.
func (h *house) session(in map[string]any) string {
	h.t.Helper()
	status, b := h.Do(http.MethodPost, "/api/v1/connect-sessions", in)
	var out struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(b, &out); err != nil || status != http.StatusCreated {
		h.t.Fatalf("connect session: %d %s", status, b)
	}
	return out.URL
}

// link makes a connect session for one connector.
func (h *house) link(connector string) string {
	h.t.Helper()
	return h.session(map[string]any{"end_user": "user-1", "connectors": []string{connector}})
}

// allow sets the origins that may open, frame and be returned to from the Connect page.
func (h *house) allow(origins ...string) {
	h.t.Helper()
	if status, b := h.Do(http.MethodPatch, "/api/v1/tenant", map[string]any{"return_origins": origins}); status != http.StatusOK {
		h.t.Fatalf("return origins: %d %s", status, b)
	}
}

// of is how the console says that it lists n of all connectors.
func (h *house) of(n int) string {
	h.t.Helper()
	return fmt.Sprintf("%d of %d", n, h.catalogue())
}

// catalogue counts the connectors there are.
func (h *house) catalogue() int {
	h.t.Helper()
	return len(h.connectors())
}

// offered counts those a person may choose from: all but those whose provider is gone.
func (h *house) offered() int {
	h.t.Helper()
	n := 0
	for _, c := range h.connectors() {
		if c.Deprecated == "" {
			n++
		}
	}
	return n
}

type connector struct {
	Deprecated string `json:"deprecated"`
}

func (h *house) connectors() []connector {
	h.t.Helper()
	var list struct {
		Connectors []connector `json:"connectors"`
	}
	h.Get(h.t, "/api/v1/connectors", &list)
	return list.Connectors
}

// connection is what tests look at of one.
type connection struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	// Identity is who it is at the provider.
	Identity struct {
		Email string `json:"email"`
	} `json:"identity"`
	Captured map[string]string `json:"captured"`
}

// connections lists all connections but the ended ones.
func (h *house) connections() []connection {
	h.t.Helper()
	var list struct {
		Connections []connection `json:"connections"`
	}
	h.Get(h.t, "/api/v1/connections", &list)
	return list.Connections
}

// wantConnections fails the test unless there are as many connections.
func (h *house) wantConnections(n int) []connection {
	h.t.Helper()
	list := h.connections()
	if len(list) != n {
		h.t.Fatalf("%d connections, want %d: %+v", len(list), n, list)
	}
	return list
}

// tab is another tab of the same person.
func (h *house) tab(w *window) *window {
	h.t.Helper()
	ctx, cancel := chromedp.NewContext(w.ctx)
	h.t.Cleanup(cancel)
	return w.person.adopt(ctx)
}

// exchanges counts the authorization codes a provider has been asked to trade.
func (h *house) exchanges(connector string) int {
	h.t.Helper()
	var stats struct {
		Token map[string]int `json:"token"`
	}
	h.simulator.Stats(h.t, connector, &stats)
	return stats.Token["authorization_code"]
}
