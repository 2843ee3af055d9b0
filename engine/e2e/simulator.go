package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// Simulator is one process of `dowel simulator`, whose faults and statistics are at hand.
type Simulator struct {
	*process
	URL string
}

// StartSimulator runs the simulated providers for instances whose public URL is given.
func StartSimulator(tb testing.TB, publicURL string, flags ...string) *Simulator {
	tb.Helper()
	return StartSimulatorWith(tb, nil, publicURL, flags...)
}

// StartSimulatorWith is StartSimulator with settings of the process ("DOWEL_CONNECTORS_DIR=…").
func StartSimulatorWith(tb testing.TB, env []string, publicURL string, flags ...string) *Simulator {
	tb.Helper()
	s := &Simulator{}
	s.process, s.URL = start(tb, &logFile{}, env, append([]string{"simulator", "--control", "--redirect-uri", publicURL + "/callback"}, flags...)...)
	tb.Cleanup(s.Kill)
	return s
}

// Fault sets faults of one provider; see simulator.Fault for their JSON.
func (s *Simulator) Fault(tb testing.TB, connector string, faults any) {
	tb.Helper()
	b, err := json.Marshal(faults)
	if err != nil {
		tb.Fatal(err)
	}
	s.control(tb, http.MethodPost, connector, b)
}

// Heal clears the faults of one provider.
func (s *Simulator) Heal(tb testing.TB, connector string) {
	tb.Helper()
	s.control(tb, http.MethodDelete, connector, nil)
}

// Stats reads what one provider has seen.
func (s *Simulator) Stats(tb testing.TB, connector string, v any) {
	tb.Helper()
	if err := json.Unmarshal(s.control(tb, http.MethodGet, connector+"/stats", nil), v); err != nil {
		tb.Fatal(err)
	}
}

// Accepts shows a token to the provider of a Plain definition and reports whether it is good there.
func (s *Simulator) Accepts(token Token) bool {
	address := s.URL + "/" + token.Connector + "/" + token.Connector + ".example.com/api/me"
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer "+token.AccessToken)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func (s *Simulator) control(tb testing.TB, method, path string, body []byte) []byte {
	tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, s.URL+"/_control/"+path, bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		tb.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, b, err)
	}
	return b
}
