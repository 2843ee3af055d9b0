package e2e

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dowel/engine/secret"
	"dowel/engine/storage"
)

// unreadable checks that a connection says that its credential does not open, and shows none.
func unreadable(t *testing.T, d Door, id, what string) {
	t.Helper()
	for _, query := range []string{"", "?force=true"} {
		a := d.Ask(http.MethodGet, "/api/v1/connections/"+id+"/token"+query, nil, nil)
		if a.Status != http.StatusInternalServerError || a.Kind() != "credential-unreadable" || strings.Contains(string(a.Body), "sk_test") || strings.Contains(string(a.Body), "sim-at") {
			t.Errorf("%s%s: %d %s", what, query, a.Status, a.Body)
		}
	}
}

// aged waits until no answer that was given before is served from memory.
func aged() { time.Sleep(1200 * time.Millisecond) }

// A sealed credential opens in its own record and nowhere else. (K03)
func TestACredentialMovedToAnotherRecordDoesNotOpen(t *testing.T) {
	h := newTwoTenants(t)
	second := h.mine.importStripe(t, "sk_test_second")
	store := h.store(t)
	read := func(tenant, id string) storage.Connection {
		c, err := store.Connection(t.Context(), storage.Ref{Tenant: tenant, ID: id})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	put := func(tenant, id string, sealed secret.Sealed) {
		_, err := store.UpdateConnection(t.Context(), storage.Ref{Tenant: tenant, ID: id}, func(c *storage.Connection) error {
			c.Credential = sealed
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	theirs, own, other := read("other", h.id).Credential, read("default", h.own).Credential, read("default", second).Credential
	put("default", h.own, theirs)
	put("default", second, own)
	aged()
	unreadable(t, h.mine, h.own, "another tenant's credential")
	unreadable(t, h.mine, second, "another connection's credential")
	if token, a := h.theirs.Token(h.id, ""); a.Status != http.StatusOK || !strings.Contains(token.AccessToken, "theirs") {
		t.Errorf("the other tenant: %d %s", a.Status, a.Body)
	}
	put("default", h.own, own)
	put("default", second, other)
	if token, a := h.mine.Token(h.own, ""); a.Status != http.StatusOK || !strings.Contains(token.AccessToken, "mine") {
		t.Errorf("put back: %d %s", a.Status, a.Body)
	}
}

// (D01, K04)
func TestACorruptCredentialIsReportedForItsConnectionAlone(t *testing.T) {
	t.Parallel()
	house := newFaultHouse(t, Definitions(t, map[string]string{"strict": Plain("strict", rotating)}), 6*time.Second)
	ids := []string{}
	for _, who := range []string{"flipped", "truncated", "emptied", "healthy"} {
		ids = append(ids, house.ConnectAs(t, "strict", who, Ana))
	}
	spoil := []func(secret.Sealed) secret.Sealed{
		func(s secret.Sealed) secret.Sealed { s[len(s)/2] ^= 1; return s },
		func(s secret.Sealed) secret.Sealed { return s[:len(s)/2] },
		func(secret.Sealed) secret.Sealed { return secret.Sealed{0} },
	}
	store := house.store(t)
	var originals []secret.Sealed
	for k, f := range spoil {
		_, err := store.UpdateConnection(t.Context(), storage.Ref{Tenant: "default", ID: ids[k]}, func(c *storage.Connection) error {
			originals = append(originals[:k], slices.Clone(c.Credential))
			c.Credential = f(slices.Clone(c.Credential))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	aged()
	for k := range spoil {
		unreadable(t, house.Door, ids[k], house.Connection(t, ids[k]).ID)
	}
	time.Sleep(7 * time.Second) // all are due meanwhile
	for k, f := range spoil {
		unreadable(t, house.Door, ids[k], "after its end")
		c, err := store.Connection(t.Context(), storage.Ref{Tenant: "default", ID: ids[k]})
		if err != nil || !bytes.Equal(c.Credential, f(slices.Clone(originals[k]))) || c.Status != storage.Active {
			t.Errorf("the corrupt record was touched: %s %s %v", c.Status, c.StatusReason, err)
		}
	}
	if token, a := house.Door.Token(ids[3], ""); a.Status != http.StatusOK || token.Version < 2 || !house.sim.Accepts(token) {
		t.Errorf("the healthy connection: %d %s", a.Status, a.Body)
	}
	healthy := house.Connection(t, ids[3])
	if s := house.stats(t); s.Token["refresh_token"] != int(healthy.Version-1) || s.Refused["invalid_grant"] > 0 {
		t.Errorf("the provider was asked %v, and the healthy connection is at version %d", s.Token, healthy.Version)
	}
	_, err := store.UpdateConnection(t.Context(), storage.Ref{Tenant: "default", ID: ids[0]}, func(c *storage.Connection) error {
		c.Credential, c.RefreshAt = originals[0], time.Now().UTC().Truncate(time.Millisecond)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	Eventually(t, 15*time.Second, "a record that was put right is served again", func() bool {
		token, a := house.Door.Token(ids[0], "")
		return a.Status == http.StatusOK && house.sim.Accepts(token)
	})
}
