package e2e

import (
	"net/http"
	"time"
)

// passes: the old token is served while it lives, then the caller is told when to come again, and when
// the provider is well the connection is, without anybody's help.
func (c *faultCase) passes() {
	c.refused("a forced renewal", c.force(), c.kind, time.Second, 7*time.Second)
	c.recorded("active", "", 1, "credential.refresh_failed")
	c.served("after the failure")
	c.untilItEnds()
	_, a := c.house.Door.Token(c.id, "")
	c.refused("a read after its end", a, c.afterItsEnd(a), time.Second, 18*time.Second)
	if n := c.stats().Faulted; n > 2 {
		c.Errorf("the provider was asked %d times within %v", n, faultLife)
	}
	c.heals(20 * time.Second)
}

// afterItsEnd is the kind a read is answered with: that of the failure, or that it is being backed off.
func (c *faultCase) afterItsEnd(a Answer) string {
	if a.Problem().Code == "backing-off" {
		return "provider-unavailable"
	}
	return c.kind
}

// passesAfter10s is passes for a provider that asked to be left alone for so long.
func (c *faultCase) passesAfter10s() {
	start := time.Now()
	c.refused("a forced renewal", c.force(), c.kind, 5*time.Second, 26*time.Second)
	c.recorded("active", "", 1, "credential.refresh_failed")
	c.untilItEnds()
	_, a := c.house.Door.Token(c.id, "")
	c.refused("a read after its end", a, c.afterItsEnd(a), time.Second, 20*time.Second)
	if n := c.stats().Faulted; n != 1 || time.Since(start) > 12*time.Second {
		c.Errorf("the provider was asked %d times within %v", n, time.Since(start))
	}
	c.heals(25 * time.Second)
}

// waitsAnHour: a Retry-After nobody means is cut, and holds for the other connections of the app.
func (c *faultCase) waitsAnHour() {
	c.refused("a forced renewal", c.force(), c.kind, 55*time.Minute, time.Hour+time.Second)
	other := c.house.ConnectAs(c.T, c.live.Connector, "somebody else", Ben)
	_, a := c.house.Door.Token(other, "?force=true")
	c.refused("another connection of the app", a, c.kind, 55*time.Minute, time.Hour+time.Second)
	c.untilItEnds()
	if n := c.stats().Faulted; n != 1 {
		c.Errorf("the provider was asked %d times", n)
	}
}

// isUnknown: the refresh token is spent and its answer lost. It is not shown again while the old token
// lives; then once; and then the person is asked.
func (c *faultCase) isUnknown() {
	c.refused("a forced renewal", c.force(), c.kind, time.Second, faultLife)
	c.recorded("active", "", 1, "credential.refresh_failed")
	c.served("after the failure")
	if n := c.stats().Faulted; n != 1 {
		c.Errorf("the provider was asked %d times while the old token lived", n)
	}
	c.house.sim.Heal(c.T, c.live.Connector)
	c.untilItEnds()
	Eventually(c.T, 20*time.Second, "the person is asked", func() bool { return c.house.Connection(c.T, c.id).Status == "needs_reauth" })
	_, a := c.house.Door.Token(c.id, "")
	c.refused("a read in the end", a, "needs-reauth", 0, 0)
	c.says = ""
	c.recorded("needs_reauth", "refresh_result_unknown", 1, "connection.needs_reauth")
	if s := c.stats(); s.Faulted != 1 || s.Token["refresh_token"] > 2 {
		c.Errorf("the provider was asked %d and %d times", s.Faulted, s.Token["refresh_token"])
	}
}

// isTriedAtTheEnd: as far as anybody can tell the refresh token may be spent, so it is not shown again
// while the old token lives. Then it turns out to be good.
func (c *faultCase) isTriedAtTheEnd() {
	c.refused("a forced renewal", c.force(), c.kind, time.Second, faultLife)
	c.recorded("active", "", 1, "credential.refresh_failed")
	_, a := c.house.Door.Token(c.id, "?force=true")
	c.refused("another forced renewal", a, "provider-unavailable", time.Second, faultLife)
	c.served("after the failure")
	c.heals(20 * time.Second)
	if s := c.stats(); s.Faulted != 1 || s.Token["refresh_token"] != 1 || time.Now().Before(*c.live.ExpiresAt) {
		c.Errorf("the provider was asked %d times and then %d times", s.Faulted, s.Token["refresh_token"])
	}
}

// endsTheGrant: one call, one event; the token is served to its end, with a warning, and nobody asks the
// provider again.
func (c *faultCase) endsTheGrant() {
	c.refused("a forced renewal", c.force(), "needs-reauth", 0, 0)
	c.recorded("needs_reauth", "invalid_grant", 1, "connection.needs_reauth")
	if token := c.served("after the end of the grant"); token.Warning != "needs_reauth" {
		c.Errorf("the living token is served with the warning %q", token.Warning)
	}
	c.untilItEnds()
	for range 5 {
		_, a := c.house.Door.Token(c.id, "")
		c.refused("a read after its end", a, "needs-reauth", 0, 0)
	}
	c.house.sim.Heal(c.T, c.live.Connector)
	time.Sleep(2 * time.Second)
	told := 0
	for _, e := range c.house.Events(c.T, c.id) {
		if e.Kind == "connection.needs_reauth" {
			told++
		}
	}
	if s := c.stats(); s.Faulted != 1 || s.Token["refresh_token"] != 0 || told != 1 {
		c.Errorf("the provider was asked %d times and then %d times; %d events", s.Faulted, s.Token["refresh_token"], told)
	}
}

// accusesTheApp: the connection is not blamed, and heals when the operator has mended the app.
func (c *faultCase) accusesTheApp() {
	c.refused("a forced renewal", c.force(), c.kind, 4*time.Minute, 6*time.Minute)
	c.recorded("active", "", 0, "")
	c.served("after the refusal")
	c.untilItEnds()
	_, a := c.house.Door.Token(c.id, "")
	c.refused("a read after its end", a, c.kind, 4*time.Minute, 6*time.Minute)
	if n := c.stats().Faulted; n != 1 {
		c.Errorf("the provider was asked %d times", n)
	}
	c.house.sim.Heal(c.T, c.live.Connector)
	app := c.house.appOf(c.T, c.live.Connector)
	if app.RefusedSince == nil {
		c.Error("the app does not say that it is refused")
	}
	body := map[string]string{"client_secret": "simulated-secret-of-" + c.live.Connector + "-which-is-long-enough-to-sign-with-by-every-hash"}
	if status, b := c.house.Do(http.MethodPatch, "/api/v1/apps/"+app.ID, body); status != http.StatusOK {
		c.Errorf("mend the app: %d %s", status, b)
	}
	c.heals(5 * time.Second)
}

// heals lets the provider behave and waits until a new token is served that works there.
func (c *faultCase) heals(within time.Duration) {
	c.Helper()
	c.house.sim.Heal(c.T, c.live.Connector)
	Eventually(c.T, within, "the connection heals", func() bool {
		token, a := c.house.Door.Token(c.id, "")
		return a.Status == http.StatusOK && token.Version == 2 && token.Warning == "" && c.house.sim.Accepts(token)
	})
	if v := c.house.Connection(c.T, c.id); v.Status != "active" || v.Health.Failures != 0 || v.Health.LastRefreshError != "" {
		c.Errorf("healed, the record says %+v", v)
	}
	if s := c.stats(); s.ReuseDetected != 0 {
		c.Errorf("the provider saw %d reuses", s.ReuseDetected)
	}
}
