package token

import (
	"context"
	"errors"
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// Sweeper renews what is due, on every instance; the leases sort out who does which.
type Sweeper struct {
	Source *Source
	// Pool is how many renewals are at a provider at once; 64. As many again may be saving what a
	// provider answered: it is not asked less because the store is slow. Batch is how many are looked up
	// at once; 1000. PerTenant, 500, bounds one tenant's part of a batch, so that a big one does not
	// starve the others.
	Pool, Batch, PerTenant int
}

// Sweep renews until nothing is due, or only what failed. It ends when ctx ends; renewals under way
// then go on, and Source.Close waits for them.
func (w *Sweeper) Sweep(ctx context.Context) error {
	pool := orDefault(w.Pool, 64)
	s := &sweep{
		Sweeper: w, pool: pool, answers: make(chan *renewal, 2*pool), results: make(chan result),
		running: map[storage.Ref]*renewal{}, waiting: map[string][]storage.Due{}, load: map[string]int{}, skipped: map[storage.Ref]skip{},
	}
	return s.run(ctx)
}

// sweep is one run of a Sweeper. Only its own goroutine touches it.
type sweep struct {
	*Sweeper
	pool    int
	answers chan *renewal
	results chan result
	running map[storage.Ref]*renewal
	asking  int // how many of the running are not answered yet
	// waiting are those found due, by tenant, longest overdue first.
	waiting map[string][]storage.Due
	queued  int
	// load counts what is asked for, by tenant and by connector.
	load    map[string]int
	skipped map[storage.Ref]skip
	looked  time.Time
}

// renewal is one that was begun.
type renewal struct {
	storage.Due
	answered bool // by the provider; what is left is to save it
}

type result struct {
	*renewal
	err error
}

// skip says that a connection is not tried again before a time, unless its plan has changed.
type skip struct {
	at, until time.Time
}

// How often a sweep looks for what became due: soon when hands are free, and from time to time when
// they are not. And how long it leaves alone what is not its own to do, or what it cannot move on.
const (
	lookSoon  = 100 * time.Millisecond
	lookAgain = time.Second
	leaveBusy = time.Second
	leaveDead = 30 * time.Second
)

func (s *sweep) run(ctx context.Context) error {
	var err error
	tick := time.NewTicker(lookSoon)
	defer tick.Stop()
	for ctx.Err() == nil && err == nil {
		if s.wantsMore() {
			err = s.look(ctx)
		}
		for s.startOne(ctx) {
		}
		if len(s.running) == 0 {
			break // nothing was found that could be begun
		}
		s.await(tick.C)
	}
	for len(s.running) > 0 {
		s.await(nil)
	}
	return err
}

// await takes in the next news.
func (s *sweep) await(tick <-chan time.Time) {
	select {
	case n := <-s.answers:
		s.answer(n)
	case r := <-s.results:
		s.finish(r)
	case <-tick:
	}
}

func (s *sweep) wantsMore() bool {
	switch age := time.Since(s.looked); {
	case len(s.running) == 0 && s.queued == 0, age >= lookAgain:
		return true
	default:
		return s.queued < s.pool && age >= lookSoon // not so late that hands are idle meanwhile
	}
}

// look asks the store what is due. It asks for more by what it will pass over, so that connections
// nobody can renew do not hide those behind them.
func (s *sweep) look(ctx context.Context) error {
	now := time.Now()
	over := len(s.running) + len(s.skipped)
	due, err := s.Source.Store.DueConnections(ctx, now, orDefault(s.PerTenant, 500)+over, orDefault(s.Batch, 1000)+over)
	if err != nil {
		return err
	}
	s.looked, s.queued = now, 0
	clear(s.waiting)
	for _, d := range due {
		k, ok := s.skipped[d.Ref]
		if s.running[d.Ref] != nil || ok && k.at.Equal(d.At) && now.Before(k.until) {
			continue
		}
		s.waiting[d.Tenant] = append(s.waiting[d.Tenant], d)
		s.queued++
	}
	for r, k := range s.skipped {
		if !now.Before(k.until) {
			delete(s.skipped, r)
		}
	}
	return nil
}

// startOne begins the renewal whose turn it is, of the tenant with the least under way, and reports
// whether there was one.
func (s *sweep) startOne(ctx context.Context) bool {
	if s.asking >= s.pool || len(s.running) >= 2*s.pool {
		return false
	}
	least, next := -1, storage.Due{}
	at := 0
	for tenant, list := range s.waiting {
		n := s.load["tenant "+tenant]
		if least >= 0 && n >= least || n >= s.most() {
			continue
		}
		for i, d := range list {
			if s.load["connector "+d.Connector] < s.most() {
				least, next, at = n, d, i
				break
			}
		}
	}
	if least < 0 {
		return false
	}
	list := s.waiting[next.Tenant]
	copy(list[1:at+1], list[:at])
	if s.waiting[next.Tenant] = list[1:]; len(list) == 1 {
		delete(s.waiting, next.Tenant)
	}
	s.queued--
	s.count(next, 1)
	n := &renewal{Due: next}
	s.running[n.Ref] = n
	s.asking++
	go func() {
		_, err := s.Source.newer(ctx, n.Ref, n.Version, passing, func() {
			select {
			case s.answers <- n:
			default: // nobody listens; what was answered has to be saved all the same
			}
		})
		s.results <- result{n, err}
	}()
	return true
}

// most is how much of the pool one tenant or one connector may take: an eighth is always left for the
// others, so that a provider that hangs does not take it all.
func (s *sweep) most() int { return s.pool - s.pool/8 }

func (s *sweep) count(d storage.Due, n int) {
	for _, k := range []string{"tenant " + d.Tenant, "connector " + d.Connector} {
		if s.load[k] += n; s.load[k] == 0 {
			delete(s.load, k)
		}
	}
}

// answer makes room for the next, once for each.
func (s *sweep) answer(n *renewal) {
	if !n.answered {
		n.answered = true
		s.asking--
		s.count(n.Due, -1)
	}
}

func (s *sweep) finish(r result) {
	s.answer(r.renewal)
	delete(s.running, r.Ref)
	if r.err == nil {
		return
	}
	k := skip{r.At, time.Now().Add(leaveDead)}
	if errors.Is(r.err, errElsewhere) {
		k.until = time.Now().Add(leaveBusy)
	} else {
		s.report(r.Due, r.err)
	}
	s.skipped[r.Ref] = k
}

// report logs what an operator may have to act on; what the provider does to one connection stands in
// its record and its events, and a refused app in the app's.
func (s *sweep) report(d storage.Due, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	log := s.Source.Logger.Info
	switch fault.KindOf(err) {
	case fault.Internal, fault.Corrupt, fault.StoreDown:
		log = s.Source.Logger.Error
	case fault.Misconfigured:
		if codeOf(err) != "app-refused" {
			log = s.Source.Logger.Error
		}
	}
	log("refresh", "tenant", d.Tenant, "connection", d.ID, "connector", d.Connector, "err", err)
}

func orDefault(n, usual int) int {
	if n > 0 {
		return n
	}
	return usual
}
