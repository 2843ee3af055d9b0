package simulator

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Fault is one way a provider can misbehave.
type Fault struct {
	// On says which requests it hits: token (every token request and login), code, device_code,
	// token_exchange, password,
	// refresh, client_credentials, login, authorize, par, device, revoke, api, any. Empty: token.
	On   string    `json:"on"`
	Kind FaultKind `json:"kind"`
	// Times is how often; zero: until it is taken away.
	Times int `json:"times"`

	Status     int           `json:"status"`      // of status (500), redirect (302), html (502)
	RetryAfter string        `json:"retry_after"` // header of status, as it is written
	Delay      time.Duration `json:"delay"`       // of delay, late; between bytes for trickle. In nanoseconds.
	Location   string        `json:"location"`    // of redirect
	Size       int           `json:"size"`        // bytes of huge and gzip_bomb (64 MiB)
	Value      any           `json:"value"`       // of expires_in; nil: absent
}

// FaultKind names a fault.
type FaultKind string

// The faults. The first group keeps the request from being handled; with the second it is handled, a
// token spent and another issued, and the answer suffers; the third changes what is in the answer.
const (
	FaultStatus        FaultKind = "status"    // an error status, with Retry-After if given
	FaultHTML          FaultKind = "html"      // an error page where data should be
	FaultRedirect      FaultKind = "redirect"  // 302, or 307, which would send the secret on
	FaultError200      FaultKind = "error_200" // an error with status 200
	FaultInvalidGrant  FaultKind = "invalid_grant"
	FaultInvalidClient FaultKind = "invalid_client"
	FaultDelay         FaultKind = "delay" // waits, then handles the request

	FaultLate      FaultKind = "late"      // handles the request, then waits
	FaultDrop      FaultKind = "drop"      // handles the request, then breaks the connection
	FaultTruncated FaultKind = "truncated" // breaks it in the middle of the answer
	FaultTrickle   FaultKind = "trickle"   // one byte at a time
	FaultMalformed FaultKind = "malformed" // JSON that is none
	FaultHuge      FaultKind = "huge"
	FaultGzipBomb  FaultKind = "gzip_bomb"

	FaultExpiresIn      FaultKind = "expires_in"       // says Value for the lifetime, or nothing
	FaultNoRefreshToken FaultKind = "no_refresh_token" // leaves the refresh token out
)

// Set makes the provider of a connector misbehave; the first fault that fits a request hits it. It
// replaces what was set before; without faults the provider behaves.
func (s *Simulator) Set(connectorID string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[connectorID] = nil
	for _, f := range faults {
		s.faults[connectorID] = append(s.faults[connectorID], &f)
	}
}

// takeFault returns the fault that hits a request, if any, and uses it up by one.
func (s *Simulator) takeFault(connectorID string, role role, grant string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults[connectorID] {
		if !f.hits(role, grant) {
			continue
		}
		taken := *f
		s.statsOf(connectorID).Faulted++
		if f.Times == 1 {
			s.faults[connectorID] = slices.Delete(s.faults[connectorID], i, i+1)
		} else if f.Times > 1 {
			f.Times--
		}
		return &taken
	}
	return nil
}

func (f *Fault) hits(role role, grant string) bool {
	token := role == roleToken || role == roleRefresh || role == roleTemporary || role == roleCredentials
	switch f.On {
	case "any":
		return true
	case "", "token":
		return token || role == roleLogin
	case "refresh":
		return token && (grant == "refresh_token" || grant == "access_token")
	case "code", "device_code", "token_exchange", "password", "client_credentials":
		return token && grant == f.On
	}
	return string(role) == f.On
}

func (c *call) failing(kind FaultKind) bool { return c.fault != nil && c.fault.Kind == kind }

// faulted handles the request, or does to it what the fault says.
func (c *call) faulted(w http.ResponseWriter, handle func() *answer) {
	f := c.fault
	if f == nil {
		c.deliver(w, handle())
		return
	}
	switch f.Kind {
	case FaultStatus:
		code := "server_error"
		if f.Status == http.StatusForbidden {
			code = "insufficient_scope" // RFC 6750 §3.1
		}
		a := jsonAnswer(orElse(f.Status, 500), map[string]any{"error": code})
		if f.RetryAfter != "" {
			a.set("Retry-After", f.RetryAfter)
		}
		a.write(w)
	case FaultHTML:
		errorPage(orElse(f.Status, 502), "The simulated provider is having a bad day.").write(w)
	case FaultRedirect:
		location := f.Location
		if location == "" {
			location = "/elsewhere"
		}
		plain(orElse(f.Status, 302), "elsewhere").set("Location", location).write(w)
	case FaultError200, FaultInvalidGrant, FaultInvalidClient:
		c.refusedByFault(f).write(w)
	case FaultDelay:
		if c.wait(f.Delay) {
			c.deliver(w, handle())
		}
	default:
		c.damage(w, f, handle())
	}
}

func orElse(v, usual int) int {
	if v == 0 {
		return usual
	}
	return v
}

func (c *call) refusedByFault(f *Fault) *answer {
	p := refuse(string(f.Kind), "the simulator was told to refuse this")
	if f.Kind == FaultError200 {
		p = &problem{"temporarily_unavailable", "the simulator was told to refuse this", http.StatusOK}
	}
	if c.chosen.auth != nil {
		a := c.tokenRefusal(c.chosen.spec, p)
		if f.Kind == FaultError200 {
			a.status = http.StatusOK
		}
		return a
	}
	return c.callRefusal(nil, p)
}

// deliver writes an answer, and notes if it was in vain.
func (c *call) deliver(w http.ResponseWriter, a *answer) {
	a.write(w)
	if c.r.Context().Err() != nil {
		c.lost(a)
	}
}

func (c *call) lost(a *answer) {
	if a.grant == nil {
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.statsOf(c.connector.ID).Lost++
	a.grant.log.Lost++
}

// damage spoils an answer that stands.
func (c *call) damage(w http.ResponseWriter, f *Fault, a *answer) {
	switch f.Kind {
	case FaultLate:
		c.wait(f.Delay)
		c.deliver(w, a)
		return
	case FaultDrop:
		c.lost(a)
		hangUp(w)
		return
	case FaultTruncated:
		c.lost(a)
		copyHeader(w.Header(), a.header)
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body[:len(a.body)/2])
		_ = http.NewResponseController(w).Flush()
		hangUp(w)
		return
	case FaultTrickle:
		c.trickle(w, f, a)
		return
	case FaultMalformed:
		a.body = append(a.body[:len(a.body)-1:len(a.body)-1], `, "and": }`...)
	case FaultHuge:
		a.body = append(bytes.TrimSuffix(a.body, []byte("}")), `,"padding":"`...)
		a.body = append(append(a.body, bytes.Repeat([]byte("x"), orElse(f.Size, 64<<20))...), `"}`...)
	case FaultGzipBomb:
		a.body = bomb(orElse(f.Size, 64<<20))
		a.set("Content-Encoding", "gzip")
	}
	c.deliver(w, a)
}

// trickle writes one byte at a time until the client has had enough.
func (c *call) trickle(w http.ResponseWriter, f *Fault, a *answer) {
	delay := f.Delay
	if delay == 0 {
		delay = 200 * time.Millisecond
	}
	copyHeader(w.Header(), a.header)
	w.WriteHeader(a.status)
	for i := range a.body {
		if !c.wait(delay) {
			c.lost(a)
			return
		}
		if _, err := w.Write(a.body[i : i+1]); err != nil {
			c.lost(a)
			return
		}
		_ = http.NewResponseController(w).Flush()
	}
}

// bomb is size bytes of JSON, compressed to next to nothing.
func bomb(size int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(`{"access_token":"`)) // a buffer takes everything
	chunk := bytes.Repeat([]byte("x"), 1<<16)
	for written := 0; written < size; written += len(chunk) {
		_, _ = z.Write(chunk)
	}
	_, _ = z.Write([]byte(`"}`))
	_ = z.Close()
	return b.Bytes()
}

// hangUp breaks the connection.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http breaks the connection then
	}
	_ = conn.Close()
}
