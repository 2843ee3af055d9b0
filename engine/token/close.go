package token

import (
	"context"
	"fmt"
	"sync"

	"dowel/engine/fault"
)

// Close lets no new renewal begin and waits until those under way are done and every credential in
// hand is saved, or ctx ends.
func (s *Source) Close(ctx context.Context) error {
	select {
	case <-s.work.close():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("finish renewals: %w", ctx.Err())
	}
}

// work counts what must not be cut off.
type work struct {
	mu     sync.Mutex
	n      int
	closed bool
	idle   chan struct{}
}

// enter begins a piece of work, unless the house is closing.
func (w *work) enter() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fault.E(fault.Unavailable, "this instance is stopping", nil)
	}
	w.n++
	return nil
}

// hold begins a piece of work that belongs to one under way, closing or not.
func (w *work) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
}

func (w *work) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n--
	w.settle()
}

func (w *work) close() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.idle == nil {
		w.idle = make(chan struct{})
	}
	already := w.closed
	w.closed = true
	if !already {
		w.settle()
	}
	return w.idle
}

func (w *work) settle() {
	if w.closed && w.n == 0 {
		select {
		case <-w.idle:
		default:
			close(w.idle)
		}
	}
}
