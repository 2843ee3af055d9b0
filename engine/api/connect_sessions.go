package api

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/engine/identity"
)

func (h *handler) connectSessionCreate(c *fiber.Ctx) error {
	var in identity.SessionInput
	if err := body(c, &in); err != nil {
		return err
	}
	for _, id := range in.Connectors {
		_, err := h.Catalog.Current(c.UserContext(), principal(c).Tenant, id)
		if fault.KindOf(err) == fault.NotFound {
			return fault.Field("connectors", "there is no connector "+strconv.Quote(id)).WithCode("connector-unknown")
		}
		if err != nil {
			return err
		}
	}
	if in.Connection != "" {
		v, err := h.Connections.ForReconnect(c.UserContext(), principal(c), in.Connection, in.EndUser)
		if err != nil {
			return err
		}
		in.Connectors = []string{v.Connector}
	}
	t, err := h.Identity.CreateConnectSession(c.UserContext(), principal(c), in)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(t)
}

// sessionView is a connect session, and where its flow stands.
type sessionView struct {
	identity.SessionView
	Flow *flowView `json:"flow,omitempty"`
}

// flowView is where a flow stands. Its status is pending while the provider or the person has to act,
// working while an answer is worked on, question, done or failed.
type flowView struct {
	ID        string        `json:"id"`
	Connector string        `json:"connector"`
	Status    string        `json:"status"`
	Wait      *waitView     `json:"wait,omitempty"`
	Question  *questionView `json:"question,omitempty"`
	Failure   *failureView  `json:"failure,omitempty"`
	Warnings  []string      `json:"warnings,omitempty"`
}

// waitView is what the person has to do elsewhere (RFC 8628 §3.3).
type waitView struct {
	URL         string    `json:"url"`
	CompleteURL string    `json:"complete_url,omitempty"`
	Code        string    `json:"code"`
	ExpiresAt   time.Time `json:"expires_at"`
	// Interval is how often, in seconds, it makes sense to ask again.
	Interval float64 `json:"interval"`
}

type questionView struct {
	Kind    string       `json:"kind"`
	Label   string       `json:"label,omitempty"`
	Help    string       `json:"help,omitempty"`
	Got     string       `json:"got,omitempty"`
	Options []optionView `json:"options"`
}

type optionView struct {
	Value string `json:"value"`
	Name  string `json:"name,omitempty"`
}

type failureView struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	Provider  string `json:"provider,omitempty"`
	Cause     string `json:"cause,omitempty"`
	Fix       string `json:"fix,omitempty"`
	Reference string `json:"reference,omitempty"`
}

// connectSessionShow says where a connect session stands. It asks the provider, if that is waited for.
func (h *handler) connectSessionShow(c *fiber.Ctx) error {
	v, err := h.Identity.Session(c.UserContext(), principal(c), c.Params("id"))
	if err != nil || v.Flow == "" {
		return h.showSession(c, v, nil, err)
	}
	p, err := h.Flows.Watch(c.UserContext(), principal(c), v.Flow)
	if fault.KindOf(err) == fault.NotFound {
		return h.showSession(c, v, nil, nil) // swept away
	}
	return h.showSession(c, v, &p, err)
}

type sessionStart struct {
	Connector string            `json:"connector"`
	Method    string            `json:"method"`
	Answers   map[string]string `json:"answers"`
}

// connectSessionStart begins a flow without a browser, for kinds that need none: the person is told by
// the program what to do.
func (h *handler) connectSessionStart(c *fiber.Ctx) error {
	var in sessionStart
	if err := body(c, &in); err != nil {
		return err
	}
	t, err := h.Identity.ProgramTicket(c.UserContext(), principal(c), c.Params("id"))
	if err != nil {
		return err
	}
	if !t.Allows(in.Connector) {
		return fault.Field("connector", "the session does not allow it")
	}
	p, err := h.Flows.Start(c.UserContext(), t.Principal, flow.Begin{
		Intent: h.Connections.Intent(), Connector: in.Connector, Method: in.Method, Answers: in.Answers, EndUser: t.Principal.EndUser,
		Target: t.Connection, Session: t.Session,
	})
	if err != nil {
		return err
	}
	if err := h.Identity.NoteFlow(c.UserContext(), t, p.Flow); err != nil {
		return err
	}
	return h.showProgress(c, t.Session, p)
}

type sessionAnswer struct {
	Value string `json:"value"`
}

// connectSessionAnswer answers the question of a flow that connectSessionStart began.
func (h *handler) connectSessionAnswer(c *fiber.Ctx) error {
	var in sessionAnswer
	if err := body(c, &in); err != nil {
		return err
	}
	v, err := h.Identity.Session(c.UserContext(), principal(c), c.Params("id"))
	if err != nil {
		return err
	}
	if v.Flow == "" {
		return fault.E(fault.Conflict, "nothing was begun with this session", nil)
	}
	p, err := h.Flows.Reply(c.UserContext(), principal(c), v.Flow, in.Value)
	if err != nil {
		return err
	}
	return h.showProgress(c, v.ID, p)
}

// showProgress shows a session whose flow has moved on.
func (h *handler) showProgress(c *fiber.Ctx, session string, p flow.Progress) error {
	v, err := h.Identity.Session(c.UserContext(), principal(c), session)
	return h.showSession(c, v, &p, err)
}

// settle notes on the session that its connection is made.
func (h *handler) settle(ctx context.Context, v *identity.SessionView, p flow.Progress) {
	if p.Status != flow.Done || v.Connected {
		return
	}
	var t identity.Ticket
	t.Principal.Tenant, t.Session = p.Tenant, v.ID
	if err := h.Identity.UseTicket(ctx, t, p.Result); err != nil {
		// The connection is there; the session only does not know it yet.
		h.Logger.Warn("note used ticket", "tenant", p.Tenant, "session", v.ID, "err", err)
	}
	v.Connected, v.Connection = true, p.Result
}

func (h *handler) showSession(c *fiber.Ctx, v identity.SessionView, p *flow.Progress, err error) error {
	if err != nil {
		return err
	}
	if p == nil {
		return c.JSON(sessionView{SessionView: v})
	}
	h.settle(c.UserContext(), &v, *p)
	return c.JSON(sessionView{SessionView: v, Flow: showFlow(*p)})
}

func showFlow(p flow.Progress) *flowView {
	out := &flowView{ID: p.Flow, Connector: p.Connector, Status: string(p.Status), Warnings: p.Warnings}
	if p.Working {
		out.Status = "working"
	}
	if w := p.Wait; w != nil {
		out.Wait = &waitView{URL: w.URL, CompleteURL: w.CompleteURL, Code: w.Code, ExpiresAt: w.ExpiresAt, Interval: w.Interval.Seconds()}
	}
	if q := p.Ask; q != nil {
		out.Status = "question"
		out.Question = &questionView{Kind: q.Kind, Label: q.Label, Help: q.Help, Got: q.Got}
		for _, o := range q.Options {
			out.Question.Options = append(out.Question.Options, optionView{o.Value, o.Name})
		}
	}
	if f := p.Failure; f != nil {
		out.Failure = &failureView{Code: f.Code, Message: f.Message, Provider: f.Provider, Cause: f.Cause, Fix: f.Fix, Reference: f.Reference}
	}
	return out
}
