package mongotest

import (
	"slices"

	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

// query is a filter and what is to be done with the documents it finds. A limit
// of zero is no limit.
type query struct {
	filter, sort bson.D
	skip, limit  int64
}

// find lists the matching records: sorted, or in the order the index chosen
// gives them, which is natural order when there is none.
func (c *collection) find(q query) ([]*record, error) {
	var found []*record
	var failed error
	enough := int64(-1)
	if len(q.sort) == 0 && q.limit > 0 {
		enough = q.skip + q.limit
	}
	c.candidates(q.filter, func(r *record) bool {
		matches, err := mongokit.Match(r.document, &q.filter)
		if err != nil {
			failed = err
			return false
		}
		if matches {
			found = append(found, r)
		}
		return int64(len(found)) != enough
	})
	if failed != nil {
		return nil, failed
	}
	if len(q.sort) > 0 {
		columns, err := mongokit.Columns(&q.sort)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(found, func(left, right *record) int {
			return bsonkit.Order(left.document, right.document, columns, false)
		})
	}
	found = found[min(q.skip, int64(len(found))):]
	if q.limit > 0 {
		found = found[:min(q.limit, int64(len(found)))]
	}
	return found, nil
}

// candidates visits, each once, at least the records that match filter: by the
// index that narrows most, or all of them.
func (c *collection) candidates(filter bson.D, visit func(*record) bool) {
	bounds := map[string]bound{}
	collectBounds(filter, bounds)
	var best *index
	var bestScore int
	for _, index := range c.indexes {
		if score := index.score(bounds); score > bestScore {
			best, bestScore = index, score
		}
	}
	if best == nil {
		c.each(visit)
		return
	}
	best.visit(bounds, visit)
}

// score says how well an index serves: two for each leading column with a known
// value, one for a range on the column after them.
func (i *index) score(bounds map[string]bound) int {
	score := 0
	for _, column := range i.columns {
		limit, ok := bounds[column.Path]
		if !ok {
			return score
		}
		if len(limit.values) != 1 {
			return score + 1
		}
		score += 2
	}
	return score
}

func (i *index) visit(bounds map[string]bound, visit func(*record) bool) {
	var prefix []any
	var last bound
	for _, column := range i.columns {
		last = bounds[column.Path]
		if len(last.values) != 1 {
			break
		}
		prefix, last = append(prefix, last.values[0]), bound{}
	}
	seen := map[int64]bool{}
	once := func(r *record) bool {
		if seen[r.sequence] {
			return true
		}
		seen[r.sequence] = true
		return visit(r)
	}
	if len(last.values) == 0 {
		i.visitRange(prefix, last, once)
		return
	}
	more := true
	for _, value := range last.values {
		i.scan(append(prefix[:len(prefix):len(prefix)], value), nil, func(r *record) bool {
			more = once(r)
			return more
		})
		if !more {
			return
		}
	}
}

// visitRange uses one end of a range only: an array may satisfy both ends with
// different elements.
func (i *index) visitRange(prefix []any, limit bound, visit func(*record) bool) {
	if limit.upper == nil && limit.lower == nil || i.columns[len(prefix)].Reverse {
		i.scan(prefix, nil, visit)
		return
	}
	if limit.upper == nil {
		i.scan(prefix, limit.lower, visit)
		return
	}
	i.scanUntil(prefix, limit.upper, visit)
}
