package sqlite

import (
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"dowel/engine/audit"
)

// moment is a time in a column: milliseconds, and 0 for the zero time.
type moment time.Time

var _ sql.Scanner = (*moment)(nil)

// Scan implements sql.Scanner.
func (m *moment) Scan(value any) error {
	ms, _ := value.(int64)
	if ms == 0 {
		*m = moment{}
		return nil
	}
	*m = moment(time.UnixMilli(ms).UTC())
	return nil
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// read returns what the fields point to, as it is written to a column.
func read(fields []any) []any {
	values := make([]any, len(fields))
	for i, field := range fields {
		switch field := field.(type) {
		case *[]byte:
			if len(*field) > 0 {
				values[i] = *field
			}
		case *string:
			values[i] = *field
		case *int64:
			values[i] = *field
		case *moment:
			values[i] = millis(time.Time(*field))
		}
	}
	return values
}

// encodeOutbox returns the outbox for its column, and the time of its oldest event; both are NULL if
// there is none.
func encodeOutbox(events []audit.Event) (outbox, oldest any, err error) {
	if len(events) == 0 {
		return nil, nil, nil
	}
	events = slices.Clone(events)
	for i := range events {
		events[i].At = events[i].At.UTC().Truncate(time.Millisecond)
	}
	encoded, err := json.Marshal(events)
	return encoded, millis(events[0].At), err
}
