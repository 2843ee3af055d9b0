package simulator_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"dowel/engine/simulator"
)

// connected returns a client with a fresh refresh token.
func connected(t *testing.T, id string, o simulator.Options) (c *client, g grantCase, refresh string) {
	t.Helper()
	g = caseOf(t, id)
	c = newClient(t, id, o)
	r := c.send(g.exchange(c.allow(g.authorize, g.authorizeParams(), "1001", "allow").Get("code")))
	return c, g, r.text1("refresh_token")
}

func TestFaultsSpoilAnswersAndSayWhetherTheTokenWasSpent(t *testing.T) {
	tests := []struct {
		name  string
		fault simulator.Fault
		want  func(r reply, err error) bool
		spent bool
	}{
		{"500", simulator.Fault{Kind: simulator.FaultStatus}, func(r reply, _ error) bool { return r.status == 500 }, false},
		{"429", simulator.Fault{Kind: simulator.FaultStatus, Status: 429, RetryAfter: "120"}, func(r reply, _ error) bool {
			return r.status == 429 && r.header.Get("Retry-After") == "120"
		}, false},
		{"page", simulator.Fault{Kind: simulator.FaultHTML}, func(r reply, _ error) bool {
			return r.status == 502 && strings.HasPrefix(r.header.Get("Content-Type"), "text/html")
		}, false},
		{"redirect", simulator.Fault{Kind: simulator.FaultRedirect, Status: 307, Location: "https://evil.example/"}, func(r reply, _ error) bool {
			return r.status == 307 && r.header.Get("Location") == "https://evil.example/"
		}, false},
		{"error with status 200", simulator.Fault{Kind: simulator.FaultError200}, func(r reply, _ error) bool {
			return r.status == 200 && r.at("error") == "temporarily_unavailable"
		}, false},
		{"invalid_grant", simulator.Fault{Kind: simulator.FaultInvalidGrant}, func(r reply, _ error) bool {
			return r.status == 400 && r.at("error") == "invalid_grant"
		}, false},
		{"invalid_client", simulator.Fault{Kind: simulator.FaultInvalidClient}, func(r reply, _ error) bool {
			return r.status == 401 && r.at("error") == "invalid_client"
		}, false},
		{"connection lost", simulator.Fault{Kind: simulator.FaultDrop}, func(_ reply, err error) bool { return err != nil }, true},
		{"half an answer", simulator.Fault{Kind: simulator.FaultTruncated}, func(_ reply, err error) bool { return err != nil }, true},
		{"no JSON", simulator.Fault{Kind: simulator.FaultMalformed}, func(r reply, _ error) bool {
			return r.status == 200 && r.body == nil && strings.Contains(r.text, "access_token")
		}, true},
		{"huge", simulator.Fault{Kind: simulator.FaultHuge, Size: 1 << 20}, func(r reply, _ error) bool {
			return len(r.text) > 1<<20 && r.at("access_token") != nil
		}, true},
		{"gzip bomb", simulator.Fault{Kind: simulator.FaultGzipBomb, Size: 1 << 20}, func(r reply, _ error) bool { return len(r.text) > 1<<20 }, true},
		{"no refresh token", simulator.Fault{Kind: simulator.FaultNoRefreshToken}, func(r reply, _ error) bool {
			return r.status == 200 && r.at("refresh_token") == nil && r.at("access_token") != nil
		}, true},
		{"no lifetime", simulator.Fault{Kind: simulator.FaultExpiresIn}, func(r reply, _ error) bool {
			return r.at("access_token") != nil && r.at("expires_in") == nil
		}, true},
		{"lifetime as a text", simulator.Fault{Kind: simulator.FaultExpiresIn, Value: "3600"}, func(r reply, _ error) bool { return r.at("expires_in") == "3600" }, true},
		{"negative lifetime", simulator.Fault{Kind: simulator.FaultExpiresIn, Value: -1}, func(r reply, _ error) bool { return r.at("expires_in") == -1.0 }, true},
		{"late", simulator.Fault{Kind: simulator.FaultLate, Delay: time.Millisecond}, func(r reply, _ error) bool { return r.status == 200 }, true},
		{"byte by byte", simulator.Fault{Kind: simulator.FaultTrickle, Delay: time.Microsecond}, func(r reply, _ error) bool { return r.at("access_token") != nil }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, g, refresh := connected(t, "airtable", tokenOptions)
			tt.fault.On, tt.fault.Times = "refresh", 1
			c.sim.Set(g.id, simulator.Fault{On: "api", Kind: simulator.FaultStatus}, tt.fault)
			if r, err := c.try(g.renew("", refresh)); !tt.want(r, err) {
				t.Errorf("answer: %d %.200s %v", r.status, r.text, err)
			}
			again := c.send(g.renew("", refresh)) // without the fault: it was for once
			if spent := again.status != 200; spent != tt.spent {
				t.Errorf("spent = %v, want %v: %d %s", spent, tt.spent, again.status, again.text)
			}
		})
	}
}

func TestControlSetsFaultsAndReadsStatistics(t *testing.T) {
	c, g, refresh := connected(t, "airtable", tokenOptions)
	control := func(method, path, body string) reply {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, c.base.String()+"/_control/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		out := reply{status: res.StatusCode}
		_ = json.NewDecoder(res.Body).Decode(&out.body)
		return out
	}
	if r := control("POST", g.id, `{"kind": "status", "status": 503}`); r.status != 204 {
		t.Fatalf("set: %d", r.status)
	}
	if r := c.send(g.renew("", refresh)); r.status != 503 {
		t.Errorf("refresh with the fault: %d", r.status)
	}
	control("DELETE", g.id, "")
	if r := c.send(g.renew("", refresh)); r.status != 200 {
		t.Errorf("refresh without: %d", r.status)
	}
	r := control("GET", g.id+"/stats", "")
	if r.at("refreshed") != 1.0 || r.at("token.refresh_token") != 1.0 || r.at("grants.0.refreshed") != 1.0 || r.at("grants.0.account") != "ana@example.com" {
		t.Errorf("stats: %v", r.body)
	}
	control("POST", g.id+"/reset", "")
	if s := c.sim.Stats(g.id); s.Refreshed != 0 || len(s.Grants) != 1 {
		t.Errorf("after reset: %+v", s)
	}
	control("POST", g.id+"/revoke", "")
	if s := c.sim.Stats(g.id); !s.Grants[0].Revoked {
		t.Errorf("after revoke: %+v", s)
	}
}

func TestParallelRefreshesAreSeenAndOnlyOneWins(t *testing.T) {
	o := tokenOptions
	o.RefreshLatency = 100 * time.Millisecond
	c, g, refresh := connected(t, "airtable", o)
	var wg sync.WaitGroup
	var mu sync.Mutex
	good := 0
	for range 4 {
		wg.Go(func() {
			r, err := c.try(g.renew("", refresh))
			mu.Lock()
			defer mu.Unlock()
			if err == nil && r.status == 200 {
				good++
			}
		})
	}
	wg.Wait()
	s := c.sim.Stats(g.id)
	if good != 1 || s.MaxParallel != 4 || s.Grants[0].MaxParallel != 4 || s.ReuseDetected != 1 || !s.Grants[0].Revoked {
		t.Errorf("%d won; stats = %+v", good, s)
	}
}

func TestAClientThatLeavesBeforeTheDecisionHasNotBeenServed(t *testing.T) {
	o := tokenOptions
	o.RefreshLatency = 200 * time.Millisecond
	c, g, refresh := connected(t, "airtable", o)
	c.http.Timeout = 50 * time.Millisecond
	if _, err := c.try(g.renew("", refresh)); err == nil {
		t.Fatal("the answer came in time")
	}
	c.http.Timeout = 0
	if r := c.send(g.renew("", refresh)); r.status != 200 {
		t.Errorf("refresh: %d %s", r.status, r.text)
	}
}
