package egress

import "testing"

func TestMatchHost(t *testing.T) {
	tests := []struct {
		pattern, host string
		want          bool
	}{
		{"api.example.com", "api.example.com", true},
		{"API.example.com", "api.EXAMPLE.com", true},
		{"api.example.com", "api.example.com:443", true},
		{"api.example.com", "api.example.com:8443", false},
		{"api.example.com:8443", "api.example.com:8443", true},
		{"api.example.com:8443", "api.example.com", false},
		{"api.example.com", "evil-api.example.com", false},
		{"api.example.com", "api.example.com.evil.net", false},
		{"*.zendesk.com", "acme.zendesk.com", true},
		{"*.zendesk.com", "a.b.zendesk.com", true},
		{"*.zendesk.com", "acme.zendesk.com:8443", false},
		{"*.zendesk.com:8443", "acme.zendesk.com:8443", true},
		{"*.zendesk.com", "zendesk.com", false},
		{"*.zendesk.com", ".zendesk.com", false},
		{"*.zendesk.com", "a..zendesk.com", false},
		{"*.zendesk.com", "evilzendesk.com", false},
		{"*.zendesk.com", "acme.zendesk.com.evil.net", false},
		{"*.zendesk.com", "acme.zendesk.com.", false},
		{"*.com", "example.com", false},
		{"*", "example.com", false},
		{"*.", "example.", false},
		{"", "", false},
		{"xn--bcher-kva.example", "xn--bcher-kva.example", true},
		{"bücher.example", "xn--bcher-kva.example", false},
		{"[2001:db8::1]:8443", "[2001:db8::1]:8443", true},
		{"[2001:db8::1]", "[2001:db8::1]", true},
		{"a.*.example.com", "a.b.example.com", false},
	}
	for _, tt := range tests {
		if got := MatchHost(tt.pattern, tt.host); got != tt.want {
			t.Errorf("MatchHost(%q, %q) = %t, want %t", tt.pattern, tt.host, got, tt.want)
		}
	}
}
