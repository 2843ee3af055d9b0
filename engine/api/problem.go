package api

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/time/rate"

	"dowel/engine/connector"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/flow"
)

// Problem is a problem document (RFC 9457). Type is stable; Detail is for people.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Code is a finer stable reason within the type.
	Code   string         `json:"code,omitempty"`
	Errors []FieldProblem `json:"errors,omitempty"`
	// Findings say what is wrong with a definition that was sent.
	Findings []definition.Finding `json:"findings,omitempty"`
	// RetryAfter is in seconds, as in the header of the same name.
	RetryAfter int `json:"retry_after,omitempty"`
	// Fix says what mends it, where a person can.
	Fix string `json:"fix,omitempty"`
	// Reference finds the log line of an internal failure.
	Reference string `json:"reference,omitempty"`
}

// FieldProblem names one input that is wrong.
type FieldProblem struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// form is how a kind of failure looks from outside.
type form struct {
	status int
	title  string
	fix    string
}

var forms = map[fault.Kind]form{
	fault.Internal:        {500, "Something went wrong on our side", ""},
	fault.Invalid:         {400, "The request is not valid", ""},
	fault.Unauthenticated: {401, "Not authenticated", "Send an API key as Authorization: Bearer …"},
	fault.Forbidden:       {403, "Not allowed", ""},
	fault.NotFound:        {404, "Not found", ""},
	fault.Conflict:        {409, "Conflict", ""},
	fault.Gone:            {410, "No longer valid", ""},
	fault.NeedsReauth:     {409, "The end user has to connect again", "Create a connect session with this connection and send the person its url."},
	fault.Revoked:         {410, "The connection was ended", ""},
	fault.Disabled:        {409, "The connection is switched off", "Enable it with PATCH {\"disabled\": false}."},
	fault.Unavailable:     {503, "The provider is unavailable", ""},
	fault.Timeout:         {504, "The provider did not answer in time", ""},
	fault.RateLimited:     {429, "Too many requests", ""},
	fault.Misconfigured:   {502, "The app or the connector is not set up rightly", "An operator has to look at the connector's app in the console."},
	fault.Refused:         {422, "The provider refused", ""},
	fault.Corrupt:         {500, "The stored credential cannot be read", "An operator has to check the master key, or the person has to connect again."},
	fault.StoreDown:       {503, "The store is unavailable", ""},
}

// TypePrefix begins every problem type; the kind follows.
const TypePrefix = "urn:dowel:problem:"

// ErrorHandler writes every failure of the door as a problem.
func ErrorHandler(log *slog.Logger) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		p := problemOf(err)
		if p.Status >= 500 && !known(err) {
			p.Reference = strings.ToLower(rand.Text()[:10])
			log.Error("request failed", "reference", p.Reference, "method", c.Method(), "path", c.Path(), "err", err)
		}
		if p.RetryAfter > 0 {
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(p.RetryAfter))
		}
		if p.Status == fiber.StatusUnauthorized {
			c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="dowel"`)
		}
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.Status(p.Status).JSON(p, "application/problem+json")
	}
}

// known reports whether somebody has been told of a failure already, so that each request that meets it
// need not be logged: what a provider does stands in the connection's record and events, and that it
// refuses an app in the app's.
func known(err error) bool {
	switch e := fault.As(err); fault.KindOf(err) {
	case fault.Unavailable, fault.Timeout:
		return true
	case fault.Misconfigured:
		return e != nil && e.Code == "app-refused"
	}
	return false
}

func problemOf(err error) Problem {
	var fe *fiber.Error
	if errors.As(err, &fe) && fault.As(err) == nil {
		return fiberProblem(fe)
	}
	kind := fault.KindOf(err)
	f := forms[kind]
	p := Problem{Type: TypePrefix + kind.String(), Title: f.title, Status: f.status, Detail: fault.Public(err), Fix: f.fix}
	if e := fault.As(err); e != nil {
		p.Code = e.Code
		if e.Field != "" {
			p.Errors = []FieldProblem{{e.Field, e.Public}}
		}
		if e.RetryAfter > 0 {
			p.RetryAfter = int(math.Ceil(e.RetryAfter.Seconds()))
		}
	}
	var answers *flow.InvalidAnswers
	if errors.As(err, &answers) {
		for _, e := range answers.Fields {
			p.Errors = append(p.Errors, FieldProblem{e.Field, e.Public})
		}
	}
	var refused *connector.Refused
	if errors.As(err, &refused) {
		p.Findings = refused.Findings
	}
	if kind == fault.StoreDown && p.RetryAfter == 0 {
		p.RetryAfter = 1
	}
	return p
}

// fiberProblem shows what fiber itself refuses: unknown routes and methods, large bodies.
func fiberProblem(fe *fiber.Error) Problem {
	kind := fault.Invalid
	switch fe.Code {
	case fiber.StatusNotFound, fiber.StatusMethodNotAllowed:
		kind = fault.NotFound
	case fiber.StatusInternalServerError:
		return Problem{Type: TypePrefix + fault.Internal.String(), Title: forms[fault.Internal].title, Status: fe.Code}
	}
	return Problem{Type: TypePrefix + kind.String(), Title: fe.Message, Status: fe.Code}
}

// failures limits how often one address may show keys that are not good; a good key is never
// limited by it.
type failures struct {
	mu sync.Mutex
	m  map[string]*rate.Limiter
}

// The budget of bad keys for one address, and how many addresses are remembered.
const (
	badKeysPerSecond = 5
	badKeysBurst     = 30
	maxAddresses     = 10_000
)

func newFailures() *failures { return &failures{m: map[string]*rate.Limiter{}} }

// note counts one bad key and returns how long the address should wait; zero: it need not.
func (f *failures) note(ip string) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, ok := f.m[ip]
	if !ok {
		if len(f.m) >= maxAddresses {
			clear(f.m)
		}
		l = rate.NewLimiter(badKeysPerSecond, badKeysBurst)
		f.m[ip] = l
	}
	if l.Allow() {
		return 0
	}
	return time.Second
}

func tooMany(wait time.Duration) error {
	return fault.E(fault.RateLimited, "too many requests with keys that are not valid", nil).WithRetryAfter(wait)
}
