package connection

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"dowel/engine/access"
	"dowel/engine/audit"
)

// Reads counts token hand-outs per principal and connection and writes them to the audit log in
// batches, so that a read costs no write.
type Reads struct {
	Log    audit.Log
	Logger *slog.Logger

	mu sync.Mutex
	m  map[readKey]int
}

type readKey struct{ tenant, connection, actor string }

// Count notes one hand-out.
func (r *Reads) Count(p access.Principal, connection string) {
	k := readKey{p.Tenant, connection, p.ID}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = map[readKey]int{}
	}
	r.m[k]++
}

// Run writes what was counted once a second until ctx ends, and a last time then.
func (r *Reads) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return r.Flush(context.WithoutCancel(ctx))
		case <-tick.C:
			if err := r.Flush(ctx); err != nil {
				r.Logger.Warn("write token reads", "err", err)
			}
		}
	}
}

// Flush writes what was counted. What cannot be written is counted on.
func (r *Reads) Flush(ctx context.Context) error {
	r.mu.Lock()
	counted := r.m
	r.m = nil
	r.mu.Unlock()
	if len(counted) == 0 {
		return nil
	}
	events := make([]audit.Event, 0, len(counted))
	for k, n := range counted {
		events = append(events, audit.New(audit.TokenRead, k.tenant, k.connection, "workload:"+k.actor, map[string]string{"count": strconv.Itoa(n)}))
	}
	if err := r.Log.AppendEvents(ctx, events); err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.m == nil {
			r.m = map[readKey]int{}
		}
		for k, n := range counted {
			r.m[k] += n
		}
		return err
	}
	return nil
}
