package ui

import "strings"

// Progress is what the waiting page is told, as JSON, by GET /connect/{ticket}/status?flow= and by
// POST /connect/{ticket}/start.
type Progress struct {
	Flow string `json:"flow,omitempty"`
	// Status is pending, choice, done, failed, expired or invalid (Errors says where).
	Status string `json:"status"`
	// Stage, while pending: empty while the person is at the provider, "finishing" after that.
	Stage string `json:"stage,omitempty"`
	// URL is where the opened window goes; only in the answer to start.
	URL string `json:"url,omitempty"`

	Code        string `json:"code,omitempty"` // of a failure
	Title       string `json:"title,omitempty"`
	Message     string `json:"message,omitempty"`
	Fix         string `json:"fix,omitempty"`
	Words       string `json:"words,omitempty"` // the provider's own
	Reference   string `json:"reference,omitempty"`
	Retry       bool   `json:"retry"` // of failed: trying again from the form makes sense
	ConnectedAs string `json:"connected_as,omitempty"`
	Connection  string `json:"connection,omitempty"`
	// ConnectionStatus is told to the page that opened the dialog, with the connection.
	ConnectionStatus string   `json:"connection_status,omitempty"`
	Warnings         []string `json:"warnings,omitempty"`
	// Redirect is the return URL after done.
	Redirect string `json:"redirect,omitempty"`
	// FormURL is the page that asks, of status choice, or that offers more than words, of failed, or that
	// says what to do elsewhere, of pending.
	FormURL string `json:"form_url,omitempty"`
	// Errors holds a message per field, of status invalid.
	Errors map[string]string `json:"errors,omitempty"`
}

// Progress says the same as p's page in a form the waiting page can show.
func (u *UI) Progress(p ResultPage) Progress {
	if p.Failed != nil {
		text := u.Failure(*p.Failed, p.Tile.Name, p.Tenant.Name)
		return Progress{
			Flow: p.Flow, Status: "failed", Code: text.Code, Title: text.Title, Message: text.Cause, Fix: text.Fix,
			Words: p.Failed.Words, Reference: p.Failed.Reference, Retry: text.Retry,
		}
	}
	return Progress{
		Flow: p.Flow, Status: "done", Title: u.resultTitle(p), ConnectedAs: p.ConnectedAs,
		Message: u.texts.or("result.done.body", ""), Connection: p.Connection, ConnectionStatus: p.Status,
		Warnings: u.warnings(p), Redirect: p.ReturnURL,
	}
}

// resultTitle is the headline of a success.
func (u *UI) resultTitle(p ResultPage) string {
	key, pairs := "result.connected", []any{"connector", p.Tile.Name}
	if p.ConnectedAs != "" {
		key, pairs = "result.connected_as", []any{"account", p.ConnectedAs}
	}
	s, err := u.texts.text(key, pairs...)
	if err != nil {
		return p.Tile.Name
	}
	return s
}

// warnings are what a person should know although it worked.
func (u *UI) warnings(p ResultPage) []string {
	var out []string
	add := func(key string, pairs ...any) {
		if s, err := u.texts.text(key, pairs...); err == nil {
			out = append(out, s)
		}
	}
	if len(p.MissingScopes) > 0 {
		names := make([]string, 0, len(p.MissingScopes))
		for _, s := range p.MissingScopes {
			names = append(names, orElse(s.Label, s.Name))
		}
		add("warning.scopes", "connector", p.Tile.Name, "scopes", strings.Join(names, ", "))
	}
	if p.Unverified {
		add("warning.unverified", "connector", p.Tile.Name)
	}
	if !p.EndsAt.IsZero() {
		add("warning.ends", "connector", p.Tile.Name, "when", moment(p.Clock(), p.EndsAt))
	}
	return out
}
