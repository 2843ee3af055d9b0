package auth

import (
	"net/url"
	"testing"

	"dowel/engine/egress"
)

// TestValuesDoNotWidenTheHosts: what a person or a provider says may fill a host and not widen it.
func TestValuesDoNotWidenTheHosts(t *testing.T) {
	r := requestFor(t, `
id: acme
name: Acme
hosts: [login.example.com, "*.example.org", "${captured.where}"]
auth:
  - id: k
    kind: api_key
    fields: {key: {label: Key, type: password}}
    apply: {headers: {X-Key: "${fields.key}"}}
    test: {get: https://login.example.com/me, capture: {where: response.body.where}}
api: {base_url: "https://${captured.where}"}
`)
	client, err := egress.NewClient(egress.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	r.Outlet = &Outlet{Client: client}
	for _, tt := range []struct {
		where, address string
		want           bool
	}{
		{"", "https://login.example.com/", true},
		{"", "https://a.example.org/", true},
		{"", "https://api.other.com/", false},
		{"api.other.com", "https://api.other.com/", true},
		{"https://api.other.com/services", "https://api.other.com/", true},
		{"api.other.com", "https://api.other.com:8443/", false},
		{"api.other.com", "http://api.other.com/", false},
		{"*.other.com", "https://api.other.com/", false},
		{"https://*.other.com", "https://api.other.com/", false},
		{"*", "https://api.other.com/", false},
		{"127.0.0.1", "https://127.0.0.1/", false},
	} {
		r.Captured = map[string]string{"where": tt.where}
		out, err := r.scoped()
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		if err := out.Check(u); (err == nil) != tt.want {
			t.Errorf("with %q captured, %s: %v, want allowed %v", tt.where, tt.address, err, tt.want)
		}
	}
}
