package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"

	"dowel/engine/storage"
)

// DueConnections implements storage.Connections. It walks the index of due connections in steps of
// limit documents; tenants that have had their share are left out of the next step, so one tenant's
// backlog does not hide the others.
func (s *Store) DueConnections(ctx context.Context, before time.Time, perTenant, limit int) ([]storage.Due, error) {
	if perTenant < 1 || perTenant > limit {
		perTenant = limit
	}
	var list []storage.Due
	var full bson.A
	share := map[string]int{}
	last := storage.Due{}
	for len(list) < limit {
		step, err := s.dueStep(ctx, before, last, full, limit)
		if err != nil {
			return nil, err
		}
		for _, due := range step {
			if share[due.Tenant]++; share[due.Tenant] > perTenant || len(list) == limit {
				continue
			}
			if share[due.Tenant] == perTenant {
				full = append(full, due.Tenant)
			}
			list = append(list, due)
		}
		if len(step) < limit {
			break
		}
		last = step[len(step)-1]
	}
	return list, nil
}

// dueStep reads the next due connections after last, none of them of the full tenants. The filter
// begins with when they are due, not with the tenant: the sweep is nobody's in particular.
func (s *Store) dueStep(
	ctx context.Context, before time.Time, last storage.Due, full bson.A, limit int,
) ([]storage.Due, error) {
	// From the last time on: the index is entered there. The zero time is before every other, and
	// null is no time.
	filter := bson.D{pair("due_at", bson.D{pair("$gte", last.At), pair("$lte", before)})}
	if last != (storage.Due{}) {
		filter = append(filter, after("$gt", pair("due_at", last.At), pair("tenant", last.Tenant), pair("id", last.ID)))
	}
	if len(full) > 0 {
		filter = append(filter, pair("tenant", bson.D{pair("$nin", full)}))
	}
	o := options.Find().
		SetSort(bson.D{pair("due_at", 1), pair("tenant", 1), pair("id", 1)}).
		SetProjection(bson.D{pair("tenant", 1), pair("id", 1), pair("version", 1), pair("connector", 1), pair("due_at", 1)}).
		SetLimit(int64(limit))
	var list []storage.Due
	err := each(ctx, s.connections.collection, filter, o, func(document bson.Raw) error {
		var due struct {
			Tenant, ID, Connector string
			Version               int64
			DueAt                 time.Time `bson:"due_at"`
		}
		err := bson.Unmarshal(document, &due)
		list = append(list, storage.Due{
			Ref: storage.Ref{Tenant: due.Tenant, ID: due.ID}, Version: due.Version, Connector: due.Connector, At: due.DueAt,
		})
		return err
	})
	return list, err
}
