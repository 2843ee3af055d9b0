package flow

import "dowel/engine/storage"

// Status is where a flow stands.
type Status = storage.FlowStatus

// The statuses a Progress can have.
const (
	Pending = storage.FlowPending
	Done    = storage.FlowDone
	Failed  = storage.FlowFailed
)
