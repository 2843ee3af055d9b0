package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
	"dowel/engine/storage/storagetest"
)

// TestWritesOfOneGroupDoNotHarmEachOther runs writes that fail in the same transaction as writes that
// do not.
func TestWritesOfOneGroupDoNotHarmEachOther(t *testing.T) {
	s := open(t, newPath(t))
	defer s.Close()
	ctx := t.Context()
	if err := s.CreateTenant(ctx, storagetest.Tenant("taken")); err != nil {
		t.Fatal(err)
	}
	mine := errors.New("mine")
	half := func(tx *transaction) error {
		if _, err := tx.exec("INSERT INTO keysets (tenant, wrapped) VALUES ('half', 'x')"); err != nil {
			return err
		}
		return mine
	}
	// The writer is held up until all of them wait, so that they make one group.
	hold, held := make(chan struct{}), make(chan struct{})
	var calls sync.WaitGroup
	calls.Go(func() {
		_ = s.write(ctx, func(*transaction) error { close(held); <-hold; return nil })
	})
	<-held
	errs := make([]error, 30)
	for i := range errs {
		calls.Go(func() {
			switch i % 3 {
			case 0:
				errs[i] = s.CreateTenant(ctx, storagetest.Tenant(fmt.Sprint("new ", i)))
			case 1:
				errs[i] = s.CreateTenant(ctx, storagetest.Tenant("taken"))
			case 2:
				errs[i] = s.writeAll(ctx, half)
			}
		})
	}
	for len(s.jobs) < len(errs) {
		time.Sleep(time.Millisecond)
	}
	close(hold)
	calls.Wait()
	wantOwnError(t, errs, mine)
	tenants, err := s.Tenants(ctx)
	if err != nil || len(tenants) != 11 {
		t.Errorf("%d tenants, %v; want 11", len(tenants), err)
	}
	if _, err := s.Keyset(ctx, "half"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("half a write is there: %v", err)
	}
}

// wantOwnError checks that each write was answered for itself: one of three succeeds, one conflicts, and
// one fails with an error of its own.
func wantOwnError(t *testing.T, errs []error, mine error) {
	t.Helper()
	for i, err := range errs {
		switch i % 3 {
		case 0:
			if err != nil {
				t.Errorf("write %d: %v", i, err)
			}
		case 1:
			if fault.KindOf(err) != fault.Conflict {
				t.Errorf("write %d: %v, want a conflict", i, err)
			}
		case 2:
			if !errors.Is(err, mine) {
				t.Errorf("write %d: %v, want its own error", i, err)
			}
		}
	}
}

// TestHotQueriesReadAnIndex asks SQLite how it will find things.
func TestHotQueriesReadAnIndex(t *testing.T) {
	s := open(t, newPath(t))
	defer s.Close()
	ctx := t.Context()
	// Running them prepares them; the plans are those of the very statements.
	_, _ = s.Connection(ctx, storage.Ref{})
	_, _ = s.DueConnections(ctx, storagetest.Connection("", "").CreatedAt, 1, 10)
	_, _ = s.APIKey(ctx, "")
	_, _ = s.Connections(ctx, storage.ConnectionQuery{})
	_, _ = s.Connections(ctx, storage.ConnectionQuery{EndUser: "x"})
	_, _ = s.Connections(ctx, storage.ConnectionQuery{App: "x"})
	_, _ = s.Connections(ctx, storage.ConnectionQuery{Subject: "x"})
	_, _ = s.CountConnections(ctx, "")
	_, _ = s.CountPendingFlows(ctx, "", storagetest.Connection("", "").CreatedAt)
	_, _, _ = s.ClaimOutbox(ctx, "", 0)
	_, _ = s.TakeFlow(ctx, "", storagetest.Connection("", "").CreatedAt)
	_, _, _ = s.AcquireLease(ctx, storage.Connection{}, nil, "", 0)
	for _, pool := range []*statements{s.reads, s.writes} {
		for query := range pool.prepared {
			if !strings.Contains(query, "WHERE") || strings.HasPrefix(query, "\nCREATE") {
				continue
			}
			plan := explain(t, s, query)
			if strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s\n%s", query, plan)
			}
			if strings.Contains(query, "due_at <=") && !strings.Contains(plan, "COVERING INDEX connections_due ((due_at,tenant,id)>(?,?,?) AND due_at<?)") {
				t.Errorf("due connections are not found by their index alone:\n%s", plan)
			}
		}
	}
}

func explain(t *testing.T, s *Store, query string) string {
	t.Helper()
	rows, err := s.db[1].QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(detail + "\n")
	}
	return plan.String()
}
