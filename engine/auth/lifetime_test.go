package auth

import (
	"encoding/json"
	"testing"
	"time"

	"dowel/engine/definition"
)

// lifetimeOf compiles an expires block, as a definition has it.
func lifetimeOf(t *testing.T, block string) *definition.Lifetime {
	t.Helper()
	if block == "" {
		return nil
	}
	r := requestFor(t, `
id: acme
name: Acme
hosts: [x.example.com]
auth:
  - id: o
    kind: oauth2_authorization_code
    authorize: {url: https://x.example.com/a}
    pkce: optional
    token: {url: https://x.example.com/t, client_auth: body, answer: {expires: `+block+`}}
`)
	return r.Auth.Token.Answer.Expires
}

// requestFor is a request with the first method of a definition.
func requestFor(t *testing.T, source string) Request {
	t.Helper()
	k, findings := definition.Parse("acme.yaml", []byte(source))
	if k == nil {
		t.Fatal(findings)
	}
	return Request{Connector: k, Auth: k.Auth[0], Inputs: map[string]string{}, Captured: map[string]string{}}
}

func TestExpiry(t *testing.T) {
	received := time.Date(2026, 11, 21, 10, 0, 0, 123_456_789, time.FixedZone("", 3600))
	const year = 365 * 24 * time.Hour
	for _, tt := range []struct {
		name, block string
		value       any
		want        time.Duration // from receipt; zero: unknown
	}{
		{"usual", "", 3600, time.Hour},
		{"usual as a text", "", "3600", time.Hour},
		{"usual absent", "", nil, 0},
		{"usual zero", "", 0, 0},
		{"usual negative", "", "-1", 0},
		{"usual not a number", "", "NaN", 0},
		{"usual infinite", "", "Infinity", 0},
		{"usual enormous", "", json.Number("123456789012345678901234567890"), year},
		{"default when absent", "{default: 2h}", nil, 2 * time.Hour},
		{"default when zero", "{default: 2h}", 0, 2 * time.Hour},
		{"answer before default", "{default: 2h}", 60, time.Minute},
		{"seconds elsewhere", "{in: response.body.v}", 60, time.Minute},
		{"milliseconds", "{in: response.body.v, unit: ms}", 60_000, time.Minute},
		{"below a millisecond", "{in: response.body.v, unit: ms}", 0.2, 0},
		{"a bool", "{in: response.body.v}", true, 0},
		{"epoch", "{at: response.body.v, unit: epoch}", int(received.Add(time.Minute).Unix()), time.Minute - 123*time.Millisecond},
		{"epoch as a text", "{at: response.body.v, unit: epoch}", "1795251660", 59*time.Second + 877*time.Millisecond},
		{"epoch in milliseconds", "{at: response.body.v, unit: epoch_ms}", int(received.Add(time.Minute).UnixMilli()), time.Minute},
		{"epoch past", "{at: response.body.v, unit: epoch}", 1_600_000_000, 0},
		{"epoch past with default", "{at: response.body.v, unit: epoch, default: 1h}", 1_600_000_000, time.Hour},
		{"epoch absurd", "{at: response.body.v, unit: epoch}", 1e300, year},
		{"iso", "{at: response.body.v}", "2026-11-21T09:01:00Z", 59*time.Second + 877*time.Millisecond},
		{"iso with an offset", "{at: response.body.v, unit: iso}", "2026-11-21T10:01:00.123+01:00", time.Minute},
		{"iso with a short offset", "{at: response.body.v, unit: iso}", "2026-11-21T10:01:00+0100", 59*time.Second + 877*time.Millisecond},
		{"iso without a zone", "{at: response.body.v, unit: iso}", "2026-11-21 09:01:00", 59*time.Second + 877*time.Millisecond},
		{"a day", "{at: response.body.v, unit: iso}", "2026-11-22", 14*time.Hour + 59*time.Minute + 59*time.Second + 877*time.Millisecond},
		{"the last year", "{at: response.body.v, unit: iso}", "9999-12-31T23:59:59Z", year},
		{"no moment", "{at: response.body.v, unit: iso, default: 1h}", "soon", time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := definition.Env{"response": map[string]any{"status": 200, "headers": map[string]any{}, "body": map[string]any{"v": tt.value}, "text": ""}}
			got := expiry(lifetimeOf(t, tt.block), tt.value, env, received, longest)
			if tt.want == 0 {
				if !got.IsZero() {
					t.Errorf("expiry = %v, want unknown", got)
				}
				return
			}
			want := received.UTC().Truncate(time.Millisecond).Add(tt.want)
			if d := got.Sub(want); d < -time.Millisecond || d > time.Millisecond {
				t.Errorf("expiry = %v after receipt, want %v", got.Sub(received), tt.want)
			}
			if got.Location() != time.UTC || got.Nanosecond()%1e6 != 0 {
				t.Errorf("expiry = %v, want UTC to the millisecond", got)
			}
		})
	}
}
