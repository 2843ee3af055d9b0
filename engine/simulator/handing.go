package simulator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Post sends what a provider's server posts to an app, and returns the status of the answer.
type Post func(ctx context.Context, address, contentType string, body []byte) (status int, err error)

// postTime bounds one post.
const postTime = 10 * time.Second

// hand has the provider's server post what the browser must not see, before the browser is sent back, or
// a while after that if the simulator is to be slow. It returns what people read if the app does not
// take it.
func (c *call) hand(ask *consent, posted map[string]any) string {
	if posted == nil {
		posted = map[string]any{}
	}
	posted[stateName(ask.auth)] = ask.state
	body, err := json.Marshal(posted)
	if err != nil {
		return err.Error()
	}
	address := cmp.Or(ask.postTo, ask.redirect)
	if app := c.app(ask.client); app != nil && !slices.Contains(app.redirects, address) {
		return "The address “" + address + "” is not registered for this app, so nothing is posted there."
	}
	post := func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, postTime)
		defer cancel()
		status, err := c.s.options.Post(ctx, address, "application/json", body)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("it answered %d", status)
		}
		return err
	}
	if d := c.s.options.PostDelay; d > 0 {
		ctx := context.WithoutCancel(c.r.Context())
		time.AfterFunc(d, func() { _ = post(ctx) }) // nobody is left to be told
		return ""
	}
	if err := post(c.r.Context()); err != nil {
		return "The app did not take what was posted to it: " + err.Error() + "."
	}
	return ""
}

// postToLoopback posts to this machine and to nowhere else: nothing here is a real provider.
func postToLoopback(ctx context.Context, address, contentType string, body []byte) (int, error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, err
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return 0, fmt.Errorf("a simulated provider posts to this machine only, not to %s", u.Host)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", contentType)
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
