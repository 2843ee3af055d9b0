package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"dowel/engine/audit"
	"dowel/engine/secret"
	"dowel/engine/storage"
)

// flowBody is a storage.Flow as it is written.
type flowBody struct {
	storage.Ref      `json:"-"`
	Revision         int64              `json:"-"`
	StateHash        string             `json:"state_hash,omitzero"`
	BrowserHash      string             `json:"browser_hash,omitzero"`
	Intent           string             `json:"intent,omitzero"`
	Connector        string             `json:"connector,omitzero"`
	ConnectorVersion string             `json:"connector_version,omitzero"`
	Auth             string             `json:"auth,omitzero"`
	App              string             `json:"app,omitzero"`
	EndUser          string             `json:"end_user,omitzero"`
	Target           string             `json:"target,omitzero"`
	Session          string             `json:"session,omitzero"`
	Pending          secret.Sealed      `json:"-"`
	Status           storage.FlowStatus `json:"-"`
	Step             string             `json:"step,omitzero"`
	PollAt           time.Time          `json:"poll_at,omitzero"`
	Result           string             `json:"result,omitzero"`
	Code             string             `json:"code,omitzero"`
	Message          string             `json:"message,omitzero"`
	Reference        string             `json:"reference,omitzero"`
	Provider         string             `json:"provider,omitzero"`
	ProviderCode     string             `json:"provider_code,omitzero"`
	Warnings         []string           `json:"warnings,omitempty"`
	ReturnURL        string             `json:"return_url,omitzero"`
	OpenerOrigin     string             `json:"opener_origin,omitzero"`
	Outbox           []audit.Event      `json:"-"`
	CreatedAt        time.Time          `json:"created_at,omitzero"`
	ExpiresAt        time.Time          `json:"expires_at,omitzero"`
}

func flows() *kind[storage.Flow] {
	return &kind[storage.Flow]{
		name: "flow", table: "flows",
		ref:        func(f *storage.Flow) *storage.Ref { return &f.Ref },
		revision:   func(f *storage.Flow) *int64 { return &f.Revision },
		outbox:     func(f *storage.Flow) *[]audit.Event { return &f.Outbox },
		encode:     func(f *storage.Flow) ([]byte, error) { return json.Marshal((*flowBody)(f)) },
		decode:     func(b []byte, f *storage.Flow) error { return json.Unmarshal(b, (*flowBody)(f)) },
		times:      func(f *storage.Flow) []*time.Time { return []*time.Time{&f.CreatedAt, &f.ExpiresAt, &f.PollAt} },
		kept:       []string{"pending", "status"},
		keptFields: func(f *storage.Flow) []any { return []any{(*[]byte)(&f.Pending), (*string)(&f.Status)} },
		found:      []string{"state_hash", "expires_at"},
		foundValues: func(f *storage.Flow) []any {
			return []any{f.StateHash, millis(f.ExpiresAt)}
		},
	}
}

// CreateFlow implements storage.Flows.
func (s *Store) CreateFlow(ctx context.Context, f storage.Flow) error {
	return s.flows.create(ctx, s, f)
}

// TakeFlow implements storage.Flows.
func (s *Store) TakeFlow(ctx context.Context, stateHash string, now time.Time) (storage.Flow, error) {
	return s.flows.returning(ctx, s, "UPDATE flows SET status = ?, revision = revision + 1"+
		" WHERE state_hash = ? AND status = ? AND expires_at > ? AND format <= ? RETURNING "+s.flows.columns(),
		string(storage.FlowTaken), stateHash, string(storage.FlowPending), now.UnixMilli(), format)
}

// FlowByState implements storage.Flows.
func (s *Store) FlowByState(ctx context.Context, stateHash string) (storage.Flow, error) {
	return s.flows.get(ctx, s, "state_hash = ?", stateHash)
}

// Flow implements storage.Flows.
func (s *Store) Flow(ctx context.Context, r storage.Ref) (storage.Flow, error) {
	return s.flows.byRef(ctx, s, r)
}

// UpdateFlow implements storage.Flows.
func (s *Store) UpdateFlow(ctx context.Context, r storage.Ref, change func(*storage.Flow) error) (storage.Flow, error) {
	return s.flows.update(ctx, s, r, change)
}

// SweepFlows implements storage.Flows.
func (s *Store) SweepFlows(ctx context.Context, before time.Time) (int, error) {
	return s.sweep(ctx, "DELETE FROM flows WHERE expires_at < ? AND outbox_at IS NULL", before)
}

// CountPendingFlows implements storage.Flows.
func (s *Store) CountPendingFlows(ctx context.Context, tenant string, now time.Time) (int, error) {
	var count int
	err := s.readRow(ctx, "SELECT count(*) FROM flows WHERE tenant = ? AND status = 'pending' AND expires_at > ?",
		[]any{tenant, now.UnixMilli()}, &count)
	return count, failure(err)
}

// sweep runs a statement that deletes what expired before the given time. Records whose events are
// still to be told are left for the next time.
func (s *Store) sweep(ctx context.Context, query string, before time.Time) (int, error) {
	removed := make(chan int64, 1)
	err := s.write(ctx, func(tx *transaction) error {
		count, err := tx.exec(query, before.UnixMilli())
		removed <- count
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(<-removed), nil
}
