package mongotest

import (
	"math"
	"time"

	"github.com/256dpi/lungo/bsonkit"
	"github.com/tidwall/btree"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// index finds records by the values of its columns. A record whose column holds
// an array is found under each element, as MongoDB's multikey indexes do.
type index struct {
	name        string
	columns     []bsonkit.Column
	unique      bool
	expireAfter *time.Duration
	specified   bson.D
	keys        *btree.BTreeG[indexKey]
}

// indexKey is one place in an index. One with fewer values than columns is a
// prefix to begin a scan at.
type indexKey struct {
	values   []any
	sequence int64
	record   *record
}

func newIndex(name string, columns []bsonkit.Column) *index {
	less := func(left, right indexKey) bool {
		if order := compareKeys(columns, left.values, right.values); order != 0 {
			return order < 0
		}
		return left.sequence < right.sequence
	}
	return &index{
		name:    name,
		columns: columns,
		keys:    btree.NewBTreeGOptions(less, btree.Options{NoLocks: true}),
	}
}

func compareKeys(columns []bsonkit.Column, left, right []any) int {
	for i := range min(len(left), len(right)) {
		order := bsonkit.Compare(left[i], right[i])
		if columns[i].Reverse {
			order = -order
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

func (i *index) add(r *record) {
	for _, values := range i.valuesOf(r) {
		i.keys.Set(indexKey{values: values, sequence: r.sequence, record: r})
	}
}

func (i *index) remove(r *record) {
	for _, values := range i.valuesOf(r) {
		i.keys.Delete(indexKey{values: values, sequence: r.sequence})
	}
}

// admits reports whether r may be stored beside what is there. A record does
// not stand in its own way.
func (i *index) admits(r *record) bool {
	if !i.unique {
		return true
	}
	for _, values := range i.valuesOf(r) {
		free := true
		i.scan(values, nil, func(other *record) bool {
			free = other.sequence == r.sequence
			return free
		})
		if !free {
			return false
		}
	}
	return true
}

// scan visits the records whose first columns equal prefix, in index order,
// from the value from onward in the column after it (nil: from its start).
func (i *index) scan(prefix []any, from any, visit func(*record) bool) {
	start := prefix
	if from != nil {
		start = append(prefix[:len(prefix):len(prefix)], from)
	}
	i.keys.Ascend(indexKey{values: start, sequence: math.MinInt64}, func(key indexKey) bool {
		return compareKeys(i.columns, key.values, prefix) == 0 && visit(key.record)
	})
}

// scanUntil is scan with an end: upper is the last value visited in the column
// after prefix.
func (i *index) scanUntil(prefix []any, upper any, visit func(*record) bool) {
	end := append(prefix[:len(prefix):len(prefix)], upper)
	i.keys.Ascend(indexKey{values: prefix, sequence: math.MinInt64}, func(key indexKey) bool {
		return compareKeys(i.columns, key.values, prefix) == 0 && compareKeys(i.columns, key.values, end) <= 0 && visit(key.record)
	})
}

// datesUpTo lists the records whose only column holds a date no later than
// limit.
func (i *index) datesUpTo(limit primitive.DateTime) []*record {
	var due []*record
	i.keys.Ascend(indexKey{values: []any{primitive.DateTime(math.MinInt64)}, sequence: math.MinInt64}, func(key indexKey) bool {
		date, ok := key.values[0].(primitive.DateTime)
		if !ok || date > limit {
			return false
		}
		due = append(due, key.record)
		return true
	})
	return due
}

// valuesOf lists the keys of a record: one, or one per combination of array
// elements.
func (i *index) valuesOf(r *record) [][]any {
	keys := [][]any{make([]any, 0, len(i.columns))}
	for _, column := range i.columns {
		value, _ := bsonkit.All(r.document, column.Path, true, true)
		elements := []any{value}
		if array, ok := value.(bson.A); ok && len(array) > 0 {
			elements = array
		}
		longer := make([][]any, 0, len(keys)*len(elements))
		for _, key := range keys {
			for _, element := range elements {
				longer = append(longer, append(key[:len(key):len(key)], element))
			}
		}
		keys = longer
	}
	return keys
}
