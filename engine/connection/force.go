package connection

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// The budget of forced renewals of one connection: a loop that forces must not wear out the provider.
const (
	forcesPerSecond = 0.5
	forcesBurst     = 10
	maxForced       = 10_000 // connections remembered; beyond it all start anew
)

// forced limits how often a caller may force a renewal, by connection and in this process.
type forced struct {
	mu sync.Mutex
	m  map[storage.Ref]*rate.Limiter
}

// allow fails with RateLimited when r was forced too often.
func (f *forced) allow(r storage.Ref) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, ok := f.m[r]
	if !ok {
		if f.m == nil || len(f.m) >= maxForced {
			f.m = map[storage.Ref]*rate.Limiter{}
		}
		l = rate.NewLimiter(forcesPerSecond, forcesBurst)
		f.m[r] = l
	}
	if l.Allow() {
		return nil
	}
	wait := time.Duration(float64(time.Second) / forcesPerSecond)
	return fault.E(fault.RateLimited, "this connection was renewed by force too often", nil).WithCode("forced-too-often").WithRetryAfter(wait)
}
