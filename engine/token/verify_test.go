package token

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/fault"
	"dowel/engine/secret"
	"dowel/engine/storage"
)

// keyHouse is a house with one typed key whose time is up, and a provider whose test answers status.
// It needs the network of this machine, so it is not in a bubble.
func keyHouse(t *testing.T, method string, status int) (*house, *instance, storage.Ref, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		calls.Add(1)
		if q.Header.Get("X-Key") != "typed" {
			t.Errorf("the test was made with key %q", q.Header.Get("X-Key"))
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"ok":true}`))
	}))
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := egress.NewClient(egress.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	h := newHouse(t)
	h.outlet = &auth.Outlet{Client: client, Simulate: func(string) func(*url.URL) *url.URL {
		return func(u *url.URL) *url.URL { return &url.URL{Scheme: to.Scheme, Host: to.Host, Path: u.Path} }
	}}
	obtained := now().Add(-721 * time.Hour)
	r := h.keep("k", method, auth.Credential{
		Kind: definition.APIKey, Fields: map[string]secret.Value{"key": secret.New("typed")},
		ObtainedAt: obtained, ExpiresAt: obtained.Add(720 * time.Hour),
	}, nil)
	return h, h.instance(nil), r, &calls
}

func TestATypedKeyThatStillWorksIsExtended(t *testing.T) {
	h, i, r, calls := keyHouse(t, "key", 200)
	h.reads(i, r, "typed", "")
	c := h.record(r)
	if left := time.Until(c.ExpiresAt); left < 719*time.Hour || left > 720*time.Hour || !c.RefreshAt.Equal(c.ExpiresAt) {
		t.Errorf("ends in %v, looked at again at %v", left, c.RefreshAt)
	}
	if c.Unverified || c.Status != storage.Active || count(c.Outbox, audit.ConnectionTested) != 1 {
		t.Errorf("unverified %v, status %s, %d events", c.Unverified, c.Status, len(c.Outbox))
	}
	h.reads(i, r, "typed", "")
	if calls.Load() != 1 {
		t.Errorf("%d tests", calls.Load())
	}
}

func TestATypedKeyThatIsRejectedHasToBeEnteredAgain(t *testing.T) {
	h, i, r, _ := keyHouse(t, "key", 401)
	h.fails(i, r, fault.NeedsReauth, "credential_rejected")
	if c := h.record(r); c.Status != storage.NeedsReauth || count(c.Outbox, audit.ConnectionNeedsReauth) != 1 {
		t.Errorf("status %s", c.Status)
	}
}

func TestATypedKeyThatCannotBeTestedNowGoesOnAsUnverifiedAndIsTriedAgain(t *testing.T) {
	h, i, r, calls := keyHouse(t, "key", 500)
	for range 5 {
		h.reads(i, r, "typed", "unverified")
	}
	c := h.record(r)
	if wait := time.Until(c.RefreshAt); calls.Load() != 1 || c.Status != storage.Active || wait <= 0 || wait > 30*time.Second {
		t.Errorf("%d tests, status %s, again in %v", calls.Load(), c.Status, wait)
	}
}

func TestATypedKeyWithoutATestGoesOnAsUnverified(t *testing.T) {
	h, i, r, _ := keyHouse(t, "key", 200)
	k, err := h.catalog.Current(t.Context(), "", "acme")
	if err != nil {
		t.Fatal(err)
	}
	untested := *k // the definition, without its test
	untested.Test = nil
	h.catalog.Replace([]*definition.Connector{&untested})
	h.reads(i, r, "typed", "unverified")
	if c := h.record(r); !c.Unverified || !c.ExpiresAt.IsZero() || !c.RefreshAt.IsZero() || c.Status != storage.Active {
		t.Errorf("unverified %v, ends %v, looked at again %v", c.Unverified, c.ExpiresAt, c.RefreshAt)
	}
}

func TestATypedKeyEndsWithItsLifetimeOnlyWhereTheDefinitionSaysSo(t *testing.T) {
	h, i, r, calls := keyHouse(t, "expiring_key", 200)
	h.fails(i, r, fault.NeedsReauth, "expired")
	if c := h.record(r); calls.Load() != 0 || c.StatusReason != "expired" {
		t.Errorf("%d tests, reason %s", calls.Load(), c.StatusReason)
	}
}

func TestAForcedCheckOfATypedKeyBeforeItsEndEndsNothing(t *testing.T) {
	for _, method := range []string{"key", "expiring_key"} {
		h, i, r, calls := keyHouse(t, method, 200)
		end := now().Add(time.Hour)
		h.change(r, func(c *storage.Connection) { c.ExpiresAt, c.RefreshAt = end, end })
		if got, warning, err := i.read(r, Wish{Force: true}); got != "typed" || warning != "" || err != nil {
			t.Fatalf("%s: Token = %s, %q, %v", method, got, warning, err)
		}
		c := h.record(r)
		if c.Status != storage.Active || c.Unverified || calls.Load() != 1 || method == "expiring_key" && !c.ExpiresAt.Equal(end) {
			t.Errorf("%s: status %s, %d tests, ends %v", method, c.Status, calls.Load(), c.ExpiresAt)
		}
		// Near its end it is served to the end: nothing newer is to be had before.
		soon := now().Add(5 * time.Second)
		h.change(r, func(c *storage.Connection) { c.ExpiresAt, c.RefreshAt = soon, soon })
		i.Forget(r)
		h.reads(i, r, "typed", "")
		if calls.Load() != 1 {
			t.Errorf("%s: %d tests", method, calls.Load())
		}
	}
}
