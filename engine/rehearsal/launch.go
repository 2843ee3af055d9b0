package rehearsal

import (
	"context"
	"fmt"
	"maps"
	"net/url"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// launch has the provider send somebody here, once as it should and then as somebody else would, and
// connects with what it has said.
func (p *play) launch(ctx context.Context) (bool, error) {
	v := p.a.LaunchVerify()
	if v == nil {
		return false, nil
	}
	address, err := p.simulator.Launch(ctx, p.k.ID, clientID, publicURL+"/connect/launch/"+p.operator.Tenant+"/"+p.k.ID)
	if err != nil {
		return true, err
	}
	to, err := url.Parse(address)
	if err != nil {
		return true, err
	}
	said, err := p.engine.Flows.Launch(ctx, p.operator.Tenant, p.k.ID, to.Query())
	if err != nil {
		return true, fmt.Errorf("a launch that the provider has signed is refused: %w", plainly(err))
	}
	for what, spoil := range map[string]func(url.Values){
		"another signature": func(q url.Values) { q.Set(v.Param(), swapped(q.Get(v.Param()))) },
		"no signature":      func(q url.Values) { q.Del(v.Param()) },
	} {
		q := to.Query()
		spoil(q)
		if _, err := p.engine.Flows.Launch(ctx, p.operator.Tenant, p.k.ID, q); fault.KindOf(err) != fault.Refused {
			return true, fmt.Errorf("a launch with %s is answered with %w; want it refused", what, orSuccess(err))
		}
	}
	if _, err := p.engine.Flows.Launch(ctx, "somebody else's", p.k.ID, to.Query()); fault.KindOf(err) != fault.Refused {
		return true, fmt.Errorf("a launch at another tenant is answered with %w; want it refused", orSuccess(err))
	}
	answers := maps.Clone(p.answers)
	maps.Copy(answers, said.Answers)
	at, err := p.connect(ctx, answers, ben, "allow")
	if err == nil && at.Status != storage.FlowDone {
		err = fmt.Errorf("what the launch says does not connect: %s", told(at))
	}
	return true, err
}
