package rehearsal

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"dowel/engine/flow"
	"dowel/engine/simulator"
)

// visitor is the person with a browser: it opens the provider's page, answers it, and brings back what
// the provider sends along. It goes nowhere but to the simulator.
type visitor struct{ client *http.Client }

func newVisitor() *visitor {
	return &visitor{client: &http.Client{
		Timeout: longest, Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// maxPage bounds what is read of a page.
const maxPage = 1 << 20

// answer is what the visitor was answered.
type answer struct {
	status   int
	location string
	page     string
}

func (v *visitor) send(ctx context.Context, method, address string, form url.Values) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return answer{}, err
	}
	return answer{resp.StatusCode, resp.Header.Get("Location"), string(b)}, nil
}

var (
	inputs    = regexp.MustCompile(`<input[^>]*>`)
	attribute = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
	alert     = regexp.MustCompile(`<p role="alert">([^<]*)<`)
)

// hidden are the hidden fields of a page's form.
func (a answer) hidden() url.Values {
	out := url.Values{}
	for _, tag := range inputs.FindAllString(a.page, -1) {
		attributes := map[string]string{}
		for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
			attributes[m[1]] = html.UnescapeString(m[2])
		}
		if attributes["type"] == "hidden" && attributes["name"] != "" {
			out.Set(attributes["name"], attributes["value"])
		}
	}
	return out
}

// complaint is what an error page says.
func (a answer) complaint() string {
	if m := alert.FindStringSubmatch(a.page); m != nil {
		return html.UnescapeString(m[1])
	}
	return fmt.Sprintf("nothing that can be read (status %d)", a.status)
}

// consent answers the provider's page as the account, with "allow" or another decision, and returns the
// parameters of the callback and how they come.
func (v *visitor) consent(ctx context.Context, address, account, decision string) (url.Values, flow.Way, error) {
	to, err := url.Parse(address)
	if err != nil {
		return nil, "", fmt.Errorf("read the provider's address: %w", err)
	}
	address = simulator.Program(to).String()
	page, err := v.send(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, "", fmt.Errorf("open the provider's page: %w", err)
	}
	ticket := page.hidden().Get("request")
	if ticket == "" {
		return page.back()
	}
	form := url.Values{"request": {ticket}, "account": {account}, "decision": {decision}}
	back, err := v.send(ctx, http.MethodPost, address, form)
	if err != nil {
		return nil, "", fmt.Errorf("answer the provider's page: %w", err)
	}
	return back.back()
}

// back reads how the provider sends the browser back: by a redirect, or by a form that posts itself.
func (a answer) back() (url.Values, flow.Way, error) {
	if a.location != "" {
		to, err := url.Parse(a.location)
		if err != nil {
			return nil, "", fmt.Errorf("the provider sends the browser to an address that is none: %w", err)
		}
		return parameters(to)
	}
	if form := a.hidden(); a.status == http.StatusOK && len(form) > 0 {
		return form, flow.ByFormPost, nil
	}
	return nil, "", fmt.Errorf("the provider's page says: %s", a.complaint())
}

// parameters are those of an address, and of its fragment as a page would read them.
func parameters(to *url.URL) (url.Values, flow.Way, error) {
	query := to.Query()
	fragment := to.EscapedFragment()
	if fragment == "" {
		return query, flow.ByQuery, nil
	}
	told, err := url.ParseQuery(fragment)
	if err != nil {
		return nil, "", fmt.Errorf("the fragment cannot be read: %w", err)
	}
	for name, values := range told {
		query[name] = append(query[name], values...)
	}
	return query, flow.ByFragment, nil
}
