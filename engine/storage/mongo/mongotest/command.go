package mongotest

import (
	"bytes"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// field is the value of key in document, nil when it is not there.
func field(document bson.D, key string) any {
	for _, element := range document {
		if element.Key == key {
			return element.Value
		}
	}
	return nil
}

func asText(value any) string     { text, _ := value.(string); return text }
func asDocument(value any) bson.D { document, _ := value.(bson.D); return document }
func asArray(value any) bson.A    { array, _ := value.(bson.A); return array }

func asNumber(value any) int64 {
	switch number := value.(type) {
	case int32:
		return int64(number)
	case int64:
		return number
	case float64:
		return int64(number)
	}
	return 0
}

func asTruth(value any) bool {
	if truth, ok := value.(bool); ok {
		return truth
	}
	return asNumber(value) != 0
}

// command is a request whose meaning is known: its name is the first key, its
// collection the value there.
type command struct {
	name      string
	database  string
	arguments bson.D
}

func newCommand(arguments bson.D) command {
	return command{name: arguments[0].Key, database: asText(field(arguments, "$db")), arguments: arguments}
}

func (c command) get(key string) any          { return field(c.arguments, key) }
func (c command) document(key string) bson.D  { return asDocument(c.get(key)) }
func (c command) collection() string          { return asText(c.arguments[0].Value) }
func (c command) namespace() string           { return c.database + "." + c.collection() }
func (c command) inDatabase(name string) bool { return strings.HasPrefix(name, c.database+".") }
func (c command) isOrdered() bool {
	ordered := c.get("ordered")
	return ordered == nil || asTruth(ordered)
}

func (c command) retryNumber() (int64, bool) {
	number, ok := c.get("txnNumber").(int64)
	return number, ok
}

func (c command) session() (id string, ok bool) {
	binary, ok := field(c.document("lsid"), "id").(primitive.Binary)
	return string(binary.Data), ok
}

// hasOperators reports whether an update is made of operators; otherwise it is
// a whole new document.
func hasOperators(update bson.D) bool {
	return len(update) > 0 && strings.HasPrefix(update[0].Key, "$")
}

// sameBytes is MongoDB's notion of an unchanged document.
func sameBytes(left, right bson.D) bool {
	leftBytes, leftErr := bson.Marshal(left)
	rightBytes, rightErr := bson.Marshal(right)
	return leftErr == nil && rightErr == nil && bytes.Equal(leftBytes, rightBytes)
}
