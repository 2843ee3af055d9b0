package ui

import "time"

// ConnectorCard is one connector in the gallery. Its address is /console/connectors/{id}.
type ConnectorCard struct {
	Entry
	Description string
	Custom      bool // the tenant's own
	Deprecated  bool
	NeedsApp    bool // it has no app yet and cannot connect without one
}

// ConnectorsPage is the gallery. All connectors there are go into it; Search, which comes from the
// address, says which are shown first.
type ConnectorsPage struct {
	Console
	Search
	Connectors []ConnectorCard
}

func (ConnectorsPage) page() string { return "connectors" }

// ConnectorHead is what the pages of one connector share. They are /console/connectors/{id}, and behind
// it /requests and /definition.
type ConnectorHead struct {
	Console
	ID string
	Tile
	Description string
	Categories  []string
	Version     string
	Kinds       []string
	SignsIn     bool // it can say who the person is
	Custom      bool // the tenant's own
	Deprecated  string
	Findings    int // how many complaints there are about the definition
}

// ConnectorMethod is one method of a connector, for an operator to read.
type ConnectorMethod struct {
	ID, Label, Kind, Help string
	Fields                []Field
	Scopes, Required      []string
	AuthorizeURL          string // templates as written
	TokenURL              string
	PKCE, ClientAuth      string
	Refreshes             bool
	NeedsApp, LacksApp    bool // it takes an app to connect; there is none yet
}

// AppRow is one app: a registration at the provider.
type AppRow struct {
	ID, Name, Method, ClientID string
	Environment                string // empty: any
	// Issuer is the server it is registered at, if the connector is used with many, which AsksIssuer says; "*":
	// any of them; empty: nobody has said, so it is not used. NewIssuer is what the form has.
	Issuer, NewIssuer string
	AsksIssuer        bool
	HasSecret         bool
	Scopes            []string
	// Answers are what is registered beside them, for people to read; Fields the same to be changed. A
	// secret that is left empty stays. NoSecret says that there is no client secret.
	Answers       []AppAnswer
	Fields        []Field
	NoSecret      bool
	Errors        map[string]string // by form field of what was typed: client_secret, issuer
	Refused       time.Time         // since when the provider refuses it; zero: it does not
	RefusedReason string
	CreatedAt     time.Time
}

// AppAnswer is one thing that is registered beside a client id. Of a secret it is only said that it is
// there.
type AppAnswer struct {
	Label, Value string
	Secret       bool
}

// AppForm is the form for a new app, with what was typed into it when it has to be shown again.
type AppForm struct {
	Name, Method, Environment, Issuer, ClientID, Scopes string
	// Fields are asked beside the client id and secret.
	Fields               []Field
	NoClientID, NoSecret bool              // what the connector's apps do not have
	AsksIssuer           bool              // the connector is used with many servers
	Errors               map[string]string // by form field: name, method, issuer, client_id, client_secret, scopes
}

// Verified says how far a definition has been checked, as its file does.
type Verified struct {
	Level   string // simulated, corroborated, documented, live; empty: nobody says
	Sources int    // how many independent sources agree
	Date    string // as in the file: 2026-11-21
	Note    string
}

// Link is an address for people; Key names its text, "link.<key>".
type Link struct{ Key, URL string }

// ConnectorPage is one connector with its apps. POST /console/connectors/{id}/connect (csrf, end_user,
// method) opens a connect session; POST /console/connectors/{id}/apps (csrf, name, method, environment,
// issuer, client_id, client_secret, scopes and the app's fields) adds an app; POST /console/apps/{id}/secret (csrf,
// client_secret, issuer and the app's fields) replaces them; POST /console/apps/{id}/delete (csrf) deletes it.
type ConnectorPage struct {
	ConnectorHead
	// Simulated says that no real provider is called: connecting is trying.
	Simulated     bool
	Verified      Verified
	Links         []Link
	AppsURL       string // where to register an app at the provider
	Replaces      []string
	Inputs        []Field  // asked whatever the method
	Environments  []Option // of which an app may be for one
	Methods       []ConnectorMethod
	Hosts         []string
	BaseURL       string
	RedirectURI   string
	LaunchURL     string // where the provider sends people who begin there; empty: it does not
	NeedsApp      bool   // connecting is not possible before an app is added
	TakesNoApp    bool   // no method makes use of one
	Apps          []AppRow
	AppForm       AppForm
	Connections   []ConnectionRow
	EndUser       string // proposed for a new connection
	ConnectFailed string // why a connect session could not be opened; empty: nothing was tried
}

func (ConnectorPage) page() string { return "connector" }

// SentValue is a parameter or header as it is sent, with names in brackets for what is not known yet.
type SentValue struct {
	Name, Value string
	From        string // where it comes from; empty if that is plain
	ReadBy      string // what reads it, of what comes to us
}

// Sent is one request that a method makes. Title says what it is for, in the words of the explanation:
// "token", "login step open". Depends, when not empty, says why it cannot be shown.
type Sent struct {
	Title, Method, URL string
	Query, Headers     []SentValue
	Body               string
	BodyFields         []SentValue // where each field of Body comes from; their values stand in it
	Tokens             []SentToken
	Certificate        bool // the client shows its certificate
	Depends            string
	Note               string // what happens to it besides
}

// SentToken is a signed token that a request carries under its name: what is in it, as JSON.
type SentToken struct{ Name, Header, Claims string }

// SentBy is what one method sends, in order.
type SentBy struct {
	ID, Label, Kind string
	Requests        []Sent
}

// ConnectorRequestsPage shows the exact requests that a connector makes, redacted.
type ConnectorRequestsPage struct {
	ConnectorHead
	Methods []SentBy
}

func (ConnectorRequestsPage) page() string { return "connector_requests" }

// Finding is one complaint about a definition. Level is "error" or "warning".
type Finding struct {
	Line, Col            int
	Level, Rule, Message string
}

// ConnectorDefinitionPage shows a definition as it was written, and what the linter says about it. One
// that extends another is shown with what that says put in, which is what counts, and as it was written.
type ConnectorDefinitionPage struct {
	ConnectorHead
	File, Source string
	Extends      string // id of another connector; empty: nothing
	Written      string // of one that extends another
	Complaints   []Finding
	Rules        int // how many rules have looked at it
}

func (ConnectorDefinitionPage) page() string { return "connector_definition" }
