package token

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// Sweeper renews what is due, on every instance; the leases sort out who does which.
type Sweeper struct {
	Source *Source
	// Pool is how many renewals run at once; 64. Batch is how many are looked up at once; 1000.
	// PerTenant, 500, bounds one tenant's part of a batch, so that a big one does not starve the others.
	Pool, Batch, PerTenant int
}

// Sweep renews until nothing is due, or only what failed.
func (w *Sweeper) Sweep(ctx context.Context) error {
	failed := map[storage.Ref]bool{}
	for ctx.Err() == nil {
		due, err := w.Source.Store.DueConnections(ctx, time.Now(), orDefault(w.PerTenant, 500), orDefault(w.Batch, 1000))
		if err != nil {
			return err
		}
		if w.batch(ctx, due, failed) == 0 {
			return nil
		}
	}
	return nil
}

// batch renews due connections and returns how many it began.
func (w *Sweeper) batch(ctx context.Context, due []storage.Due, failed map[storage.Ref]bool) int {
	var g errgroup.Group
	g.SetLimit(orDefault(w.Pool, 64))
	begun := 0
	results := make([]error, len(due))
	for i, d := range due {
		if ctx.Err() != nil || failed[d.Ref] {
			continue
		}
		begun++
		g.Go(func() error {
			_, results[i] = w.Source.newer(ctx, d.Ref, d.Version)
			return nil
		})
	}
	_ = g.Wait() // each result is looked at below
	for i, err := range results {
		if err == nil {
			continue
		}
		failed[due[i].Ref] = true
		w.report(due[i], err)
	}
	return begun
}

// report logs what an operator may have to act on; what the provider does to one connection stands in
// its record and its events.
func (w *Sweeper) report(d storage.Due, err error) {
	switch fault.KindOf(err) {
	case fault.Internal, fault.Corrupt, fault.StoreDown, fault.Misconfigured:
		if !errors.Is(err, context.Canceled) {
			w.Source.Logger.Error("refresh", "tenant", d.Tenant, "connection", d.ID, "connector", d.Connector, "err", err)
		}
	default:
		w.Source.Logger.Info("refresh", "tenant", d.Tenant, "connection", d.ID, "connector", d.Connector, "err", err)
	}
}

func orDefault(n, usual int) int {
	if n > 0 {
		return n
	}
	return usual
}
