package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"dowel/engine/identity"
)

// protected checks the headers that every page has to carry.
func protected(t *testing.T, p page) {
	t.Helper()
	csp := p.header.Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors ",
	} {
		if !strings.Contains(csp, want) {
			t.Errorf("%s: the policy %q lacks %s", p.path, csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
		t.Errorf("%s: the policy %q is not strict", p.path, csp)
	}
	if strings.Contains(csp, "frame-ancestors 'none'") && p.header.Get("X-Frame-Options") != "DENY" {
		t.Errorf("%s: old browsers may frame it", p.path)
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
	} {
		if got := p.header.Get(name); got != want {
			t.Errorf("%s: %s is %q, want %q", p.path, name, got, want)
		}
	}
	if p.header.Get("Cross-Origin-Opener-Policy") == "" || p.header.Get("Permissions-Policy") == "" {
		t.Errorf("%s lacks an opener or permissions policy", p.path)
	}
	if m := regexp.MustCompile(`(?i)<script[^>]*>[^<]|<[^>]*\s(on[a-z]+|style)=|(src|href)="https?://[^"]*\.(js|css|png|svg)`).FindString(p.body); m != "" {
		t.Errorf("%s has something inline or foreign: %s", p.path, m)
	}
}

func TestEveryPageCarriesTheStrictPolicy(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{})
	protected(t, b.get(path).want(http.StatusOK))
	protected(t, b.get(path+"?connector=google").want(http.StatusOK))
	leaving := b.start(path, "google", nil).want(http.StatusOK)
	protected(t, leaving)
	callback := b.get(h.consent(leaving.leaves(), "allow", "1001"))
	protected(t, callback)
	protected(t, b.follow(callback).want(http.StatusOK))
	protected(t, b.get("/callback?state=unknown&code=x").want(http.StatusGone))
	protected(t, b.get("/connect/nothing").want(http.StatusGone))
	protected(t, b.get("/nothing").want(http.StatusNotFound))
	protected(t, b.get("/console").want(http.StatusUnauthorized))
	protected(t, b.get("/console/open?link=x").want(http.StatusOK))
	protected(t, b.get("/").want(http.StatusSeeOther))
	op := h.signIn()
	for _, at := range []string{"", "/connectors", "/connectors/google", "/connections", "/connections/" + h.connections()[0].ID, "/keys", "/events", "/nothing"} {
		protected(t, op.get("/console"+at))
	}
}

func TestOverHTTPSCookiesBelongToThisHostAlone(t *testing.T) {
	h := newHouseAt(t, "https://dowel.example.com")
	s, err := h.engine.Identity.CreateConnectSession(t.Context(), h.operator, identity.SessionInput{EndUser: "u"})
	h.must(err)
	p := h.browser().get(strings.TrimPrefix(s.URL, "https://dowel.example.com")).want(http.StatusOK)
	set := p.header.Values("Set-Cookie")
	for _, c := range set {
		c = strings.ToLower(c)
		for _, want := range []string{"__host-dowel", "; path=/", "; secure", "; httponly", "; samesite=lax"} {
			if !strings.Contains(c, want) || strings.Contains(c, "domain=") {
				t.Errorf("cookie %q lacks %s", c, want)
			}
		}
	}
	if len(set) != 2 || p.header.Get("Strict-Transport-Security") == "" {
		t.Errorf("headers: %v", p.header)
	}
}

func TestPagesThatTellAnOpenerKeepTheTieToIt(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct {
		name        string
		in          identity.SessionInput
		page, after string
		ancestors   string
	}{
		{"in a tab", identity.SessionInput{}, "same-origin-allow-popups", "unsafe-none", "frame-ancestors " + hostOrigin},
		{"as a popup", identity.SessionInput{OpenerOrigin: hostOrigin}, "unsafe-none", "unsafe-none", "frame-ancestors " + hostOrigin},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := h.browser()
			tt.in.Connectors = []string{"stripe"}
			path := h.session(tt.in)
			p := b.get(path)
			if got := p.header.Get("Cross-Origin-Opener-Policy"); got != tt.page {
				t.Errorf("the page's opener policy is %s, want %s", got, tt.page)
			}
			if csp := p.header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, tt.ancestors) {
				t.Errorf("the page's policy is %q, want %s", csp, tt.ancestors)
			}
			p = b.follow(b.start(path, "stripe", map[string]string{"secret_key": "sk_test_1"}))
			if got := p.header.Get("Cross-Origin-Opener-Policy"); got != tt.after {
				t.Errorf("the result's opener policy is %s, want %s", got, tt.after)
			}
			if told := strings.Contains(p.body, `data-opener-origin="`+hostOrigin+`"`); told != (tt.in.OpenerOrigin != "") {
				t.Errorf("the result names the opener's origin: %v", told)
			}
		})
	}
}
