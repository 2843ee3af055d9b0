package simulator

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"dowel/engine/definition"
)

// device is a device code and what became of it (RFC 8628).
type device struct {
	connector, client string
	auth              *definition.Auth
	userCode          string
	scopes            map[string][]string
	account           Account
	decision          string // allow, deny; empty: none yet
	expires           time.Time
	interval          time.Duration
	polled            time.Time // when the token endpoint was asked last
	spent             bool
}

// devicePage is where people enter codes, at the host of the device authorization endpoint.
const devicePage = "/simulated/device"

// deviceRequest gives out a code (RFC 8628 §3.1, §3.2).
func (c *call) deviceRequest(h hit) *answer {
	d := h.auth.Device
	dv, p := c.newDevice(h)
	if p != nil {
		c.count(func(s *Stats) { s.Refused[p.code]++ })
		return quiet(d.Outcome, refusal(nil, d.Outcome, p))
	}
	code := c.s.issue("device")
	c.s.mu.Lock()
	c.s.devices[code] = dv
	c.s.mu.Unlock()
	page := "https://" + c.host + devicePage
	out, a := document{}, &d.Answer
	out.give(a.DeviceCode, "device_code", code)
	out.give(a.UserCode, "user_code", dv.userCode)
	out.give(a.VerificationURI, "verification_uri", page)
	out.give(a.VerificationURIComplete, "verification_uri_complete", page+"?user_code="+dv.userCode)
	if a.Expires == nil {
		out.usual("expires_in", seconds(c.s.deviceLife(h.auth)))
	}
	place(out, a.Expires, c.s.deviceLife(h.auth))
	out.give(a.Interval, "interval", dv.interval.Seconds())
	out.decide(d.Outcome.Success, true)
	return out.answer(http.StatusOK, d.Reading)
}

// deviceLife is how long a device code lives: as the simulator was told, unless only the definition
// knows.
func (s *Simulator) deviceLife(a *definition.Auth) time.Duration {
	if l := a.Device.Answer.Expires; l != nil && l.In == nil && l.At == nil && l.Default > 0 {
		return time.Duration(l.Default)
	}
	return s.options.DeviceLifetime
}

// newDevice checks a device authorization request, which has to be the one the definition describes.
func (c *call) newDevice(h hit) (*device, *problem) {
	d := h.auth.Device
	if c.r.Method != h.method {
		return nil, &problem{"invalid_request", "the method must be " + h.method, http.StatusMethodNotAllowed}
	}
	got, p := c.tokenParams(h.method, d.Format)
	if p != nil {
		return nil, p
	}
	client, p := c.authenticate(chosen{spec: spec{hit: h, clientAuth: d.ClientAuth, names: d.Names, headers: d.Headers}, got: got})
	if p != nil {
		return nil, p
	}
	if _, p = constants(d.Params, got); p == nil {
		p = c.headerConstants(d.Headers)
	}
	if p != nil {
		return nil, p
	}
	scopes, p := scopesAsked(h.auth, d.Names, got, "")
	if p != nil {
		return nil, p
	}
	return &device{
		connector: c.connector.ID, client: client.id, auth: h.auth, userCode: newUserCode(), scopes: scopes,
		expires: time.Now().Add(c.s.deviceLife(h.auth)), interval: c.s.options.DeviceInterval,
	}, nil
}

// newUserCode makes a code of the letters and the length that RFC 8628 §6.1 suggests.
func newUserCode() string {
	const letters = "BCDFGHJKLMNPQRSTVWXZ"
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails
	for i, b := range random {
		random[i] = letters[int(b)%len(letters)]
	}
	return string(random[:4]) + "-" + string(random[4:])
}

// poll trades a device code once its person has decided (RFC 8628 §3.4, §3.5).
func (c *call) poll(k chosen, client *client) (*answer, *problem) {
	if !c.wait(c.s.options.RefreshLatency) {
		return nil, errGone
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	dv := s.devices[k.param("device_code")]
	if dv == nil || dv.connector != c.connector.ID || dv.auth.ID != k.auth.ID || dv.client != client.id {
		return nil, refuse("invalid_grant", "the device code is not known to this client")
	}
	if p := dv.polledNow(); p != nil {
		return nil, p
	}
	dv.spent = true
	g := s.newGrant(c.connector.ID, dv.auth, client.id, dv.account)
	g.scopes = dv.scopes
	refresh := ""
	if refreshable(dv.auth) {
		refresh = s.newRefreshToken(g)
	}
	return c.tokenAnswer(k.spec, g, refresh), nil
}

// polledNow notes that the device code was shown, and says why it is worth nothing yet, or no more.
func (dv *device) polledNow() *problem {
	now := time.Now()
	tooFast := !dv.polled.IsZero() && now.Sub(dv.polled) < dv.interval
	dv.polled = now
	switch {
	case dv.spent:
		return refuse("invalid_grant", "the device code was used before")
	case now.After(dv.expires):
		return refuse("expired_token", "the device code has expired")
	case dv.decision == "deny":
		return refuse("access_denied", "the person chose not to allow access")
	case tooFast:
		dv.interval += 5 * time.Second
		return refuse("slow_down", "the last request was less than the interval ago, which grows by 5 seconds")
	case dv.decision == "":
		return refuse("authorization_pending", "the person has not decided yet")
	}
	return nil
}

// ExpireDevices ends every device code that was given out for a connector, as time does.
func (s *Simulator) ExpireDevices(connectorID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, dv := range s.devices {
		if dv.connector == connectorID {
			dv.expires = time.Now().Add(-time.Second)
		}
	}
}

// deviceOf finds the live device code that a person's code belongs to; case, blanks and hyphens are no
// part of it (RFC 8628 §6.1). s.mu is held.
func (s *Simulator) deviceOf(connectorID, entered string) *device {
	plain := func(code string) string {
		return strings.NewReplacer("-", "", " ", "").Replace(strings.ToUpper(code))
	}
	for _, dv := range s.devices {
		if dv.connector == connectorID && plain(dv.userCode) == plain(entered) && time.Now().Before(dv.expires) {
			return dv
		}
	}
	return nil
}

// codePage is the page where the person enters a code and decides (RFC 8628 §3.3).
func (c *call) codePage() *answer {
	if c.r.Method == http.MethodPost {
		return c.codeDecided()
	}
	entered := c.r.URL.Query().Get("user_code")
	if entered == "" {
		return c.enterPage("")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	dv := c.s.deviceOf(c.connector.ID, entered)
	switch {
	case dv == nil:
		return c.enterPage("This code is not known here, or it is too old.")
	case dv.decision != "":
		return c.enterPage("This code has been used already.")
	}
	c.s.statsOf(c.connector.ID).Authorize++
	view := &consentView{Request: dv.userCode, Code: dv.userCode, App: dv.client, Accounts: c.s.options.Accounts}
	for _, list := range dv.scopes {
		view.Scopes = append(view.Scopes, list...)
	}
	slices.Sort(view.Scopes)
	return render(http.StatusOK, "", page{Title: "Simulated " + c.connector.Name, Provider: c.connector.Name, Consent: view})
}

// codeDecided takes the person's decision; the first one counts.
func (c *call) codeDecided() *answer {
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return c.stop("The form cannot be read.")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	dv := c.s.deviceOf(c.connector.ID, form.Get("request"))
	if dv == nil {
		return c.enterPage("This code is not known here, or it is too old.")
	}
	st := c.s.statsOf(c.connector.ID)
	switch {
	case dv.decision != "":
	case form.Get("decision") == "allow":
		dv.decision, dv.account = "allow", c.s.account(form.Get("account"))
		st.Allowed++
	default:
		dv.decision = "deny"
		st.Denied++
	}
	said := "You have allowed access. Go back to the device you came from."
	if dv.decision == "deny" {
		said = "You have not allowed access. Nothing else happens."
	}
	return render(http.StatusOK, "", page{Title: "Simulated " + c.connector.Name, Provider: c.connector.Name, Said: said})
}

func (c *call) enterPage(complaint string) *answer {
	return render(http.StatusOK, "", page{
		Title: "Simulated " + c.connector.Name, Provider: c.connector.Name, Enter: &enterView{Complaint: complaint},
	})
}

// devicePages adds the pages where people enter the codes of m: ours, and one that the definition
// itself knows the address of.
func (a *atlas) devicePages(m *definition.Auth) {
	a.add(endpoint{role: roleVerify, auth: m}, serverOf(m.Device.URL.Source)+devicePage)
	if address, ok := m.Device.Answer.VerificationURI.Value(definition.Env{}).(string); ok && address != "" {
		a.add(endpoint{role: roleVerify, auth: m}, address)
	}
	a.add(endpoint{role: roleDevice, auth: m, method: cmp.Or(m.Device.Method, http.MethodPost)}, m.Device.URL.Source)
}

// serverOf is what an address begins with: scheme and host, or the value that brings both along.
func serverOf(source string) string {
	if ps := pieces(source); len(ps) > 0 && ps[0].isFormula {
		return "${" + ps[0].formula + "}"
	}
	scheme, rest, _ := strings.Cut(source, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}
