package mongotest

import (
	"sync"
	"time"
)

// Failure makes the next Times commands named Command go wrong; an empty
// Command means any of them, except hello.
type Failure struct {
	Command string
	// Code is the server error answered instead of running the command. With
	// zero the connection is dropped unanswered.
	Code int32
	// AfterRunning, with Code zero, runs the command first: it was done, and
	// the caller does not hear of it.
	AfterRunning bool
	// Times is how often; zero means once.
	Times int
}

// Faults is what goes wrong at present. It is safe for concurrent use.
type Faults struct {
	mutex    sync.Mutex
	latency  time.Duration
	offset   time.Duration
	failures []Failure
}

// fault is what goes wrong with one command.
type fault struct {
	latency    time.Duration
	code       int32
	dropBefore bool
	dropAfter  bool
}

// SetLatency makes every command but hello wait before it runs.
func (f *Faults) SetLatency(latency time.Duration) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.latency = latency
}

// SetClockOffset moves the clock that hello.localTime shows.
func (f *Faults) SetClockOffset(offset time.Duration) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.offset = offset
}

// Fail adds a failure behind those still to happen.
func (f *Faults) Fail(failure Failure) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	failure.Times = max(failure.Times, 1)
	f.failures = append(f.failures, failure)
}

// Reset ends latency, clock offset and all failures.
func (f *Faults) Reset() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.latency, f.offset, f.failures = 0, 0, nil
}

func (f *Faults) clockOffset() time.Duration {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.offset
}

// next takes what is to go wrong with this command.
func (f *Faults) next(command string) fault {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	happens := fault{latency: f.latency}
	for i := range f.failures {
		failure := &f.failures[i]
		if failure.Times == 0 || failure.Command != "" && failure.Command != command {
			continue
		}
		failure.Times--
		happens.code = failure.Code
		happens.dropBefore = failure.Code == 0 && !failure.AfterRunning
		happens.dropAfter = failure.Code == 0 && failure.AfterRunning
		break
	}
	return happens
}
