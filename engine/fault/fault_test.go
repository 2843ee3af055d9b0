package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestKindOf(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want Kind
	}{
		{"nil is none", nil, None},
		{"unclassified is internal", errors.New("x"), Internal},
		{"classified", E(NotFound, "no such connection", nil), NotFound},
		{"wrapped keeps its kind", fmt.Errorf("read: %w", E(Conflict, "moved on", nil)), Conflict},
		{"outermost classification wins", E(Unavailable, "later", E(Internal, "inner", nil)), Unavailable},
		{"deadline is a timeout", fmt.Errorf("call: %w", context.DeadlineExceeded), Timeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := KindOf(tt.err); got != tt.want {
				t.Errorf("KindOf(%v) = %v, want %v", tt.err, got, tt.want)
			}
		})
	}
}

func TestPublicNeverTellsTheCause(t *testing.T) {
	cause := errors.New("CANARY dial tcp 10.0.0.1")
	for _, err := range []error{cause, E(Internal, "CANARY", cause), fmt.Errorf("x: %w", E(Unavailable, "try later", cause))} {
		if p := Public(err); strings.Contains(p, "CANARY") {
			t.Errorf("Public(%v) = %q", err, p)
		}
	}
}

func TestEveryKindHasAName(t *testing.T) {
	for k := None; k <= StoreDown; k++ {
		if names[k] == "" {
			t.Errorf("kind %d has no name", k)
		}
	}
	if len(names) != int(StoreDown)+1 {
		t.Errorf("%d names for %d kinds", len(names), StoreDown+1)
	}
}
