package e2e

import (
	"slices"
	"testing"
	"time"
)

// Eventually asks until it is so, and fails the test if it is not within d. On a machine that has much
// else to do, where asking takes long, it waits longer: as many looks belong to d as a quick machine
// could take at least.
func Eventually(tb testing.TB, d time.Duration, what string, so func() bool) {
	tb.Helper()
	const pause, slowest = 20 * time.Millisecond, 100 * time.Millisecond
	begun := time.Now()
	for left := d; ; {
		asked := time.Now()
		if so() {
			return
		}
		if left <= 0 || time.Since(begun) > 10*d {
			tb.Fatalf("not within %v (%v by the clock): %s", d, time.Since(begun).Round(time.Millisecond), what)
		}
		time.Sleep(pause)
		left -= min(time.Since(asked), slowest)
	}
}

// percentile is the value that p of 100 values do not exceed.
func percentile(values []time.Duration, p int) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}
