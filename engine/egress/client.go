// Package egress is the only way out: every request to an address that came
// from a definition, from an input or from an answer goes through it.
//
// It calls public addresses only, judged after resolution at the moment of
// dialling, over https, at hosts the connector declares; follows no redirect;
// bounds the time of a call, the size of its answer and how many are under way
// to one host; and says of a call that failed whether it was sent. Its errors
// carry a text for the caller that does not tell what is at an address, and a
// cause for the log without path, query or body.
//
// What a request says and what an answer means is left to others, and so is
// when to repeat one: nothing is sent twice here on purpose.
package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"code.dny.dev/ssrf"
)

// A Client makes calls under one Policy. It is safe for concurrent use.
type Client struct {
	policy    Policy
	guard     *ssrf.Guardian
	gates     gates
	providers way
	simulator way
	// strict and public are guard and providers without the operator's private ranges.
	strict *ssrf.Guardian
	public way
	// makers make one more transport of each way; certified are those that show a certificate.
	makers    map[*way]func() *http.Transport
	certified certified
}

// NewClient returns a Client, or says what is wrong with the policy.
func NewClient(p Policy) (*Client, error) {
	p, err := p.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("egress policy: %w", err)
	}
	roots, err := p.roots()
	if err != nil {
		return nil, fmt.Errorf("egress policy: %w", err)
	}
	c := &Client{policy: p, guard: guardian(p.AllowPrivate), gates: gates{limit: p.PerHost, hosts: map[string]*gate{}}}
	c.strict = guardian(nil)
	to := func(guard *ssrf.Guardian) func() *http.Transport {
		return func() *http.Transport {
			if p.Proxy == nil {
				return newTransport(p, roots, guard.Safe)
			}
			// The operator chose the proxy's address.
			t := newTransport(p, roots, nil)
			t.Proxy = http.ProxyURL(p.Proxy)
			return t
		}
	}
	c.makers = map[*way]func() *http.Transport{
		&c.providers: to(c.guard), &c.public: to(c.strict),
		&c.simulator: func() *http.Transport { return newTransport(p, roots, localOnly) },
	}
	for w, make := range c.makers {
		*w = newWay(make)
	}
	return c, nil
}

// Close closes idle connections. Calls under way go on.
func (c *Client) Close() {
	c.providers.closeIdle()
	c.public.closeIdle()
	c.simulator.closeIdle()
	c.certified.closeIdle()
}

// Longest is the longest that a call can take, waiting for a slot included. A
// lease that guards a call must live longer.
func (c *Client) Longest() time.Duration { return 2 * c.policy.Timeout }

// A Scope is what one connector may call.
type Scope struct {
	// Name is the connector's id.
	Name string
	// Hosts are patterns as MatchHost reads them. Without any, every call is refused.
	Hosts []string
	// PublicOnly keeps the operator's private ranges closed: a person names the hosts, and the
	// definition does not say that they may lie in a private network.
	PublicOnly bool
	// Reroute, in development, returns where on this machine the request for a
	// URL goes instead, plain http included; nil lets it go where it would.
	// Rules of the scope and the policy apply to the original URL as always.
	Reroute func(*url.URL) *url.URL
	// Certificate, if there is one, is shown to servers that ask for it (RFC 8705 §2). Connections on which
	// it was shown are used for calls with the same certificate only.
	Certificate *tls.Certificate
}

// For returns the Client as scope may use it.
func (c *Client) For(scope Scope) *Scoped { return &Scoped{client: c, scope: scope} }

// A Scoped is a Client limited to one connector's hosts. It is safe for concurrent use.
type Scoped struct {
	client *Client
	scope  Scope
}

// A Response is a whole answer in memory.
type Response struct {
	Status     int
	Header     http.Header
	Body       []byte
	ReceivedAt time.Time // When the header came, by our clock: what expires_in counts from.
}

// Do sends req, which it does not change, and returns the answer whatever its
// status, except for redirects, which are errors. ctx replaces the context of
// req. net/http repeats a GET or HEAD by itself if a kept connection breaks;
// for requests that must not be repeated see DoOnce.
//
// It fails with fault.Forbidden for an address that may not be called,
// fault.Invalid for a malformed request, fault.Timeout if it was sent and not
// answered in time, and fault.Unavailable for everything else. Sent tells
// whether an error came before or after the request left.
func (s *Scoped) Do(ctx context.Context, req *http.Request) (*Response, error) {
	return s.do(ctx, req, false)
}

// DoOnce is Do for a request that spends something: once written, it is never
// written again, whatever its method.
func (s *Scoped) DoOnce(ctx context.Context, req *http.Request) (*Response, error) {
	return s.do(ctx, req, true)
}

func (s *Scoped) do(ctx context.Context, req *http.Request, once bool) (*Response, error) {
	out, via, err := s.prepare(req)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	wait, stop := context.WithTimeout(ctx, s.client.policy.Timeout)
	leave, err := s.client.gates.enter(wait, out.host)
	stop()
	if err != nil {
		closeBody(req)
		return nil, classify(out.Request, false, fmt.Errorf("wait for a slot: %w", err))
	}
	defer leave()

	// The clock of the call starts after the wait: a request sent with little
	// time left would be cut off with its fate unknown.
	ctx, stop = context.WithTimeout(ctx, s.client.policy.Timeout)
	defer stop()
	transport, replays := via.transport(out.Request, once)
	trace := &tracer{replays: replays}
	res, err := transport.RoundTrip(out.WithContext(trace.attach(ctx)))
	if err != nil {
		return nil, classify(out.Request, trace.sent(), err)
	}
	defer func() { _ = res.Body.Close() }()
	return s.read(out.Request, res)
}

// outgoing is a checked request and the host whose slots it takes.
type outgoing struct {
	*http.Request
	host string
}

// prepare returns the request to send in place of req, and the way it goes.
func (s *Scoped) prepare(req *http.Request) (outgoing, way, error) {
	u, err := s.checked(req.URL)
	if err != nil {
		return outgoing{}, way{}, err
	}
	if req.Host != "" && req.Host != req.URL.Host {
		return outgoing{}, way{}, refused("the Host field is not the URL's host")
	}
	if err := checkHeader(req.Header); err != nil {
		return outgoing{}, way{}, err
	}
	if len(req.Trailer) > 0 || len(req.TransferEncoding) > 0 {
		return outgoing{}, way{}, badHeader("trailer or transfer encoding")
	}
	out := req.Clone(context.Background())
	out.URL, out.Host, out.RequestURI = u, "", ""
	if out.Header == nil {
		out.Header = http.Header{}
	}
	// Left to the transport, which inflates what it asked for.
	out.Header.Del("Accept-Encoding")
	if out.Header.Get("User-Agent") == "" {
		out.Header.Set("User-Agent", "dowel")
	}
	via := &s.client.providers
	if s.scope.PublicOnly {
		via = &s.client.public
	}
	if s.scope.Reroute != nil {
		if to := s.scope.Reroute(u); to != nil {
			out.URL, via = to, &s.client.simulator
		}
	}
	if cert := s.scope.Certificate; cert != nil {
		return outgoing{out, u.Host}, s.client.certified.way(via, cert, s.client.makers[via]), nil
	}
	return outgoing{out, u.Host}, *via, nil
}

// ErrRedirect is in the chain of an error for an answer that sends the request elsewhere: whoever
// answered so did not carry it out.
var ErrRedirect = errors.New("redirect")

// read takes the answer in, or refuses it.
func (s *Scoped) read(req *http.Request, res *http.Response) (*Response, error) {
	got := &Response{Status: res.StatusCode, Header: res.Header, ReceivedAt: time.Now()}
	switch {
	case got.Status < 200:
		return nil, bad(req, "the provider's answer could not be read", fmt.Errorf("status %d", got.Status))
	case got.Status >= 300 && got.Status < 400:
		// Never followed: 307 and 308 would carry the secret along (RFC 9110 §15.4.8).
		return nil, bad(req, "the provider answered with an unexpected redirect", fmt.Errorf("%w: status %d", ErrRedirect, got.Status))
	}
	if enc := res.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return nil, bad(req, "the provider's answer could not be read", fmt.Errorf("content encoding %.40q", enc))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, s.client.policy.MaxBody+1))
	if err != nil {
		return nil, classify(req, true, err)
	}
	if int64(len(body)) > s.client.policy.MaxBody {
		return nil, bad(req, "the provider's answer is too large", fmt.Errorf("over %d bytes", s.client.policy.MaxBody))
	}
	got.Body = body
	return got, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
