package e2e

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dowel/engine/simulator"
)

// faultLife is how long the tokens of these tests live, faultTimeout how long a provider may take.
const (
	faultLife    = 10 * time.Second
	faultTimeout = 2 * time.Second
)

// faultCase is one connection to a provider of its own, which misbehaves at every renewal.
type faultCase struct {
	*testing.T
	house *faultHouse
	faultTest
	id   string
	live Token
}

type faultHouse struct {
	*Instance
	sim *Simulator
}

// Each fault has its outcome at the door and in the store, while the old token lives and after it has
// ended, and the provider is asked no more often than it should be.
func TestEveryProviderFaultHasItsOutcome(t *testing.T) {
	t.Parallel()
	tests := faultTests()
	sources := map[string]string{}
	for k := range tests {
		sources[connectorOf(k)] = Plain(connectorOf(k), tests[k].refresh)
	}
	house := newFaultHouse(t, Definitions(t, sources), faultLife)
	var group sync.WaitGroup
	for k, tt := range tests {
		group.Go(func() { // not with Parallel: all of them wait at once
			t.Run(tt.name, func(t *testing.T) { (&faultCase{T: t, house: house, faultTest: tt}).run(connectorOf(k)) })
		})
	}
	group.Wait()
}

func connectorOf(k int) string { return "fault-" + strconv.Itoa(k) }

func newFaultHouse(t *testing.T, defs string, life time.Duration, env ...string) *faultHouse {
	t.Helper()
	address := FreeAddress(t)
	settings := append([]string{"DOWEL_CONNECTORS_DIR=" + defs, "DOWEL_LISTEN=" + address, "DOWEL_PROVIDER_TIMEOUT=" + faultTimeout.String()}, env...)
	sim := StartSimulatorWith(t, settings, "http://"+address, "--token-lifetime="+life.String(), "--accounts=100")
	return &faultHouse{Start(t, append(settings, "DOWEL_SIMULATOR_URL="+sim.URL)...), sim}
}

func (c *faultCase) run(connector string) {
	c.kind = orUnavailable(c.kind)
	c.id = c.house.ConnectAs(c.T, connector, "somebody", Ana)
	c.fault.On = "refresh"
	c.house.sim.Fault(c.T, connector, c.fault)
	c.live, _ = c.house.Door.Token(c.id, "")
	if c.live.AccessToken == "" {
		c.Fatal("there is no token to begin with")
	}
	c.outcome(c)
}

func orUnavailable(kind string) string {
	if kind == "" {
		return "provider-unavailable"
	}
	return kind
}

// statusOf is the HTTP status of a kind of problem.
func statusOf(kind string) int {
	return map[string]int{
		"provider-unavailable": 503, "provider-timeout": 504, "rate-limited": 429, "app-misconfigured": 502, "needs-reauth": 409,
	}[kind]
}

func (c *faultCase) stats() simulator.Stats {
	var s simulator.Stats
	c.house.sim.Stats(c.T, c.live.Connector, &s)
	return s
}

// refused checks a problem and that its Retry-After, in header and body alike, lies between two times.
func (c *faultCase) refused(when string, a Answer, kind string, least, most time.Duration) {
	c.Helper()
	p := a.Problem()
	wait := time.Duration(p.RetryAfter) * time.Second
	if a.Status != statusOf(kind) || a.Kind() != kind || a.Header.Get("Content-Type") != "application/problem+json" {
		c.Errorf("%s: %d %s, want %s", when, a.Status, a.Body, kind)
	}
	if wait < least || wait > most || wait > 0 && a.Header.Get("Retry-After") != strconv.Itoa(p.RetryAfter) {
		c.Errorf("%s: Retry-After %q in a header, %v in the body, want %v to %v", when, a.Header.Get("Retry-After"), wait, least, most)
	}
}

// force forces a renewal, while another reader is served the living token at once.
func (c *faultCase) force() Answer {
	c.Helper()
	out := make(chan Answer, 1)
	go func() {
		_, a := c.house.Door.Token(c.id, "?force=true")
		out <- a
	}()
	time.Sleep(100 * time.Millisecond)
	c.served("a reader while the provider is asked")
	a := <-out
	if !a.Within(faultTimeout + 4*time.Second) {
		c.Errorf("a forced renewal takes %v", a.Took)
	}
	return a
}

// served checks that a reader gets the old token, which lives, at once.
func (c *faultCase) served(when string) Token {
	c.Helper()
	token, a := c.house.Door.Token(c.id, "")
	if a.Status != http.StatusOK || token.AccessToken != c.live.AccessToken || !a.Within(2*time.Second) {
		c.Errorf("%s: %d version %d in %v %s", when, a.Status, token.Version, a.Took, a.Problem().Title)
	}
	return token
}

// recorded checks what the connection's record and its events say after a failure.
func (c *faultCase) recorded(status, reason string, failures int, kind string) {
	c.Helper()
	v := c.house.Connection(c.T, c.id)
	if v.Status != status || v.StatusReason != reason || v.Version != 1 || v.Health.Failures < failures || !strings.Contains(v.Health.LastRefreshError, c.says) {
		c.Errorf("the record says %+v, want %s %s and %q", v, status, reason, c.says)
	}
	if kind == "" {
		return
	}
	Eventually(c.T, 5*time.Second, "an event "+kind, func() bool {
		return slices.ContainsFunc(c.house.Events(c.T, c.id), func(e Event) bool { return e.Kind == kind })
	})
}

func (c *faultCase) untilItEnds() {
	time.Sleep(time.Until(c.live.ExpiresAt.Add(50 * time.Millisecond)))
}
