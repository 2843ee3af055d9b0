// Package rehearsal plays a connector's whole life against a simulated provider: connect, identity,
// token, refresh, a replayed refresh token, revocation, and what goes wrong on the way: denial, a wrong
// secret, a provider that fails. The engine is the real one on a store in memory; only the provider and
// the person are played.
//
// It answers the author of a definition: does it do what I wrote it for? Whether the definition is well
// formed is definition's affair, and whether it is true of the real provider can only be tried there.
package rehearsal

import (
	"context"
	"fmt"
	"time"

	"dowel/engine/definition"
)

// Result is how the rehearsal of one method went.
type Result struct {
	Connector, Method string
	Took              time.Duration
	// Steps are those that went well, in order.
	Steps []string
	// Step is the one that did not, and Err why; empty and nil if all did.
	Step string
	Err  error
}

// OK reports whether everything went well.
func (r Result) OK() bool { return r.Err == nil }

// String is one line for people.
func (r Result) String() string {
	name := r.Connector + "/" + r.Method
	if r.OK() {
		return fmt.Sprintf("ok  %s  %d ms", name, r.Took.Milliseconds())
	}
	return fmt.Sprintf("FAIL  %s: %s: %v", name, r.Step, r.Err)
}

// Run rehearses every method of a connector, one after the other. It fails itself only if there is no
// stage to play on.
func Run(ctx context.Context, k *definition.Connector) ([]Result, error) {
	var out []Result
	err := All(ctx, []*definition.Connector{k}, 1, func(r Result) { out = append(out, r) })
	return out, err
}

// Against rehearses a connector with the provider that another definition of the same id describes. What
// the two do not agree about goes wrong, or else the simulator is not as strict as the provider.
func Against(ctx context.Context, provider, k *definition.Connector) ([]Result, error) {
	s, err := openStage(ctx, []*definition.Connector{k}, []*definition.Connector{provider})
	if err != nil {
		return nil, fmt.Errorf("set the stage: %w", err)
	}
	defer s.close()
	return s.connector(ctx, k), ctx.Err()
}

// All rehearses every method of many connectors, so many connectors at once, and tells each result in
// the order of the connectors. Of one id there may be one connector. It ends early when ctx does.
func All(ctx context.Context, ks []*definition.Connector, workers int, tell func(Result)) error {
	seen := map[string]bool{}
	for _, k := range ks {
		if seen[k.ID] {
			return fmt.Errorf("connector %s is there twice", k.ID)
		}
		seen[k.ID] = true
	}
	s, err := openStage(ctx, ks, ks)
	if err != nil {
		return fmt.Errorf("set the stage: %w", err)
	}
	defer s.close()
	results := make([]chan []Result, len(ks))
	for i := range results {
		results[i] = make(chan []Result, 1)
	}
	next := make(chan int, len(ks))
	for i := range ks {
		next <- i
	}
	close(next)
	for range max(workers, 1) {
		go func() {
			for i := range next {
				results[i] <- s.connector(ctx, ks[i])
			}
		}()
	}
	for _, c := range results {
		for _, r := range <-c {
			tell(r)
		}
	}
	return ctx.Err()
}

// longest bounds one method; it takes milliseconds unless it hangs.
const longest = 30 * time.Second

func (s *stage) connector(ctx context.Context, k *definition.Connector) []Result {
	out := make([]Result, 0, len(k.Auth))
	for _, a := range k.Auth {
		ctx, cancel := context.WithTimeout(ctx, longest)
		out = append(out, s.play(ctx, k, a))
		cancel()
	}
	return out
}

func (s *stage) play(ctx context.Context, k *definition.Connector, a *definition.Auth) Result {
	began := time.Now()
	r := Result{Connector: k.ID, Method: a.ID}
	p, err := s.newPlay(ctx, k, a)
	if err != nil {
		r.Step, r.Err = "prepare", err
		return r
	}
	for _, scene := range p.scenes() {
		played, err := scene.play(ctx)
		s.simulator.Set(k.ID) // whatever was put in its way
		if err != nil {
			r.Step, r.Err = scene.name, err
			break
		}
		if played {
			r.Steps = append(r.Steps, scene.name)
		}
	}
	r.Took = time.Since(began)
	return r
}
