package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"dowel/ui"
)

// Browser is a browser without a screen: it keeps cookies, follows no redirect by itself, and fills in
// forms.
type Browser struct {
	tb     testing.TB
	client *http.Client
}

// NewBrowser returns a browser without cookies.
func NewBrowser(tb testing.TB) *Browser {
	tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return &Browser{tb: tb, client: &http.Client{
		Jar: jar, Timeout: 60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Trust has the browser take the certificates of an authority for good.
func (b *Browser) Trust(authority *x509.CertPool) {
	b.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority, MinVersion: tls.VersionTLS12}}
	b.tb.Cleanup(b.client.CloseIdleConnections)
}

// Page is what a browser was answered.
type Page struct {
	Status   int
	Header   http.Header
	Body     string
	Location string
	URL      *url.URL
}

// Open gets a page.
func (b *Browser) Open(address string) Page { return b.do(http.MethodGet, address, nil, nil) }

// Follow is Open, and follows redirects to the end.
func (b *Browser) Follow(address string) Page {
	p := b.Open(address)
	for n := 0; p.Location != "" && n < 10; n++ {
		p = b.Open(p.Location)
	}
	return p
}

// Post sends a form. header may be nil.
func (b *Browser) Post(address string, form url.Values, header http.Header) Page {
	return b.do(http.MethodPost, address, form, header)
}

func (b *Browser) do(method, address string, form url.Values, header http.Header) Page {
	b.tb.Helper()
	var body io.Reader = http.NoBody
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(context.Background(), method, address, body)
	if err != nil {
		b.tb.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", req.URL.Scheme+"://"+req.URL.Host)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.tb.Fatalf("%s %s: %v", method, req.URL.Path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.tb.Fatal(err)
	}
	p := Page{Status: resp.StatusCode, Header: resp.Header, Body: string(text), URL: req.URL}
	if to, err := resp.Location(); err == nil {
		p.Location = to.String()
	}
	return p
}

var (
	inputs     = regexp.MustCompile(`<input[^>]*>`)
	attributes = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

// Hidden returns the hidden fields of a page's forms.
func (p Page) Hidden() url.Values {
	out := url.Values{}
	for _, tag := range inputs.FindAllString(p.Body, -1) {
		a := map[string]string{}
		for _, m := range attributes.FindAllStringSubmatch(tag, -1) {
			a[m[1]] = m[2]
		}
		if a["type"] == "hidden" && a["name"] != "" {
			out.Set(a["name"], a["value"])
		}
	}
	return out
}

// Ticket asks for a connect session and returns its address.
func (d Door) Ticket(tb testing.TB, endUser string, connectors ...string) string {
	tb.Helper()
	status, b := d.Do(http.MethodPost, "/api/v1/connect-sessions", map[string]any{"end_user": endUser, "connectors": connectors})
	if status != http.StatusCreated {
		tb.Fatalf("connect session: %d %s", status, b)
	}
	var t struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(b, &t); err != nil {
		tb.Fatal(err)
	}
	return t.URL
}

// Press opens a ticket and presses Connect; what is asked is in answers. It returns the answer to the
// press.
func (b *Browser) Press(ticket, method string, answers map[string]string) ui.Progress {
	b.tb.Helper()
	page := b.Open(ticket)
	if page.Status != http.StatusOK {
		b.tb.Fatalf("open the ticket: %d\n%s", page.Status, page.Body)
	}
	form := page.Hidden()
	if method != "" {
		form.Set("method", method)
	}
	for k, v := range answers {
		form.Set(ui.FieldPrefix+k, v)
	}
	answer := b.Post(ticket+"/start", form, http.Header{"Accept": {"application/json"}})
	var p ui.Progress
	if err := json.Unmarshal([]byte(answer.Body), &p); err != nil {
		b.tb.Fatalf("press Connect: %d %s", answer.Status, answer.Body)
	}
	return p
}

// Consent answers the simulated provider's page and returns the callback's address, which it does not
// open.
func (b *Browser) Consent(authorize, account, decision string) string {
	b.tb.Helper()
	page := b.Open(authorize)
	if page.Status != http.StatusOK {
		b.tb.Fatalf("consent page: %d\n%s", page.Status, page.Body)
	}
	form := url.Values{"request": {page.Hidden().Get("request")}, "account": {account}, "decision": {decision}}
	answer := b.Post(authorize, form, nil)
	if answer.Location == "" {
		b.tb.Fatalf("consent: %d\n%s", answer.Status, answer.Body)
	}
	return answer.Location
}

// Ana and Ben are the accounts every simulated provider has.
const (
	Ana = "1001"
	Ben = "1002"
)

// Connect makes one connection through the pages and returns its id.
func (i *Instance) Connect(tb testing.TB, connector, method, endUser string, answers map[string]string) string {
	tb.Helper()
	return i.connect(tb, connector, method, endUser, Ana, answers)
}

// ConnectAs is Connect with an account of the simulated provider, by the usual method.
func (i *Instance) ConnectAs(tb testing.TB, connector, endUser, account string) string {
	tb.Helper()
	return i.connect(tb, connector, "", endUser, account, nil)
}

func (i *Instance) connect(tb testing.TB, connector, method, endUser, account string, answers map[string]string) string {
	tb.Helper()
	b := NewBrowser(tb)
	ticket := i.Ticket(tb, endUser, connector)
	p := b.Press(ticket, method, answers)
	for n := 0; p.Code == "rate-limited" && n < 100; n++ {
		time.Sleep(250 * time.Millisecond) // one address may start so many flows a second
		p = b.Press(ticket, method, answers)
	}
	if p.URL != "" {
		b.Follow(b.Consent(p.URL, account, "allow"))
	} else if p.Status != "done" {
		tb.Fatalf("connect %s: %+v", connector, p)
	}
	ids := i.ConnectionsOf(tb, connector, endUser)
	if len(ids) != 1 {
		tb.Fatalf("%d connections of %s to %s, want 1", len(ids), endUser, connector)
	}
	return ids[0]
}

// ConnectionsOf lists the connections of an end user by id.
func (d Door) ConnectionsOf(tb testing.TB, connector, endUser string) []string {
	tb.Helper()
	var list struct {
		Connections []struct {
			ID string `json:"id"`
		} `json:"connections"`
	}
	d.Get(tb, "/api/v1/connections?end_user="+url.QueryEscape(endUser)+"&connector="+connector, &list)
	var ids []string
	for _, c := range list.Connections {
		ids = append(ids, c.ID)
	}
	return ids
}
