package mongotest

import (
	"github.com/256dpi/lungo/bsonkit"
	"go.mongodb.org/mongo-driver/bson"
)

// bound is what a filter says of one field that an index can use: the values it
// may have, or a range it lies in.
type bound struct {
	values       []any
	lower, upper any
}

// collectBounds notes what every match of filter must satisfy. It leaves out
// what it does not understand, which only makes the search wider.
func collectBounds(filter bson.D, bounds map[string]bound) {
	for _, element := range filter {
		if element.Key == "$and" {
			for _, part := range asArray(element.Value) {
				collectBounds(asDocument(part), bounds)
			}
			continue
		}
		if _, known := bounds[element.Key]; known || element.Key[:min(1, len(element.Key))] == "$" {
			continue
		}
		if found, ok := boundOf(element.Value); ok {
			bounds[element.Key] = found
		}
	}
}

func boundOf(value any) (bound, bool) {
	conditions, ok := value.(bson.D)
	if !ok || !hasOperators(conditions) {
		return bound{values: []any{value}}, isIndexable(value)
	}
	var found bound
	for _, condition := range conditions {
		switch condition.Key {
		case "$eq":
			return bound{values: []any{condition.Value}}, isIndexable(condition.Value)
		case "$in":
			values := asArray(condition.Value)
			for _, value := range values {
				if !isIndexable(value) {
					return bound{}, false
				}
			}
			if len(values) > 0 {
				return bound{values: values}, true
			}
		case "$lt", "$lte":
			if isIndexable(condition.Value) {
				found.upper = condition.Value
			}
		case "$gt", "$gte":
			if isIndexable(condition.Value) {
				found.lower = condition.Value
			}
		}
	}
	return found, found.lower != nil || found.upper != nil
}

// isIndexable leaves out null, which also matches missing fields, and arrays,
// which an index holds element by element.
func isIndexable(value any) bool {
	class, _ := bsonkit.Inspect(value)
	return class != bsonkit.Null && class != bsonkit.Array
}
