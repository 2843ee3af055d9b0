package e2e

import (
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
