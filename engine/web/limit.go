package web

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"dowel/engine/fault"
)

// limiter bounds how often one address may do something. It is in-process: a bound, not a count.
type limiter struct {
	perSecond rate.Limit
	burst     int

	mu sync.Mutex
	m  map[string]*rate.Limiter
}

// maxAddresses is how many addresses are remembered; then all are forgotten.
const maxAddresses = 10_000

func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{perSecond: rate.Limit(perSecond), burst: burst, m: map[string]*rate.Limiter{}}
}

// note counts one try of ip, and fails when there were too many.
func (l *limiter) note(ip string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.m[ip]
	if !ok {
		if len(l.m) >= maxAddresses {
			clear(l.m)
		}
		one = rate.NewLimiter(l.perSecond, l.burst)
		l.m[ip] = one
	}
	if one.Allow() {
		return nil
	}
	return fault.E(fault.RateLimited, "too many requests from this address", nil).WithCode("rate-limited").WithRetryAfter(time.Second)
}
