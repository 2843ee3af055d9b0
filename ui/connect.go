package ui

import (
	"fmt"
	"time"
)

// FieldPrefix stands before the name of every connector field in a posted form, so that a field can
// never be taken for one of the form's own (csrf, connector, method, flow, choice).
const FieldPrefix = "f."

// Tile is how a tenant or connector is drawn: its logo, or a monogram of its name on its colour.
type Tile struct {
	Name  string
	Color string // "#rrggbb"; empty or malformed: a colour made from the name
	Logo  string // address on our own origin; empty: a monogram
}

// Dialog is what all pages of the Connect dialog share.
type Dialog struct {
	// Tenant is the product the person connects to; Name may be empty when the session is not known.
	Tenant Tile
	// Ticket is the last element of /connect/{ticket}; empty when the session is not known.
	Ticket string
	// CSRF goes into every form as the hidden field "csrf".
	CSRF string
	// OpenerOrigin is the one origin that is told the result by postMessage; empty: nobody.
	OpenerOrigin string
	// ReturnURL is where "Return to …" and "Cancel" lead; empty: there is nothing to return to.
	ReturnURL string
	// Now is the moment the page is drawn for; zero: the current time.
	Now time.Time
}

func (Dialog) layout() string { return "dialog" }

// Clock returns the moment the page is drawn for.
func (d Dialog) Clock() time.Time { return clock(d.Now) }

// Offer is a connector a person may pick.
type Offer struct {
	Entry
	Label string // how one signs in there, in a word or two; empty: the kinds say it
}

// PickerPage lets the person choose a connector. All that are allowed go into it; Search, which comes
// from the address, says which are shown first. A row leads to /connect/{ticket}?connector={id}.
type PickerPage struct {
	Dialog
	Search
	EndUser string
	Offers  []Offer
}

func (PickerPage) page() string { return "picker" }

// Scope is one thing that will be accessed.
type Scope struct {
	Name  string // the provider's own name for it
	Label string // in plain words; empty: Name is shown
}

// Option is one value of a select field.
type Option struct{ Value, Label string }

// Field is one question, as drawn. Values of secret fields are never put into a page.
type Field struct {
	Name, Label string
	Type        string // text, password, number, url, host, select, textarea, boolean; empty: text
	Required    bool
	Disabled    bool
	Secret      bool
	Value       string
	Help        string
	HelpURL     string // "Where do I find this?"
	Example     string
	Prefix      string
	Suffix      string
	Options     []Option
	Error       string // shown at the field and in the summary
}

// Method is one way to connect.
type Method struct {
	ID, Label, Help string
	Kind            string // the auth kind
	DocsURL         string
	// Redirects says that the person is sent to the provider: the script then opens a window.
	Redirects bool
	Fields    []Field
	Scopes    []Scope
}

// ConnectPage is the card that says what is about to happen, with the form. It posts to
// /connect/{ticket}/start: csrf, connector, method and the fields of that method. A request with
// "Accept: application/json" wants a Progress back; any other one wants a page. GET with ?method=
// chooses the method without script. POST /connect/{ticket}/check takes the same form and answers
// {field: message} for the fields that are wrong.
type ConnectPage struct {
	Dialog
	Connector string // id
	Tile      Tile
	// EndUser names the person, as the tenant does, to whom the connection will belong.
	EndUser string
	// ReconnectOf is the account of the connection that is being reconnected; empty: a new one.
	ReconnectOf string
	// Inputs are asked whatever the method, before its own fields.
	Inputs  []Field
	Methods []Method
	Method  string // id of the chosen one
	// Pick says that there are other connectors to go back to.
	Pick bool
	// Failed, when not nil, is shown above the form: the previous try.
	Failed *Failed
}

func (ConnectPage) page() string { return "connect" }

// FormPage asks for something more in the middle of a flow. It posts to /connect/{ticket}/answer:
// csrf, flow and the fields.
type FormPage struct {
	Dialog
	Tile        Tile
	Flow        string
	Title, Help string // in the provider's terms; empty Title: a general one
	Fields      []Field
}

func (FormPage) page() string { return "form" }

// FragmentPage answers a callback whose parameters stand in the fragment of its address, which no server
// sees: its script takes them out of the address and posts them to /callback/fragment: csrf, query and
// fragment. Dialog holds the token alone.
type FragmentPage struct{ Dialog }

func (FragmentPage) page() string { return "fragment" }

// LaunchPage asks somebody whom the provider has sent whether they want to connect. It posts to Path:
// csrf and query, which is what the provider has signed. Dialog holds the tenant and the token.
type LaunchPage struct {
	Dialog
	Tile    Tile
	Path    string
	Subject string // who is to be connected, in the provider's words; may be empty
	Query   string
}

func (LaunchPage) page() string { return "launch" }

// LeavePage sends the browser on to the provider with a full page. It exists because a redirect as
// the answer to a form is subject to the policy's form-action, and this is not.
type LeavePage struct {
	Dialog
	Tile Tile
	URL  string
}

func (LeavePage) page() string { return "leave" }

// WaitPage has the person act elsewhere while the page asks for the flow's status: in the window
// opened before, or at URL with Code (RFC 8628 §3.3).
type WaitPage struct {
	Dialog
	Connector string // id
	Tile      Tile
	Flow      string
	URL, Code string
	// CompleteURL is the page with the code in it; empty: the person types it.
	CompleteURL string
	QR          QR        // of CompleteURL or URL
	ExpiresAt   time.Time // zero: not known
	// Handing says that the person is back, and the provider still has to hand something over.
	Handing bool
}

// QR is a QR code: so many modules on each side, and the dark ones as the path of an SVG. The zero value
// is not drawn.
type QR struct {
	Size int
	Path string
}

// Box is the part of the plane to show: the modules and the four light ones around them that ISO/IEC
// 18004 wants.
func (q QR) Box() string { return fmt.Sprintf("-4 -4 %d %d", q.Size+8, q.Size+8) }

func (WaitPage) page() string { return "wait" }

// Choice is one answer to a ChoicePage.
type Choice struct{ Value, Label, Detail string }

// ChoicePage asks which of several things at the provider is meant. It posts to
// /connect/{ticket}/choose: csrf, flow and choice.
type ChoicePage struct {
	Dialog
	Tile           Tile
	Flow           string
	Question, Help string
	Choices        []Choice
	Error          string
}

func (ChoicePage) page() string { return "choice" }

// WrongAccountPage is the choice after a reconnect with an account that is not the connection's. It
// posts to /connect/{ticket}/choose: csrf, flow and choice, which is "retry", "keep_both" or "cancel".
type WrongAccountPage struct {
	Dialog
	Tile                  Tile
	Flow                  string
	SignedInAs, BelongsTo string
}

func (WrongAccountPage) page() string { return "wrong_account" }

// ResultPage is the end of a flow, good or bad. It answers the callback in the window that was
// opened, and in the tab itself when there is no such window.
type ResultPage struct {
	Dialog
	Connector string // id; may be empty
	Tile      Tile
	Flow      string // empty: nobody is waiting for this one
	// Failed is nil when it worked.
	Failed *Failed

	Connection  string // id
	Status      string // of the connection
	ConnectedAs string // empty: the provider did not say
	Reconnected bool
	// MissingScopes were asked for and not granted; Unverified says that the test could not be made;
	// EndsAt, when not zero, is when the connection ends because there is nothing to renew it with.
	MissingScopes []Scope
	Unverified    bool
	EndsAt        time.Time
}

func (ResultPage) page() string { return "result" }
