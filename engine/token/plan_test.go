package token

import (
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/secret"
	"dowel/engine/storage"
)

func method(t *testing.T, id string) *definition.Auth {
	t.Helper()
	c, findings := definition.Parse("acme.yaml", acme("acme"))
	if c == nil {
		t.Fatal(findings)
	}
	return c.Method(id)
}

func TestPlan(t *testing.T) {
	refreshable := auth.Credential{AccessToken: secret.New("a"), RefreshToken: secret.New("r")}
	tests := []struct {
		name     string
		method   string
		cred     auth.Credential
		life     time.Duration
		from, to time.Duration // after it came; both zero: never
	}{
		{"an hour leaves five minutes", "rotating", refreshable, time.Hour, 54*time.Minute + 30*time.Second, 55*time.Minute + 30*time.Second},
		{"ten minutes leave a fifth", "rotating", refreshable, 10 * time.Minute, 7*time.Minute + 48*time.Second, 8*time.Minute + 12*time.Second},
		{"two seconds leave a fifth", "rotating", refreshable, 2 * time.Second, 1550 * time.Millisecond, 1650 * time.Millisecond},
		{"next to nothing waits a second", "rotating", refreshable, time.Millisecond, time.Second, time.Second},
		{"no end, no plan", "rotating", refreshable, 0, 0, 0},
		{"not renewable", "endless", refreshable, time.Hour, 0, 0},
		{"no refresh token", "rotating", auth.Credential{AccessToken: secret.New("a")}, time.Hour, 0, 0},
		{"a typed key is looked at when it ends", "key", auth.Credential{}, time.Hour, time.Hour, time.Hour},
		{"a schedule without an end", "kept_alive", refreshable, 0, 3 * time.Hour, 3 * time.Hour},
		{"a schedule that comes first", "kept_alive", refreshable, 100 * time.Hour, 3 * time.Hour, 3 * time.Hour},
		{"an end that comes before the schedule", "kept_alive", refreshable, time.Hour, 54 * time.Minute, 56 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // midnight UTC
				c := tt.cred
				c.ObtainedAt = now()
				if tt.life > 0 {
					c.ExpiresAt = c.ObtainedAt.Add(tt.life)
				}
				got := Plan(method(t, tt.method), c, atThree)
				if tt.to == 0 {
					if !got.IsZero() {
						t.Errorf("planned for %v", got)
					}
					return
				}
				if after := got.Sub(c.ObtainedAt); after < tt.from || after > tt.to {
					t.Errorf("planned after %v, want %v to %v", after, tt.from, tt.to)
				}
			})
		})
	}
}

// atThree is a clock that knows one expression: daily at three.
func atThree(spec string, after time.Time) time.Time {
	if spec != "0 3 * * *" {
		return time.Time{}
	}
	t := time.Date(after.Year(), after.Month(), after.Day(), 3, 0, 0, 0, time.UTC)
	if !t.After(after) {
		t = t.AddDate(0, 0, 1)
	}
	return t
}

func TestConnectionsMadeInOneMinuteAreNotRenewedInOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := method(t, "rotating")
		c := auth.Credential{RefreshToken: secret.New("r"), ObtainedAt: now(), ExpiresAt: now().Add(time.Hour)}
		at := map[int64]int{}
		for range 500 {
			at[Plan(a, c, nil).Unix()]++
		}
		if len(at) < 40 {
			t.Errorf("500 renewals fall into %d seconds", len(at))
		}
	})
}

func TestAScheduleKeepsACredentialAliveThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.life = 0 })
		r := h.connect("c", "kept_alive", nil)
		i := h.instance(func(i *instance) { i.Next = atThree })
		h.change(r, func(c *storage.Connection) { c.RefreshAt = atThree("0 3 * * *", now()) })
		for range 3 * 24 * 60 {
			if err := (&Sweeper{Source: i.Source}).Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		calls := h.provider.seen()
		for _, k := range calls {
			if k.at.Hour() != 3 || k.at.Minute() != 0 {
				t.Errorf("renewed at %v", k.at)
			}
		}
		if len(calls) != 3 {
			t.Errorf("%d calls in three days", len(calls))
		}
	})
}
