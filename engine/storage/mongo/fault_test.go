package mongo

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.uber.org/goleak"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
	"dowel/engine/storage/mongo/mongotestproc"
	"dowel/engine/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// started returns a server of its own and a store on it that holds one connection.
func started(t *testing.T) (*mongotestproc.Process, *Store, storage.Ref) {
	t.Helper()
	server := mongotestproc.Start(t)
	s := open(t, server.URI(), "dowel")
	t.Cleanup(func() { _ = s.Close() })
	c := storagetest.Connection("acme", "one")
	c.Emit(storagetest.Event("acme", "one", "event"))
	if err := s.CreateConnection(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return server, s, c.Ref
}

func TestServerThatStandsStillIsStoreDownInTime(t *testing.T) {
	t.Parallel() // it waits most of the time
	server, s, ref := started(t)
	ctx := t.Context()
	lease, ok, err := acquire(s, ref, "me")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	calls := everyCall(ctx, s, ref, lease)
	server.Pause()
	time.Sleep(100 * time.Millisecond) // a signal takes a moment to arrive
	var waiting sync.WaitGroup
	for name, call := range calls {
		within := 3 * time.Second
		if slices.Contains([]string{"Ping", "Connection", "Connections", "DueConnections"}, name) {
			within = 2 * time.Second
		}
		waiting.Go(func() {
			err, took := soonest(within, call)
			if fault.KindOf(err) != fault.StoreDown || took > within {
				t.Errorf("%s: %v (kind %v) after %v, want the store to be down within %v", name, err, fault.KindOf(err), took, within)
			}
		})
	}
	waiting.Wait()
	// What the caller gave up itself is not the store's fault.
	gone, cancel := context.WithCancel(ctx)
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := s.Connection(gone, ref); !errors.Is(err, context.Canceled) || fault.As(err) != nil {
		t.Errorf("read that was cancelled: %v", err)
	}
	server.Resume()
	if _, err := s.Connection(ctx, ref); err != nil {
		t.Errorf("read as soon as it goes on: %v", err)
	}
	for name, call := range calls {
		if err := call(); fault.KindOf(err) == fault.StoreDown {
			t.Errorf("%s afterwards: %v", name, err)
		}
	}
}

// acquire reads a connection and takes its lease as it is.
func acquire(s *Store, ref storage.Ref, holder string) (storage.Lease, bool, error) {
	c, err := s.Connection(context.Background(), ref)
	if err != nil {
		return storage.Lease{}, false, err
	}
	return s.AcquireLease(context.Background(), c, c.Attempt, holder, time.Minute)
}

// soonest calls until an answer comes in time, and three times at most: a busy machine may keep one waiting.
func soonest(within time.Duration, call func() error) (err error, took time.Duration) {
	for range 3 {
		asked := time.Now()
		err = call()
		if took = time.Since(asked); took <= within {
			break
		}
	}
	return err, took
}

// everyCall is one call of each sort.
func everyCall(ctx context.Context, s *Store, ref storage.Ref, lease storage.Lease) map[string]func() error {
	return map[string]func() error{
		"Ping":             func() error { return s.Ping(ctx) },
		"Connection":       func() error { _, err := s.Connection(ctx, ref); return err },
		"CreateConnection": func() error { return s.CreateConnection(ctx, storagetest.Connection("acme", "two")) },
		"UpdateConnection": func() error {
			_, err := s.UpdateConnection(ctx, ref, func(*storage.Connection) error { return nil })
			return err
		},
		"UpdateLeased": func() error {
			_, err := s.UpdateLeased(ctx, lease, func(*storage.Connection) error { return nil })
			return err
		},
		"ReleaseLease": func() error { return s.ReleaseLease(ctx, lease) },
		"AcquireLease": func() error {
			_, _, err := s.AcquireLease(ctx, storage.Connection{Ref: ref}, nil, "me", time.Minute)
			return err
		},
		"Connections":    func() error { _, err := s.Connections(ctx, storage.ConnectionQuery{Tenant: "acme"}); return err },
		"DueConnections": func() error { _, err := s.DueConnections(ctx, time.Now(), 10, 10); return err },
		"TakeFlow":       func() error { _, err := s.TakeFlow(ctx, "state", time.Now()); return err },
		"ClaimOutbox":    func() error { _, _, err := s.ClaimOutbox(ctx, "me", time.Minute); return err },
		"AppendEvents":   func() error { return s.AppendEvents(ctx, []audit.Event{storagetest.Event("acme", "one", "other")}) },
		"SweepFlows":     func() error { _, err := s.SweepFlows(ctx, time.Now()); return err },
	}
}

func TestServerThatIsGoneIsStoreDownInTime(t *testing.T) {
	t.Parallel() // it waits most of the time
	server, s, ref := started(t)
	server.Kill()
	for range 3 {
		err, took := soonest(2*time.Second, func() error { _, err := s.Connection(t.Context(), ref); return err })
		if fault.KindOf(err) != fault.StoreDown || took > 2*time.Second {
			t.Errorf("read: %v after %v, want the store to be down within 2s", err, took)
		}
	}
	server.Restart()
	if _, err := s.Connection(t.Context(), ref); err != nil {
		t.Errorf("read after it is back: %v", err)
	}
	if _, err := Open(t.Context(), "mongodb://127.0.0.1:1/", Options{}); fault.KindOf(err) != fault.StoreDown {
		t.Errorf("open where nothing listens: %v", err)
	}
}

// TestWriteWhoseAnswerIsLostHappensOnce breaks the connection after the server has written.
func TestWriteWhoseAnswerIsLostHappensOnce(t *testing.T) {
	t.Parallel() // it waits most of the time
	server, s, ref := started(t)
	ctx := t.Context()
	before, err := s.Connection(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	server.LoseAnswer("update", 1)
	_, err = s.UpdateConnection(ctx, ref, func(c *storage.Connection) error { c.Health.Failures++; return nil })
	if err != nil {
		t.Errorf("update: %v", err)
	}
	server.LoseAnswer("findAndModify", 1)
	lease, ok, err := acquire(s, ref, "me")
	if err != nil || !ok || lease.Fence != 1 {
		t.Errorf("acquire: %+v, %v, %v; want the lease with fence 1", lease, ok, err)
	}
	f := storagetest.Flow("acme", "one")
	server.LoseAnswer("insert", 1)
	if err := s.CreateFlow(ctx, f); err != nil {
		t.Errorf("create: %v", err)
	}
	server.LoseAnswer("findAndModify", 1)
	if taken, err := s.TakeFlow(ctx, f.StateHash, f.CreatedAt); err != nil || taken.Status != storage.FlowTaken {
		t.Errorf("take: %v, %v", taken.Status, err)
	}
	after, err := s.Connection(ctx, ref)
	if err != nil || after.Health.Failures != before.Health.Failures+1 || after.Revision != before.Revision+2 {
		t.Errorf("%d failures and revision %d, %v; want %d and %d", after.Health.Failures, after.Revision, err,
			before.Health.Failures+1, before.Revision+2)
	}
}

func TestServerThatRefusesIsStoreDown(t *testing.T) {
	t.Parallel() // it waits most of the time
	server, s, ref := started(t)
	const notWritablePrimary, unauthorized, outOfDisk = 10107, 13, 14031
	for _, code := range []int{notWritablePrimary, unauthorized, outOfDisk} {
		server.Fail("update", code, 5)
		_, err := s.UpdateConnection(t.Context(), ref, func(c *storage.Connection) error { c.Name = "lost"; return nil })
		if fault.KindOf(err) != fault.StoreDown {
			t.Errorf("update refused with %d: %v, want the store to be down", code, err)
		}
		server.Heal()
	}
	if c, err := s.Connection(t.Context(), ref); err != nil || c.Name == "lost" {
		t.Errorf("name %q, %v", c.Name, err)
	}
}

// TestRecordOfANewerVersionIsRefusedUntouched is about a service that was rolled back.
func TestRecordOfANewerVersionIsRefusedUntouched(t *testing.T) {
	_, s, ref := started(t)
	ctx := t.Context()
	f, link := storagetest.Flow("acme", "new"), storagetest.Session("acme", "new")
	for _, err := range []error{s.CreateFlow(ctx, f), s.CreateSession(ctx, link)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, collection := range []string{"connections", "flows", "sessions"} {
		_, err := s.db.Collection(collection).UpdateMany(ctx, bson.D{}, bson.D{pair("$set", bson.D{pair("schema", schema+1)})})
		if err != nil {
			t.Fatal(err)
		}
	}
	before := newContent(t, s)
	wantRefused(t, s, ref)
	if _, err := s.TakeFlow(ctx, f.StateHash, f.CreatedAt); fault.KindOf(err) != fault.NotFound {
		t.Errorf("take the flow: %v, want not found", err)
	}
	if _, err := s.TakeSession(ctx, link.Hash); fault.KindOf(err) != fault.NotFound {
		t.Errorf("take the link: %v, want not found", err)
	}
	if p, ok, err := s.ClaimOutbox(ctx, "me", time.Minute); ok || err != nil {
		t.Errorf("claimed %+v, %v", p, err)
	}
	if n, err := s.SweepFlows(ctx, f.ExpiresAt.Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if after := newContent(t, s); after != before {
		t.Errorf("documents were changed to\n%swere\n%s", after, before)
	}
}

// wantRefused checks that nothing can be done with a connection of a newer version.
func wantRefused(t *testing.T, s *Store, ref storage.Ref) {
	t.Helper()
	ctx := t.Context()
	untouched := func(*storage.Connection) error { t.Error("change is called"); return nil }
	for what, call := range map[string]func() error{
		"read":   func() error { _, err := s.Connection(ctx, ref); return err },
		"update": func() error { _, err := s.UpdateConnection(ctx, ref, untouched); return err },
		"delete": func() error { return s.DeleteConnection(ctx, ref) },
		"acquire": func() error {
			_, _, err := s.AcquireLease(ctx, storage.Connection{Ref: ref, Revision: 1}, nil, "me", time.Minute)
			return err
		},
		"leased update": func() error {
			_, err := s.UpdateLeased(ctx, storage.Lease{Ref: ref}, untouched)
			return err
		},
	} {
		err := call()
		if fault.KindOf(err) != fault.Corrupt || fault.As(err).Code != "record-newer" {
			t.Errorf("%s: %v, want it refused as written by a newer version", what, err)
		}
	}
	if err := s.ReleaseLease(ctx, storage.Lease{Ref: ref}); err != nil {
		t.Error(err)
	}
}

// newContent returns the documents there are, one in each of the collections.
func newContent(t *testing.T, s *Store) string {
	t.Helper()
	var all strings.Builder
	for _, collection := range []string{"connections", "flows", "sessions"} {
		document, err := s.db.Collection(collection).FindOne(t.Context(), bson.D{}).Raw()
		if err != nil {
			t.Errorf("%s: %v", collection, err)
		}
		all.WriteString(document.String() + "\n")
	}
	return all.String()
}

func TestURIIsNotInErrors(t *testing.T) {
	t.Parallel() // it waits most of the time
	for _, uri := range []string{
		"mongodb://dowel:CANARY@127.0.0.1:1/", "mongodb://dowel:CANARY@", "mongodb://dowel:CANARY@127.0.0.1/?w=-5", "CANARY",
	} {
		_, err := Open(t.Context(), uri, Options{})
		if err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("open: %v, want an error without the password", err)
		}
	}
}
