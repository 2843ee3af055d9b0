package ui

import "time"

// Console is what all pages of the console share.
type Console struct {
	Tenant, Operator string
	// CSRF goes into every form as the hidden field "csrf".
	CSRF string
	// Notice, when not nil, is shown once above the page.
	Notice *Notice
	// Now is the moment the page is drawn for; zero: the current time.
	Now time.Time
}

func (Console) layout() string { return "console" }

// Clock returns the moment the page is drawn for.
func (c Console) Clock() time.Time { return clock(c.Now) }

// Notice tells how the last action went. Code names the text: "refreshed", "tested", "disabled",
// "enabled", "disconnected", "app-saved", "app-deleted", "key-revoked", "reconnected" or "failed".
type Notice struct {
	Code      string
	Bad       bool
	Words     string // of failed: why, as far as it may be told
	Reference string
}

// LoginPage stands where there is no session: it says how to get one. With a Token it asks to press a
// button, which posts csrf and token to /console/login, so that a link preview cannot spend the link.
type LoginPage struct {
	Token string
	CSRF  string
	// Problem is "link-used" (or expired, or unknown), "session-expired", "signed-out" or empty.
	Problem string
}

func (LoginPage) page() string   { return "login" }
func (LoginPage) layout() string { return "plain" }

// ErrorPage answers a request to the console that cannot be answered. Code is "not-found",
// "forbidden", "bad-request" or "server-error".
type ErrorPage struct {
	Console
	Code, Words, Reference string
}

func (ErrorPage) page() string { return "error" }

// HomePage is the first page. Without any connection it teaches how to make one.
type HomePage struct {
	Console
	Active, NeedsReauth, Disabled, Revoked int
	// RefreshesOK and RefreshesFailed count the last 24 hours.
	RefreshesOK, RefreshesFailed int
	Attention                    []ConnectionRow // needs_reauth or failing, worst first
	Expiring                     []ConnectionRow // soonest first
	Recent                       []Event
	Connectors                   int // how many there are to connect with
}

func (HomePage) page() string { return "home" }

// ConnectionRow is one connection in a list. Its address is /console/connections/{id}.
type ConnectionRow struct {
	ID, Name  string
	Connector string // id
	Tile      Tile
	EndUser   string
	Account   string // who they are at the provider; empty: not known
	Kind      string // the auth kind
	Status    string // pending, active, needs_reauth, revoked or disabled
	Reason    string // stable code behind the status, such as invalid_grant
	// Unverified, Failures (refreshes failed in a row) and LastError (the provider's words) are its health.
	Unverified bool
	Failures   int
	LastError  string
	// Renews says that the credential is renewed without the person.
	Renews bool
	// ExpiresAt is the end of the access token, EndsAt the end of what renews it; zero: never or unknown.
	ExpiresAt, EndsAt         time.Time
	LastRefreshAt, LastReadAt time.Time
	CreatedAt                 time.Time
}

// ConnectionsPage is the table. The filters are GET parameters: status, connector.
type ConnectionsPage struct {
	Console
	Status, Connector string
	Connectors        []Option // to filter by
	Rows              []ConnectionRow
	NextURL           string // empty: this is the end
}

func (ConnectionsPage) page() string { return "connections" }

// Fact is a name and a value, for people.
type Fact struct{ Name, Value string }

// Event is one fact that happened. Data is shown as it is: it never holds a secret.
type Event struct {
	ID, Kind, Subject, Actor string
	SubjectURL               string // empty: the subject is not a page
	SubjectName              string // empty: Subject is shown
	At                       time.Time
	Data                     map[string]string
}

// ConnectionPage is one connection. Its forms post csrf to /console/connections/{id}/refresh, /test,
// /disable, /enable and /reconnect; Disconnect leads to GET …/disconnect. The
// sections marked data-refresh are fetched again from the same address every two seconds.
type ConnectionPage struct {
	Console
	Row                ConnectionRow
	Version            int64 // counts credentials
	MethodLabel        string
	App                string // name of the app; empty: none
	Subject, Email     string // the identity at the provider
	IdentityName       string
	Requested, Granted []string
	Inputs             []Fact // answers that are not secret
	Captured           []Fact // told by the provider
	UpdatedAt          time.Time
	RefreshAt          time.Time // when it will be renewed; zero: it will not
	LastTestAt         time.Time
	LastTestError      string
	CanTest            bool
	CanRefresh         bool
	Curl               string // fetches the token with $DOWEL_API_KEY
	Timeline           []Event
	MoreURL            string
}

func (ConnectionPage) page() string { return "connection" }

// DisconnectPage asks before a connection is ended. It posts to /console/connections/{id}/disconnect:
// csrf and confirm, which has to be the connection's name.
type DisconnectPage struct {
	Console
	Row       ConnectionRow
	Revokes   bool   // the provider is told
	RevokeURL string // where a person can take access away at the provider; empty: unknown
	Wrong     bool   // what was typed did not match
}

func (DisconnectPage) page() string { return "disconnect" }

// APIKeyRow is one API key. POST /console/keys/{id}/revoke (csrf) revokes it.
type APIKeyRow struct {
	ID, Name, Prefix, CreatedBy                 string
	Scopes                                      []string
	CreatedAt, ExpiresAt, RevokedAt, LastUsedAt time.Time
}

// APIKeysPage lists the keys and has the form for a new one, which posts to /console/keys: csrf,
// name, scope (repeated) and expires (days, or empty for never).
type APIKeysPage struct {
	Console
	Keys    []APIKeyRow
	Scopes  []string // all that can be given
	Name    string   // as typed, when the form is shown again
	Chosen  []string
	Expires string
	Errors  map[string]string // by form field: name, scope, expires
}

func (APIKeysPage) page() string { return "api_keys" }

// APIKeyCreatedPage shows a new key, once. It must be sent with Cache-Control: no-store.
type APIKeyCreatedPage struct {
	Console
	Name, Key string
	Scopes    []string
	ExpiresAt time.Time
}

func (APIKeyCreatedPage) page() string { return "api_key_created" }

// EventsPage lists events, newest first. The filters are GET parameters: kind, subject.
type EventsPage struct {
	Console
	Kind, Subject string
	Kinds         []string
	Events        []Event
	NextURL       string
}

func (EventsPage) page() string { return "events" }
