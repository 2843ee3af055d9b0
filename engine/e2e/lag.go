package e2e

import (
	"sync"
	"time"
)

// Lag knows how late this machine lets programs run. What a test allows is meant for a machine that has
// nothing else to do; what it measures is compared with that after the lag has been taken off.
type Lag struct {
	mu   sync.Mutex
	late []lateness
	stop chan struct{}
	done chan struct{}
}

type lateness struct {
	at time.Time // when something ran
	by time.Duration
}

// lagStep is how often the lag is looked at, and keepLag for how long it is remembered.
const (
	lagStep = 10 * time.Millisecond
	keepLag = 2 * time.Minute
)

// WatchLag begins to look.
func WatchLag() *Lag {
	l := &Lag{stop: make(chan struct{}), done: make(chan struct{})}
	go l.watch()
	return l
}

// Stop ends the looking.
func (l *Lag) Stop() {
	close(l.stop)
	<-l.done
}

func (l *Lag) watch() {
	defer close(l.done)
	for {
		begun := time.Now()
		select {
		case <-l.stop:
			return
		case <-time.After(lagStep):
		}
		if by := time.Since(begun) - lagStep; by > time.Millisecond {
			l.note(lateness{time.Now(), by})
		}
	}
}

func (l *Lag) note(n lateness) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late = append(l.late, n)
	for len(l.late) > 0 && n.at.Sub(l.late[0].at) > keepLag {
		l.late = l.late[1:]
	}
}

// Between is the time that was lost between two moments; nothing on a nil Lag.
func (l *Lag) Between(from, to time.Time) time.Duration {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var sum time.Duration
	for _, n := range l.late {
		begun := n.at.Add(-n.by)
		if begun.Before(from) {
			begun = from
		}
		end := n.at
		if end.After(to) {
			end = to
		}
		sum += max(0, end.Sub(begun))
	}
	return sum
}

// machine is the lag of the machine the tests run on; nil until a TestMain watches it.
var machine *Lag //nolint:gochecknoglobals // there is one machine
