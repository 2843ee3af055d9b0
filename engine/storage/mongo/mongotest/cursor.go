package mongotest

import (
	"sync"

	"github.com/256dpi/lungo/bsonkit"
	"go.mongodb.org/mongo-driver/bson"
)

const firstBatch = 101

// cursors are the results not yet fetched. A result is what it was when it was
// found; later writes do not show in it.
type cursors struct {
	mutex sync.Mutex
	last  int64
	open  map[int64]*cursor
}

type cursor struct {
	namespace string
	rest      []bson.Raw
}

// take cuts off as many documents as were asked for and fit into a message.
func (c *cursor) take(wanted int64) []bson.Raw {
	size, count := 0, 0
	for count < len(c.rest) && (wanted <= 0 || int64(count) < wanted) {
		size += len(c.rest[count])
		if count > 0 && size > maxDocument {
			break
		}
		count++
	}
	taken := c.rest[:count]
	c.rest = c.rest[count:]
	return taken
}

// first answers with the first batch, and keeps the rest under a new id.
func (c *cursors) first(request command, namespace string, documents bsonkit.List) (bson.D, error) {
	opened := &cursor{namespace: namespace, rest: make([]bson.Raw, 0, len(documents))}
	for _, document := range documents {
		raw, err := bson.Marshal(document)
		if err != nil {
			return nil, err
		}
		opened.rest = append(opened.rest, raw)
	}
	wanted := asNumber(request.get("batchSize"))
	if wanted == 0 {
		wanted = asNumber(field(request.document("cursor"), "batchSize"))
	}
	if wanted == 0 {
		wanted = firstBatch
	}
	batch := opened.take(wanted)
	var id int64
	if len(opened.rest) > 0 && !asTruth(request.get("singleBatch")) {
		c.mutex.Lock()
		c.last++
		id = c.last
		c.open[id] = opened
		c.mutex.Unlock()
	}
	return cursorReply("firstBatch", batch, id, namespace), nil
}

func (c *cursors) more(request command) (bson.D, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	id := asNumber(request.arguments[0].Value)
	opened := c.open[id]
	if opened == nil {
		return nil, refuse(codeCursorNotFound, "cursor id %d not found", id)
	}
	batch := opened.take(asNumber(request.get("batchSize")))
	if len(opened.rest) == 0 {
		delete(c.open, id)
		id = 0
	}
	return cursorReply("nextBatch", batch, id, opened.namespace), nil
}

func (c *cursors) kill(request command) (bson.D, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	killed := asArray(request.get("cursors"))
	for _, id := range killed {
		delete(c.open, asNumber(id))
	}
	return bson.D{{Key: "cursorsKilled", Value: killed}}, nil
}

func cursorReply(kind string, batch []bson.Raw, id int64, namespace string) bson.D {
	return bson.D{{Key: "cursor", Value: bson.D{
		{Key: kind, Value: batch},
		{Key: "id", Value: id},
		{Key: "ns", Value: namespace},
	}}}
}
