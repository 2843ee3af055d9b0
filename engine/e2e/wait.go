package e2e

import (
	"slices"
	"testing"
	"time"
)

// Eventually asks until it is so, and fails the test if it is not within d.
func Eventually(tb testing.TB, d time.Duration, what string, so func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(d); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("not within %v: %s", d, what)
		}
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
