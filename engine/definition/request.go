package definition

// Request is the one shape of every call a definition can make besides the token requests.
type Request struct {
	// Method and URL; the shorthands get, post, put, patch and delete set both. A URL that begins
	// with a slash stands under the connector's api.base_url.
	Method string   `yaml:"method"`
	URL    Template `yaml:"url"`

	Query   Params    `yaml:"query"`
	Headers Params    `yaml:"headers"`
	Form    Params    `yaml:"form"`
	JSON    *Tree     `yaml:"json"`
	XML     *Template `yaml:"xml"`
	Raw     *Template `yaml:"raw"`
	// Sign is that of the step whose request this is.
	Sign *Sign `yaml:"-"`
	// Auth says what authenticates the request: credential (put on as Apply says), client (as
	// ClientAuth says) or none. Its default depends on the place and is filled in when compiled.
	Auth       string     `yaml:"auth"`
	ClientAuth ClientAuth `yaml:"client_auth"`
	Outcome    `yaml:",inline"`
	Capture    Captures `yaml:"capture"`
	// SkipWhen is true of the answer to a test that says nothing about the credential, because it lacks
	// the right for this call; the next test is made instead.
	SkipWhen *Expression `yaml:"skip_when"`

	none bool // the definition says that there is no such request
}

// Step is one request of a sequence; its answer is steps.<id>.
type Step struct {
	ID      string   `yaml:"id"`
	Request *Request `yaml:"request"`
	// Sign makes the request one that nobody else could have sent; the secret stays here.
	Sign *Sign `yaml:"sign"`
	// Credential keeps values of the answer as credential.<name>; sealed like every credential.
	Credential Captures `yaml:"credential"`
	// Expires says when those values end.
	Expires *Lifetime `yaml:"expires"`
}

// Param is one named template of an ordered list.
type Param struct {
	Name  string
	Value Template
	// Drop removes a parameter that would otherwise be sent; written as null.
	Drop bool
}

// Params is an ordered list of named templates. A value that comes out empty is not sent.
type Params []Param

// Names renames standard parameters: an empty new name leaves the parameter out (written as null).
type Names map[string]string

// Name returns what to call the standard parameter, and whether to send it.
func (n Names) Name(standard string) (string, bool) {
	to, ok := n[standard]
	if !ok {
		return standard, true
	}
	return to, to != ""
}

// Capture is one named expression.
type Capture struct {
	Name  string
	Value Expression
}

// Captures is an ordered list of named expressions.
type Captures []Capture

// ScopeGroup is a named list of scopes.
type ScopeGroup struct {
	Name string
	Scopes
}

// ScopeGroups is an ordered list of groups.
type ScopeGroups []ScopeGroup
