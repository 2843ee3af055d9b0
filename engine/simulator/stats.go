package simulator

import (
	"maps"
	"time"
)

// Stats is what has happened at one simulated provider.
type Stats struct {
	Authorize  int            `json:"authorize"` // consent pages shown
	Allowed    int            `json:"allowed"`
	Denied     int            `json:"denied"`
	Token      map[string]int `json:"token"`   // token requests by grant type, "login" among them
	Refused    map[string]int `json:"refused"` // refusals by error code
	Refreshed  int            `json:"refreshed"`
	Calls      int            `json:"calls"` // API calls with a good credential
	Revoked    int            `json:"revoked"`
	Metadata   int            `json:"metadata"`   // documents about the provider that were read
	Registered int            `json:"registered"` // apps that registered themselves
	// Introspected counts answered questions about tokens.
	Introspected int `json:"introspected"`
	// ReuseDetected counts refresh tokens shown again, FamiliesRevoked the grants this ended.
	ReuseDetected   int `json:"reuse_detected"`
	FamiliesRevoked int `json:"families_revoked"`
	// MaxParallel is the most renewals of one grant that were under way at once.
	MaxParallel int `json:"max_parallel"`
	// Faulted counts requests that a fault has hit.
	Faulted int `json:"faulted"`
	// Lost counts answers that were decided and did not reach the client, as far as can be told.
	Lost   int        `json:"lost"`
	Grants []GrantLog `json:"grants"`
}

// GrantLog is what has happened to one grant.
type GrantLog struct {
	ID          string    `json:"id"`
	Account     string    `json:"account"`
	At          time.Time `json:"at"`
	Refreshed   int       `json:"refreshed"`
	RefreshedAt time.Time `json:"refreshed_at"` // when the last renewal was decided
	Reused      int       `json:"reused"`
	Lost        int       `json:"lost"`
	Revoked     bool      `json:"revoked"`
	MaxParallel int       `json:"max_parallel"`
}

// statsOf returns the counters of a connector; s.mu is held.
func (s *Simulator) statsOf(connectorID string) *Stats {
	st := s.stats[connectorID]
	if st == nil {
		st = &Stats{Token: map[string]int{}, Refused: map[string]int{}}
		s.stats[connectorID] = st
	}
	return st
}

// Stats returns what has happened at the provider of a connector since the last Reset.
func (s *Simulator) Stats(connectorID string) Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := *s.statsOf(connectorID)
	out.Token, out.Refused = maps.Clone(out.Token), maps.Clone(out.Refused)
	for _, g := range s.grants[connectorID] {
		out.Grants = append(out.Grants, *g.log)
	}
	return out
}

// Reset forgets the counters and faults of a connector; grants and tokens stay.
func (s *Simulator) Reset(connectorID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.stats, connectorID)
	delete(s.faults, connectorID)
	for _, g := range s.grants[connectorID] {
		g.log.Refreshed, g.log.Reused, g.log.Lost, g.log.MaxParallel = 0, 0, 0, 0
	}
}

// count changes the counters of the connector c is for.
func (c *call) count(change func(*Stats)) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	change(c.s.statsOf(c.connector.ID))
}
