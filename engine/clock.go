package engine

import (
	"context"
	"log/slog"
	"time"

	"github.com/robfig/cron/v3"

	"dowel/engine/fault"
)

// next returns the next time a cron expression comes round, or zero for one that is not valid.
func next(spec string, after time.Time) time.Time {
	schedule, err := cron.ParseStandard(spec)
	if err != nil {
		return time.Time{}
	}
	return schedule.Next(after)
}

// clock runs what is done at times: every instance does all of it, and leases sort out the rest.
func (e *Engine) clock(ctx context.Context) *cron.Cron {
	log := cronLog{e.options.Logger.With("room", "engine")}
	// Recover stands inside: a job that panics under SkipIfStillRunning would never run again.
	c := cron.New(cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger), cron.Recover(log)), cron.WithLogger(cron.DiscardLogger))
	job := func(name, spec string, f func(context.Context) error) {
		_, err := c.AddFunc(spec, func() {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				e.options.Logger.Warn(name, "err", err, "kind", fault.KindOf(err))
			}
		})
		if err != nil {
			panic("engine: schedule of " + name + ": " + err.Error()) // the specs below are constants
		}
	}
	job("sweep due connections", "@every 1s", e.Sweeper.Sweep)
	job("sweep ended records", "@every 5m", e.broom)
	return c
}

// broom removes flows, tickets and sessions whose time is over. Expiry is in every query; this only
// saves space.
func (e *Engine) broom(ctx context.Context) error {
	before := time.Now().Add(-time.Hour)
	if _, err := e.options.Store.SweepFlows(ctx, before); err != nil {
		return err
	}
	if _, err := e.options.Store.SweepConnectSessions(ctx, before); err != nil {
		return err
	}
	_, err := e.options.Store.SweepSessions(ctx, before)
	return err
}

// cronLog lets cron report panics of jobs.
type cronLog struct{ log *slog.Logger }

// Info implements cron.Logger; cron's own news are of no interest.
func (cronLog) Info(string, ...any) {}

// Error implements cron.Logger.
func (l cronLog) Error(err error, msg string, keysAndValues ...any) {
	l.log.Error("job "+msg, append([]any{"err", err}, keysAndValues...)...)
}
