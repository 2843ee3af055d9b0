package simulator

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The pages hold their own style and load nothing. One is a program; the others run no script.

//go:embed page.css
var style string

//go:embed page.html
var pageSource string

var pages = template.Must(template.New("page").Parse(pageSource))

// page is what a page shows; exactly one of Consent, Enter, Said, Error, Post and Script is there.
type page struct {
	Style    template.CSS
	Title    string
	Provider string
	Consent  *consentView
	Enter    *enterView
	Said     string
	Error    string
	Post     *postView
	Script   template.JS
}

type consentView struct {
	Request, App, Redirect string
	Code                   string // what a device shows; empty: none is involved
	Scopes                 []string
	Accounts               []Account
}

// enterView asks for the code that a device shows.
type enterView struct{ Complaint string }

type postView struct {
	Action string
	Values []pair
}

type pair struct{ Name, Value string }

// consentPage asks the person; the request is remembered under the ticket in the page.
func (c *call) consentPage(ask *consent) *answer {
	ticket := c.s.issue("ask")
	c.s.mu.Lock()
	c.s.asked[ticket] = ask
	c.s.mu.Unlock()
	view := &consentView{Request: ticket, App: ask.client, Redirect: ask.redirect, Accounts: c.s.options.Accounts}
	for _, list := range ask.scopes {
		view.Scopes = append(view.Scopes, list...)
	}
	slices.Sort(view.Scopes)
	return render(http.StatusOK, origin(ask.redirect), page{
		Title: "Simulated " + c.connector.Name, Provider: c.connector.Name, Consent: view,
	})
}

func errorPage(status int, why string) *answer {
	return render(status, "", page{Title: "Simulated provider: error", Error: why})
}

// formPostPage hands the answer over as a form (OAuth 2.0 Form Post Response Mode); without a script
// the person presses a button.
func formPostPage(provider, action string, values url.Values) *answer {
	view := &postView{Action: action}
	for name, v := range values {
		view.Values = append(view.Values, pair{name, v[0]})
	}
	slices.SortFunc(view.Values, func(a, b pair) int { return strings.Compare(a.Name, b.Name) })
	return render(http.StatusOK, origin(action), page{Title: "Simulated " + provider, Provider: provider, Post: view})
}

// origin is where a form of the page may lead in the end: browsers hold redirects after a form to
// form-action as well.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func render(status int, formAction string, p page) *answer {
	return renderWith("", status, formAction, p)
}

// renderWith is render for a page that runs the script, which is in it, and no other.
func renderWith(script string, status int, formAction string, p page) *answer {
	p.Style = template.CSS(style)
	var b bytes.Buffer
	if err := pages.Execute(&b, p); err != nil {
		return plain(http.StatusInternalServerError, err.Error())
	}
	csp := "default-src 'none'; style-src " + hashed(style) + "; form-action 'self' " + formAction + "; frame-ancestors 'none'; base-uri 'none'"
	if script != "" {
		csp += "; script-src " + hashed(script)
	}
	a := &answer{status: status, header: http.Header{}, body: b.Bytes()}
	return a.set("Content-Type", "text/html; charset=utf-8").set("Content-Security-Policy", csp).
		set("Cache-Control", "no-store").set("Referrer-Policy", "no-referrer").set("X-Content-Type-Options", "nosniff")
}

// hashed allows one inline style or script.
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
