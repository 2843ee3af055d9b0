package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"dowel/engine/auth"
	"dowel/engine/flow"
	"dowel/engine/simulator"
	"dowel/engine/storage"
)

// enterCode has the person enter a device's code and decide, while the flow is polled as a page does:
// once too early, and then until it has come to something.
func (p *play) enterCode(ctx context.Context, at flow.Progress, account, decision string) (flow.Progress, error) {
	told := at.Wait
	at, err := p.polled(ctx, at)
	if err != nil || at.Wait == nil {
		return at, err
	}
	if err := p.visitor.device(ctx, told, account, decision); err != nil {
		return at, err
	}
	for range maxSteps {
		if at, err = p.polled(ctx, at); err != nil || at.Wait == nil {
			return at, err
		}
	}
	return at, errors.New("the provider does not say that the person has decided")
}

// polled asks where a flow stands as soon as the provider may be asked again.
func (p *play) polled(ctx context.Context, at flow.Progress) (flow.Progress, error) {
	select {
	case <-time.After(at.Wait.Interval + 2*time.Millisecond):
	case <-ctx.Done():
		return at, ctx.Err()
	}
	return p.engine.Flows.Poll(ctx, p.operator, at.Flow, browser)
}

// device opens the page where codes are entered, enters the code there, unless it is in the address, and
// decides.
func (v *visitor) device(ctx context.Context, told *flow.Waiting, account, decision string) error {
	address := told.CompleteURL
	if address == "" {
		u, err := url.Parse(told.URL)
		if err != nil {
			return fmt.Errorf("the page where the code is entered has no address: %w", err)
		}
		q := u.Query()
		q.Set("user_code", told.Code)
		u.RawQuery = q.Encode()
		address = u.String()
	}
	page, err := v.send(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("open the page where the code is entered: %w", err)
	}
	if page.hidden().Get("request") != told.Code {
		return fmt.Errorf("the page at %s does not take the code: %s", address, page.complaint())
	}
	form := url.Values{"request": {told.Code}, "account": {account}, "decision": {decision}}
	if page, err = v.send(ctx, http.MethodPost, address, form); err != nil {
		return fmt.Errorf("answer the page where the code is entered: %w", err)
	}
	if page.status != http.StatusOK {
		return fmt.Errorf("the page where the code is entered says: %s", page.complaint())
	}
	return nil
}

// slowDown has the provider asked too fast: it says so, and has to be asked more slowly from then on (RFC
// 8628 §3.5).
func (p *play) slowDown(ctx context.Context) (bool, error) {
	if p.a.Device == nil {
		return false, nil
	}
	m, req, cred, err := p.opened(ctx)
	if err != nil {
		return true, err
	}
	req.Fields = cred.Fields
	step, pending, err := m.Begin(ctx, req)
	if err != nil {
		return true, plainly(err)
	}
	for range maxSteps {
		before, ok := step.(auth.Wait)
		if !ok {
			return true, fmt.Errorf("nobody has decided, and the provider's answer is taken for %T", step)
		}
		if step, err = m.(auth.Poller).Poll(ctx, req, pending, before); err != nil {
			return true, fmt.Errorf("the provider is asked whether the person has decided: %w", plainly(err))
		}
		switch after, _ := step.(auth.Wait); after.Interval {
		case before.Interval:
		case before.Interval + 5*time.Second:
			return true, nil
		default:
			return true, fmt.Errorf("the provider asks to slow down, and is asked every %v instead of every %v", after.Interval, before.Interval)
		}
	}
	return true, errors.New("the provider never asks to slow down, however fast it is asked")
}

// tooLate has the person not enter the code in time.
func (p *play) tooLate(ctx context.Context) (bool, error) {
	if p.a.Device == nil {
		return false, nil
	}
	at, err := p.engine.Flows.Start(ctx, p.operator, flow.Begin{
		Intent: p.engine.Connections.Intent(), Connector: p.k.ID, Method: p.a.ID, Answers: p.answers, EndUser: browser, Browser: browser,
	})
	if err != nil {
		return true, plainly(err)
	}
	p.simulator.ExpireDevices(p.k.ID)
	at, err = p.polled(ctx, at)
	return true, failed(at, err, "code-expired")
}

// failsWhilePolled has the provider fail while it is polled, which costs nothing but time.
func (p *play) failsWhilePolled(ctx context.Context) error {
	p.simulator.Set(p.k.ID, simulator.Fault{
		On: "device_code", Kind: simulator.FaultStatus, Status: http.StatusInternalServerError, Times: 2,
	})
	defer p.simulator.Set(p.k.ID)
	at, err := p.connect(ctx, p.answers, ben, "allow")
	if err == nil && at.Status != storage.FlowDone {
		err = fmt.Errorf("a provider that fails while it is polled ends the flow: %s", told(at))
	}
	return err
}
