package e2e

import (
	"testing"
	"time"
)

func TestLagIsWhatWasLostBetweenTwoMoments(t *testing.T) {
	at := time.Now()
	after := func(d time.Duration) time.Time { return at.Add(d * time.Millisecond) }
	l := &Lag{}
	l.note(lateness{after(100), 40 * time.Millisecond}) // nothing ran from 60 to 100
	l.note(lateness{after(300), 50 * time.Millisecond}) // nor from 250 to 300
	for _, tt := range []struct {
		from, to time.Duration
		want     time.Duration
	}{
		{0, 400, 90}, {0, 60, 0}, {0, 80, 20}, {80, 90, 10}, {80, 270, 40}, {100, 250, 0}, {300, 400, 0},
	} {
		if got := l.Between(after(tt.from), after(tt.to)); got != tt.want*time.Millisecond {
			t.Errorf("from %d to %d: %v, want %dms", tt.from, tt.to, got, tt.want)
		}
	}
	if got := (*Lag)(nil).Between(after(0), after(400)); got != 0 {
		t.Errorf("nobody looked: %v", got)
	}
}
