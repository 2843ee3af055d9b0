package mongotest

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Control lets another process set the faults over HTTP:
//
//	POST /latency?ms=N
//	POST /clock?ms=N
//	POST /fail?command=NAME&code=N&times=N&after=BOOL
//	POST /reset
//
// Each answers 204, or 400 with the reason.
func (f *Faults) Control() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("POST /latency", func(w http.ResponseWriter, r *http.Request) {
		withMilliseconds(w, r, f.SetLatency)
	})
	routes.HandleFunc("POST /clock", func(w http.ResponseWriter, r *http.Request) {
		withMilliseconds(w, r, f.SetClockOffset)
	})
	routes.HandleFunc("POST /reset", func(w http.ResponseWriter, _ *http.Request) {
		f.Reset()
		w.WriteHeader(http.StatusNoContent)
	})
	routes.HandleFunc("POST /fail", func(w http.ResponseWriter, r *http.Request) {
		failure, err := failureOf(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		f.Fail(failure)
		w.WriteHeader(http.StatusNoContent)
	})
	return routes
}

func withMilliseconds(w http.ResponseWriter, r *http.Request, set func(time.Duration)) {
	milliseconds, err := strconv.ParseInt(r.FormValue("ms"), 10, 64)
	if err != nil {
		http.Error(w, fmt.Sprintf("ms: %v", err), http.StatusBadRequest)
		return
	}
	set(time.Duration(milliseconds) * time.Millisecond)
	w.WriteHeader(http.StatusNoContent)
}

func failureOf(r *http.Request) (Failure, error) {
	failure := Failure{Command: r.FormValue("command")}
	if text := r.FormValue("code"); text != "" {
		code, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return Failure{}, fmt.Errorf("code: %w", err)
		}
		failure.Code = int32(code)
	}
	if text := r.FormValue("times"); text != "" {
		times, err := strconv.Atoi(text)
		if err != nil {
			return Failure{}, fmt.Errorf("times: %w", err)
		}
		failure.Times = times
	}
	if text := r.FormValue("after"); text != "" {
		after, err := strconv.ParseBool(text)
		if err != nil {
			return Failure{}, fmt.Errorf("after: %w", err)
		}
		failure.AfterRunning = after
	}
	return failure, nil
}
