package flow_test

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dowel/engine/access"
	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/engine/secret"
	"dowel/engine/storage"
	"dowel/engine/storage/sqlite"
	"dowel/engine/vault"
)

// device is a method whose provider says what a test wants it to.
type device struct {
	auth.Method
	interval, life time.Duration
	polls          atomic.Int32
	poll           func(ctx context.Context, w auth.Wait) (auth.Step, error)
}

func (*device) Kind() definition.AuthKind { return definition.DeviceCode }

func (d *device) Begin(context.Context, auth.Request) (auth.Step, auth.Pending, error) {
	page := &url.URL{Scheme: "https", Host: "login.example.com", Path: "/device"}
	complete := &url.URL{Scheme: "https", Host: "login.example.com", Path: "/device", RawQuery: "user_code=AB-CD"}
	return auth.Wait{URL: page, CompleteURL: complete, Code: "AB-CD", ExpiresAt: time.Now().Add(d.life).UTC().Round(0), Interval: d.interval},
		auth.Pending{DeviceCode: "secret"}, nil
}

func (d *device) Poll(ctx context.Context, _ auth.Request, p auth.Pending, w auth.Wait) (auth.Step, error) {
	d.polls.Add(1)
	if p.DeviceCode != "secret" {
		return nil, fault.E(fault.Internal, "the device code is lost", nil)
	}
	return d.poll(ctx, w)
}

func stillWaiting(_ context.Context, w auth.Wait) (auth.Step, error) { return w, nil }

func allowed(context.Context, auth.Wait) (auth.Step, error) {
	return auth.Done{Credential: auth.Credential{Kind: definition.DeviceCode, AccessToken: secret.New("token"), ObtainedAt: time.Now()}}, nil
}

// finisher counts what flows have come to.
type finisher struct{ made atomic.Int32 }

func (*finisher) Intent() string { return "connect" }

func (f *finisher) Finish(context.Context, storage.Flow, flow.Result) (flow.Outcome, error) {
	f.made.Add(1)
	return flow.Outcome{ID: "conn_1", Label: "ana@example.com"}, nil
}

type house struct {
	*flow.Service
	store  storage.Store
	device *device
	ends   finisher
	who    access.Principal
}

const browser = "browser"

func newHouse(t *testing.T) *house {
	t.Helper()
	source, err := os.ReadFile("../../schemas/testdata/device.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	k, findings := definition.Parse("device.yaml", source)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	// Neither test nor identity: what a provider does afterwards is no matter here.
	k.Test, k.Identity = nil, nil
	store, err := sqlite.OpenMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	keys, err := secret.NewKeyring(store, secret.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := &house{store: store, device: &device{interval: time.Millisecond, life: time.Minute, poll: stillWaiting}}
	h.who = access.Principal{Kind: access.EndUser, Tenant: "acme", ID: "cs_1", Actions: []access.Action{access.Connect}}
	h.Service = &flow.Service{
		Store: store, Finishers: map[string]flow.Finisher{"connect": &h.ends}, Logger: slog.New(slog.DiscardHandler),
		Vault: &vault.Vault{
			Keyring: keys, Catalog: definition.NewCatalog([]*definition.Connector{k}), Apps: store,
			Methods: auth.NewRegistry(h.device), Outlet: &auth.Outlet{}, RedirectURI: "https://dowel.example/callback",
		},
	}
	err = store.CreateApp(t.Context(), storage.App{Ref: storage.Ref{Tenant: "acme", ID: "app_1"}, Revision: 1, Connector: "device", ClientID: "app"})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) start(t *testing.T) flow.Progress {
	t.Helper()
	p, err := h.Start(t.Context(), h.who, flow.Begin{Intent: "connect", Connector: "device", Method: "plain", EndUser: "ana", Browser: browser})
	if err != nil {
		t.Fatal(err)
	}
	if p.Status != flow.Pending || p.Wait == nil || p.Wait.Code != "AB-CD" {
		t.Fatalf("begun: %+v", p)
	}
	return p
}

func (h *house) ask(t *testing.T, id string) flow.Progress {
	t.Helper()
	p, err := h.Poll(t.Context(), h.who, id, browser)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// due makes it time to ask the provider.
func (h *house) due(t *testing.T, id string) {
	t.Helper()
	_, err := h.store.UpdateFlow(t.Context(), storage.Ref{Tenant: "acme", ID: id}, func(f *storage.Flow) error {
		f.PollAt = time.Now().Add(-time.Second).UTC().Truncate(time.Millisecond)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAWaitingFlowTellsThePersonTheSameUntilTheyHaveDecided(t *testing.T) {
	h := newHouse(t)
	begun := h.start(t)
	h.due(t, begun.Flow)
	p := h.ask(t, begun.Flow)
	if p.Status != flow.Pending || p.Wait == nil || *p.Wait != *begun.Wait {
		t.Fatalf("told %+v, then %+v", begun.Wait, p.Wait)
	}
	h.device.poll = allowed
	h.due(t, begun.Flow)
	if p := h.ask(t, begun.Flow); p.Status != flow.Done || p.Result != "conn_1" || p.Wait != nil {
		t.Errorf("after the decision: %+v", p)
	}
	if p := h.ask(t, begun.Flow); p.Status != flow.Done || h.device.polls.Load() != 2 || h.ends.made.Load() != 1 {
		t.Errorf("afterwards: %+v, %d polls, %d connections", p, h.device.polls.Load(), h.ends.made.Load())
	}
}

func TestTheProviderIsNotAskedBeforeItsInterval(t *testing.T) {
	h := newHouse(t)
	h.device.interval = time.Hour
	id := h.start(t).Flow
	for range 3 {
		h.ask(t, id)
	}
	if n := h.device.polls.Load(); n != 0 {
		t.Errorf("asked %d times at once", n)
	}
	h.device.poll = func(_ context.Context, w auth.Wait) (auth.Step, error) {
		w.Interval += 5 * time.Second
		return w, nil
	}
	h.due(t, id)
	if p := h.ask(t, id); p.Wait.Interval != time.Hour+5*time.Second {
		t.Errorf("interval %v after slow_down", p.Wait.Interval)
	}
	h.ask(t, id)
	h.due(t, id)
	if p := h.ask(t, id); p.Wait.Interval != time.Hour+10*time.Second || h.device.polls.Load() != 2 {
		t.Errorf("interval %v after %d polls; want it to grow each time", p.Wait.Interval, h.device.polls.Load())
	}
}

func TestOfManyWhoAskOneAsksTheProvider(t *testing.T) {
	h := newHouse(t)
	id := h.start(t).Flow
	h.due(t, id)
	h.device.poll = func(ctx context.Context, w auth.Wait) (auth.Step, error) {
		time.Sleep(50 * time.Millisecond)
		return allowed(ctx, w)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if p, err := h.Poll(t.Context(), h.who, id, browser); err != nil || p.Status == flow.Failed {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
	all.Wait()
	if h.device.polls.Load() != 1 || h.ends.made.Load() != 1 {
		t.Errorf("%d polls, %d connections; want one of each", h.device.polls.Load(), h.ends.made.Load())
	}
}

// TestWhoeverIsTooSlowChangesNothing has an instance hang while it polls: another takes over, and what the
// first one comes back with does not count.
func TestWhoeverIsTooSlowChangesNothing(t *testing.T) {
	for name, late := range map[string]func(context.Context, auth.Wait) (auth.Step, error){
		"with a token": allowed,
		"with nothing": stillWaiting,
		"with an error": func(context.Context, auth.Wait) (auth.Step, error) {
			return nil, fault.E(fault.Refused, "the code was used before", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			id := h.start(t).Flow
			h.due(t, id)
			asked, goOn, over := make(chan bool), make(chan bool), make(chan bool)
			h.device.poll = func(ctx context.Context, w auth.Wait) (auth.Step, error) {
				close(asked)
				<-goOn
				return late(ctx, w)
			}
			go func() {
				defer close(over)
				if _, err := h.Poll(t.Context(), h.who, id, browser); err != nil {
					t.Error(err)
				}
			}()
			<-asked
			h.device.poll = allowed
			h.due(t, id) // as if the minute that the first one may take were over
			if p := h.ask(t, id); p.Status != flow.Done {
				t.Errorf("who took over: %+v", p)
			}
			close(goOn)
			<-over
			if p := h.ask(t, id); p.Status != flow.Done || h.ends.made.Load() != 1 {
				t.Errorf("in the end: %+v, %d connections", p, h.ends.made.Load())
			}
		})
	}
}

func TestACancelledFlowStaysCancelled(t *testing.T) {
	h := newHouse(t)
	id := h.start(t).Flow
	h.due(t, id)
	h.device.poll = func(ctx context.Context, w auth.Wait) (auth.Step, error) {
		if err := h.Cancel(ctx, h.who, id, browser); err != nil {
			t.Error(err)
		}
		return allowed(ctx, w)
	}
	h.ask(t, id)
	if p := h.ask(t, id); p.Status != flow.Failed || p.Failure.Code != "cancelled" || h.ends.made.Load() != 0 {
		t.Errorf("%+v, %d connections", p, h.ends.made.Load())
	}
}

func TestAWaitingFlowEnds(t *testing.T) {
	t.Run("with its code", func(t *testing.T) {
		h := newHouse(t)
		h.device.life = -time.Second
		p := h.ask(t, h.start(t).Flow)
		if p.Status != flow.Failed || p.Failure.Code != "code-expired" || h.device.polls.Load() != 0 {
			t.Errorf("%+v after %d polls", p, h.device.polls.Load())
		}
	})
	t.Run("with the provider's word", func(t *testing.T) {
		h := newHouse(t)
		id := h.start(t).Flow
		h.due(t, id)
		h.device.poll = func(context.Context, auth.Wait) (auth.Step, error) {
			return nil, fault.E(fault.Refused, "access was not allowed", nil).WithCode("access_denied")
		}
		if p := h.ask(t, id); p.Status != flow.Failed || p.Failure.Code != "denied" {
			t.Errorf("%+v", p)
		}
		if p := h.ask(t, id); p.Status != flow.Failed || p.Failure.Code != "denied" || h.device.polls.Load() != 1 {
			t.Errorf("afterwards %+v, %d polls", p, h.device.polls.Load())
		}
	})
}

func TestAWaitingFlowIsOneBrowsersAffair(t *testing.T) {
	h := newHouse(t)
	id := h.start(t).Flow
	h.due(t, id)
	if _, err := h.Poll(t.Context(), h.who, id, "another"); fault.KindOf(err) != fault.NotFound || h.device.polls.Load() != 0 {
		t.Errorf("another browser: %v, %d polls", err, h.device.polls.Load())
	}
}
