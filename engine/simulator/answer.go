package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// answer is what a simulated provider is about to say.
type answer struct {
	status int
	header http.Header
	body   []byte
	// grant is what the answer gave something new to; nil if nothing.
	grant *grant
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
}

func (a *answer) write(w http.ResponseWriter) {
	copyHeader(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client has gone; nobody is left to tell
}

func copyHeader(to, from http.Header) {
	for k, v := range from {
		to[k] = v
	}
}

func (a *answer) set(name, value string) *answer {
	a.header.Set(name, value)
	return a
}

func jsonAnswer(status int, body any) *answer {
	b, err := json.Marshal(body)
	if err != nil {
		return plain(http.StatusInternalServerError, err.Error())
	}
	// RFC 6749 §5.1: answers with tokens must not be stored.
	return (&answer{status: status, header: http.Header{}, body: b}).
		set("Content-Type", "application/json").set("Cache-Control", "no-store")
}

func plain(status int, text string) *answer {
	return (&answer{status: status, header: http.Header{}, body: []byte(text + "\n")}).
		set("Content-Type", "text/plain; charset=utf-8")
}

// problem is why a request is refused, in the words of RFC 6749 §5.2.
type problem struct {
	code, description string
	status            int
}

func (p *problem) Error() string { return p.code + ": " + p.description }

func refuse(code, description string) *problem {
	status := http.StatusBadRequest
	if code == "invalid_client" || code == "invalid_token" {
		status = http.StatusUnauthorized
	}
	return &problem{code, description, status}
}
