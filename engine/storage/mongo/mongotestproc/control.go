package mongotestproc

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// controlTimeout bounds a call to the fault control; a paused process does not
// answer one.
const controlTimeout = 5 * time.Second

// Latency makes every command but hello wait before it runs, from now on.
func (p *Process) Latency(latency time.Duration) {
	p.t.Helper()
	p.post("/latency", url.Values{"ms": {strconv.FormatInt(latency.Milliseconds(), 10)}})
}

// ClockOffset moves the server's clock, as hello.localTime shows it, away from
// the machine's.
func (p *Process) ClockOffset(offset time.Duration) {
	p.t.Helper()
	p.post("/clock", url.Values{"ms": {strconv.FormatInt(offset.Milliseconds(), 10)}})
}

// Fail refuses the next commands of this name (as on the wire: "find",
// "insert", "update", "delete", "findAndModify", "aggregate"; empty for any)
// with a server error code, so many times. A driver repeats a write by itself
// once after a retryable code, such as 11602 or 189.
func (p *Process) Fail(command string, code, times int) {
	p.t.Helper()
	p.post("/fail", url.Values{"command": {command}, "code": {strconv.Itoa(code)}, "times": {strconv.Itoa(times)}})
}

// Drop closes the connection instead of running the next commands of this name.
func (p *Process) Drop(command string, times int) {
	p.t.Helper()
	p.post("/fail", url.Values{"command": {command}, "times": {strconv.Itoa(times)}})
}

// LoseAnswer runs the next commands of this name and closes the connection
// instead of answering.
func (p *Process) LoseAnswer(command string, times int) {
	p.t.Helper()
	p.post("/fail", url.Values{"command": {command}, "times": {strconv.Itoa(times)}, "after": {"true"}})
}

// Heal ends latency, clock offset and all failures still to come.
func (p *Process) Heal() {
	p.t.Helper()
	p.post("/reset", nil)
}

func (p *Process) post(path string, query url.Values) {
	p.t.Helper()
	p.mutex.Lock()
	control := p.control
	p.mutex.Unlock()
	if control == "" {
		p.t.Errorf("mongotest%s: it does not run", path)
		return
	}
	if err := post(control + path + "?" + query.Encode()); err != nil {
		p.t.Errorf("mongotest%s: %v", path, err)
	}
}

func post(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), controlTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, nil)
	if err != nil {
		return err
	}
	// Its own transport, closed after use: no connection is left for a leak
	// check to find.
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		reason, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		return fmt.Errorf("%s: %s", answer.Status, reason)
	}
	return nil
}
