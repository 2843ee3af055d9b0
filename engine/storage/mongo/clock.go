package mongo

import (
	"context"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"dowel/engine/fault"
)

const (
	// clockEvery is how long an answer of the database's clock is good for, and clockAgain how long
	// when it contradicted the one before.
	clockEvery, clockAgain = time.Minute, 2 * time.Second
	// clockJump is by how much two answers may contradict each other, beside what the calls took.
	clockJump = time.Second
)

// clock is the database's clock as seen from here. Between two looks at it, it goes on by this
// machine's monotonic clock, so somebody who sets this machine's time does not move it.
type clock struct {
	measure func(context.Context) (time.Time, error)

	mu sync.Mutex
	// remote is what the database's clock showed at local.
	remote, local time.Time
	doubtful      bool
}

// now returns the database's time. It fails with fault.StoreDown if the database does not answer, or
// if its clock has jumped: then nobody knows which leases have run out, until two looks agree again.
func (c *clock) now(ctx context.Context) (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	every := clockEvery
	if c.doubtful {
		every = clockAgain
	}
	if c.local.IsZero() || time.Since(c.local) >= every {
		if err := c.look(ctx); err != nil {
			return time.Time{}, err
		}
	}
	if c.doubtful {
		return time.Time{}, fault.E(fault.StoreDown, "the clock of the store has jumped, try again soon", nil)
	}
	return c.remote.Add(time.Since(c.local)).UTC().Truncate(time.Millisecond), nil
}

// look asks the database, and compares its answer with what was expected.
func (c *clock) look(ctx context.Context) error {
	asked := time.Now()
	remote, err := c.measure(ctx)
	took := time.Since(asked)
	if err != nil {
		return failure(err)
	}
	// The answer was made somewhere between asking and hearing it.
	local := asked.Add(took / 2)
	if !c.local.IsZero() {
		expected := c.remote.Add(local.Sub(c.local))
		c.doubtful = remote.Sub(expected).Abs() > clockJump+took
	}
	c.remote, c.local = remote, local
	return nil
}

// databaseTime reads the clock of the primary.
func (s *Store) databaseTime(ctx context.Context) (time.Time, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var answer struct {
		LocalTime time.Time `bson:"localTime"`
	}
	err := s.client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&answer)
	return answer.LocalTime, err
}
