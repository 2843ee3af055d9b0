package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Cluster is several instances on one store, whose providers are simulated by one process.
type Cluster struct {
	Simulator *Simulator
	Instances []*Instance
	Doors     []Door

	mu    sync.Mutex
	kills []time.Time
}

// StartCluster runs n instances on the MongoDB at uri.
func StartCluster(tb testing.TB, n int, uri string, settings []string, flags ...string) *Cluster {
	tb.Helper()
	address := FreeAddress(tb)
	c := &Cluster{Simulator: StartSimulatorWith(tb, settings, "http://"+address, flags...)}
	env := append([]string{
		"DOWEL_MONGODB_URI=" + uri, "DOWEL_MASTER_KEY=" + MasterKey(tb), "DOWEL_PUBLIC_URL=http://" + address,
		"DOWEL_SIMULATOR_URL=" + c.Simulator.URL, "DOWEL_LOG_LEVEL=warn",
	}, settings...)
	for range n {
		own := append([]string{"DOWEL_LISTEN=" + address}, env...)
		i := Start(tb, own...)
		i.URL = "http://" + address // the public address is another instance's
		c.Instances = append(c.Instances, i)
		c.Doors = append(c.Doors, i.Door)
		address = FreeAddress(tb)
	}
	return c
}

// ConnectMany makes n connections, each to an account of its own and for an end user of its own, and
// returns their ids.
func (c *Cluster) ConnectMany(tb testing.TB, connector string, n int) []string {
	tb.Helper()
	ids := make([]string, n)
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for k := worker; k < n; k += 4 {
				ids[k] = c.Instances[0].ConnectAs(tb, connector, fmt.Sprintf("%s-%d", connector, k), strconv.Itoa(1001+k))
			}
		})
	}
	group.Wait()
	if tb.Failed() {
		tb.FailNow() // a worker that fails the test ends only itself
	}
	return ids
}

// KillInTurn kills one instance after the other, each time waits as long as given and starts it again,
// until stop is closed.
func (c *Cluster) KillInTurn(tb testing.TB, stop <-chan struct{}, every, down time.Duration) {
	tb.Helper()
	for k := 0; ; k++ {
		select {
		case <-stop:
			return
		case <-time.After(every - down):
		}
		i := c.Instances[k%len(c.Instances)]
		c.mu.Lock()
		c.kills = append(c.kills, time.Now())
		c.mu.Unlock()
		i.Kill()
		time.Sleep(down)
		i.Restart(tb)
	}
}

// UntilKill is how long after t an instance was killed, or a day if none was. The time in which the machine
// let nothing run is left out.
func (c *Cluster) UntilKill(t time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.kills {
		// The provider may notice a moment later that nobody waits any more.
		if k.Add(100 * time.Millisecond).After(t) {
			return max(0, k.Sub(t)-machine.Between(t, k))
		}
	}
	return 24 * time.Hour
}

// Kills is how often an instance was killed.
func (c *Cluster) Kills() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.kills)
}

// Readers read tokens of connections from all instances and count what they are answered.
type Readers struct {
	cluster *Cluster
	ids     []string

	mu      sync.Mutex
	answers map[string]int
	odd     []string
}

// Read reads with n readers until stop is closed.
func (c *Cluster) Read(ids []string, n int, stop <-chan struct{}) *Readers {
	r := &Readers{cluster: c, ids: ids, answers: map[string]int{}}
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(rand.N(10 * time.Millisecond)):
					r.one()
				}
			}
		})
	}
	group.Wait()
	return r
}

// one reads one token and sometimes shows it to the provider.
func (r *Readers) one() {
	door := r.cluster.Doors[rand.N(len(r.cluster.Doors))]
	id := r.ids[rand.N(len(r.ids))]
	token, a := door.Token(id, "")
	what := strconv.Itoa(a.Status)
	switch a.Status {
	case http.StatusOK:
		if token.Warning != "" {
			what += " " + token.Warning
		}
		left := time.Until(*token.ExpiresAt)
		if left < -a.Took { // it had ended before anybody asked
			r.note("200 with a token that has ended", fmt.Sprintf("%s version %d ended %v ago, warning %q, took %v", id, token.Version, -left, token.Warning, a.Took))
			return
		}
		// Looked at again afterwards: it may have ended while the provider was asked.
		if left > 500*time.Millisecond && rand.N(20) == 0 && !r.cluster.Simulator.Accepts(token) && time.Now().Before(*token.ExpiresAt) {
			r.note("200 with a token that the provider refuses", fmt.Sprintf("%s version %d", id, token.Version))
			return
		}
	case 0:
	case http.StatusConflict, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		p := a.Problem()
		what += " " + a.Kind() + " " + p.Code
		if a.Status != http.StatusConflict && a.Header.Get("Retry-After") == "" {
			r.note("an error without Retry-After", string(a.Body))
		}
	default:
		r.note("an answer nobody expects", fmt.Sprintf("%s: %d %s", id, a.Status, a.Body))
	}
	r.note(strings.TrimSpace(what), "")
}

func (r *Readers) note(what, odd string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[what]++
	if odd != "" && len(r.odd) < 20 {
		r.odd = append(r.odd, what+": "+odd)
	}
}
