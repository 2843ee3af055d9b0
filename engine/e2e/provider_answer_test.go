package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dowel/engine/simulator"
)

// Whatever a provider says about a lifetime, the token is served, its end is never wrong by much, and
// nothing is renewed in a hurry. (P12, P13)
func TestOddLifetimesNeitherOverflowNorHurry(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	absent := time.Duration(-1)
	tests := []struct {
		name  string
		value any
		lives time.Duration
	}{
		{"absent", nil, absent},
		{"zero", 0, absent},
		{"negative", -3600, absent},
		{"a text", "7200", 2 * time.Hour},
		{"a number with a fraction", 7200.5, 2 * time.Hour},
		{"nanoseconds", int64(3600 * time.Second), year},
		{"beyond 64 bits", 1e300, year},
		{"nonsense", "soon", absent},
		{"a list", []int{3600}, absent},
	}
	sources := map[string]string{"life-ms": strings.Replace(Plain("life-ms", rotating), "client_auth: body}\n    refresh",
		"client_auth: body, answer: {expires: {in: response.body.expires_in, unit: ms}}}\n    refresh", 1)}
	for k := range tests {
		sources["life-"+strconv.Itoa(k)] = Plain("life-"+strconv.Itoa(k), rotating)
	}
	house := newFaultHouse(t, Definitions(t, sources), time.Hour)
	var group sync.WaitGroup
	for k, tt := range tests {
		group.Go(func() {
			t.Run(tt.name, func(t *testing.T) {
				checkLifetime(t, house, "life-"+strconv.Itoa(k), simulator.Fault{Kind: simulator.FaultExpiresIn, Value: tt.value}, tt.lives)
			})
		})
	}
	group.Go(func() {
		t.Run("milliseconds, which the definition knows", func(t *testing.T) {
			checkLifetime(t, house, "life-ms", simulator.Fault{Kind: simulator.FaultExpiresIn, Value: 7_200_000}, 2*time.Hour)
		})
	})
	group.Wait()
}

// checkLifetime renews once and compares what is said of the new token's end; negative: nothing.
func checkLifetime(t *testing.T, house *faultHouse, connector string, f simulator.Fault, lives time.Duration) {
	t.Helper()
	id := house.ConnectAs(t, connector, "somebody", Ana)
	f.On = "refresh"
	house.sim.Fault(t, connector, f)
	token, a := house.Door.Token(id, "?force=true")
	if a.Status != http.StatusOK || token.Version != 2 || !house.sim.Accepts(token) {
		t.Fatalf("renewed: %d %+v %s", a.Status, token, a.Body)
	}
	v := house.Connection(t, id)
	switch {
	case lives < 0 && (token.ExpiresAt != nil || v.ExpiresAt != nil || v.RefreshAt != nil):
		t.Errorf("nothing was said, and the token ends %v and is renewed %v", token.ExpiresAt, v.RefreshAt)
	case lives < 0:
	case token.ExpiresAt == nil || v.RefreshAt == nil:
		t.Fatalf("the end is not known: %+v", v)
	case time.Until(*token.ExpiresAt)-lives > time.Second || lives-time.Until(*token.ExpiresAt) > 30*time.Second:
		t.Errorf("the token ends in %v, want %v", time.Until(*token.ExpiresAt), lives)
	case time.Until(*v.RefreshAt) < lives/2 || v.RefreshAt.After(*v.ExpiresAt):
		t.Errorf("it is renewed in %v of %v", time.Until(*v.RefreshAt), lives)
	}
	time.Sleep(3 * time.Second)
	for range 5 {
		if again, a := house.Door.Token(id, ""); a.Status != http.StatusOK || again.Version != 2 {
			t.Errorf("read again: %d version %d", a.Status, again.Version)
		}
	}
	var s simulator.Stats
	if house.sim.Stats(t, connector, &s); s.Refreshed != 1 {
		t.Errorf("renewed %d times", s.Refreshed)
	}
}

// A renewal whose answer has no refresh token leaves the old one good. (P12)
func TestAnAnswerWithoutRefreshTokenKeepsTheOldOne(t *testing.T) {
	t.Parallel()
	house := newFaultHouse(t, Definitions(t, map[string]string{"keeps": Plain("keeps", "{rotation: never}")}), time.Hour)
	id := house.ConnectAs(t, "keeps", "somebody", Ana)
	house.sim.Fault(t, "keeps", simulator.Fault{On: "refresh", Kind: simulator.FaultNoRefreshToken})
	for version := range int64(3) {
		token, a := house.Door.Token(id, "?force=true")
		if a.Status != http.StatusOK || token.Version != version+2 || !house.sim.Accepts(token) {
			t.Fatalf("renewal %d: %d %+v %s", version+1, a.Status, token, a.Body)
		}
	}
}

// Answers of 64 MiB, plain and packed into a few kilobytes, cost the process next to nothing. (P17, X01)
func TestHugeAnswersDoNotFillTheMemory(t *testing.T) {
	t.Parallel()
	sources := map[string]string{"warm": Plain("warm", fixed), "huge": Plain("huge", fixed), "bomb": Plain("bomb", fixed)}
	house := newFaultHouse(t, Definitions(t, sources), time.Hour)
	ids := map[string]string{}
	for connector := range sources {
		ids[connector] = house.ConnectAs(t, connector, "somebody", Ana)
	}
	for range 4 {
		if _, a := house.Door.Token(ids["warm"], "?force=true"); a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	house.sim.Fault(t, "huge", simulator.Fault{On: "refresh", Kind: simulator.FaultHuge})
	house.sim.Fault(t, "bomb", simulator.Fault{On: "refresh", Kind: simulator.FaultGzipBomb})
	before := house.PeakMemory()
	if before == 0 {
		t.Skip("this system does not tell the memory of a process")
	}
	for _, connector := range []string{"huge", "bomb"} {
		_, a := house.Door.Token(ids[connector], "?force=true")
		if a.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", connector, a.Status, a.Body)
		}
		if v := house.Connection(t, ids[connector]); !strings.Contains(v.Health.LastRefreshError, "too large") {
			t.Errorf("%s: the record says %+v", connector, v)
		}
	}
	grown := house.PeakMemory() - before
	t.Logf("the process had %d MiB at most, and %d KiB more after two answers of 64 MiB", before>>20, grown>>10)
	if grown > 20<<20 {
		t.Errorf("the process grew by %d MiB", grown>>20)
	}
}

// When a client secret stops being good, the provider hears of it a few times and not once for every
// connection. (P07, X08)
func TestARefusedAppIsFoundOutByAFewCalls(t *testing.T) {
	t.Parallel()
	house := newFaultHouse(t, Definitions(t, map[string]string{"locked": Plain("locked", rotating)}), 10*time.Second)
	house.sim.Fault(t, "locked", simulator.Fault{On: "refresh", Kind: simulator.FaultInvalidClient})
	const many = 40
	ids := make([]string, many)
	for k := range ids {
		ids[k] = house.ConnectAs(t, "locked", "user-"+strconv.Itoa(k), strconv.Itoa(1001+k))
	}
	time.Sleep(10 * time.Second)
	var s simulator.Stats
	house.sim.Stats(t, "locked", &s)
	t.Logf("%d connections were due, and the provider was asked %d times", many, s.Faulted)
	if s.Faulted == 0 || s.Faulted >= 10 {
		t.Errorf("the provider was asked %d times", s.Faulted)
	}
	for _, id := range ids {
		if v := house.Connection(t, id); v.Status != "active" {
			t.Errorf("%s is %s %s: connections are not to blame", id, v.Status, v.StatusReason)
		}
	}
}

// One connector's provider hangs with all its connections due; the tokens of others are served as ever.
// (N01, X02)
func TestAHangingProviderDoesNotSlowTheOthers(t *testing.T) {
	t.Parallel()
	house := newFaultHouse(t, Definitions(t, map[string]string{"slow": Plain("slow", rotating), "well": Plain("well", rotating)}), 5*time.Second,
		"DOWEL_REFRESH_POOL=16", "DOWEL_READ_WAIT=3s")
	var slow, well []string
	for k := range 30 {
		slow = append(slow, house.ConnectAs(t, "slow", "user-"+strconv.Itoa(k), strconv.Itoa(1001+k)))
	}
	for k := range 5 {
		well = append(well, house.ConnectAs(t, "well", "user-"+strconv.Itoa(k), strconv.Itoa(1001+k)))
	}
	// Beside every read something is asked that touches no connection: that is as slow as the machine is.
	read := func(d time.Duration) (took, idle []time.Duration) {
		for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			_, a := house.Door.Token(well[len(took)%len(well)], "")
			if a.Status != http.StatusOK {
				t.Errorf("a healthy connection: %d %s", a.Status, a.Body)
			}
			took, idle = append(took, a.Took), append(idle, house.Ask(http.MethodGet, "/healthz", nil, nil).Took)
		}
		return took, idle
	}
	before, _ := read(3 * time.Second)
	usual := percentile(before, 99)
	house.sim.Fault(t, "slow", simulator.Fault{On: "refresh", Kind: simulator.FaultDelay, Delay: time.Minute})
	time.Sleep(2 * time.Second)
	stop := make(chan struct{})
	var group sync.WaitGroup
	for k := range 10 {
		group.Go(func() { // readers of tokens that cannot be had
			for i := k; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
					house.Door.Token(slow[i%len(slow)], "")
				}
			}
		})
	}
	took, idle := read(10 * time.Second)
	close(stop)
	group.Wait()
	p50, p99, bare := percentile(took, 50), percentile(took, 99), percentile(idle, 99)
	t.Logf("%d reads of healthy connections: half within %v, 99 of 100 within %v; before the other provider hung, %v; what touches none, %v", len(took), p50, p99, usual, bare)
	if p99 > max(50*time.Millisecond, 4*usual, 4*bare) {
		t.Errorf("99 of 100 reads take up to %v", p99)
	}
	for _, id := range well {
		if v := house.Connection(t, id); v.Version < 2 || v.Health.Failures > 0 {
			t.Errorf("a healthy connection was not renewed in time: %+v", v)
		}
	}
}
