package mongotest

import (
	"math"

	"github.com/256dpi/lungo/bsonkit"
	"github.com/tidwall/btree"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// record is one stored document. The sequence is its place in natural order and
// stays while the document changes.
type record struct {
	sequence int64
	document bsonkit.Doc
}

// collection is documents in the order they came, and their indexes; the first
// index is always the one on _id.
type collection struct {
	namespace string
	records   btree.Map[int64, *record]
	indexes   []*index
	journal   *journal
}

func newCollection(namespace string, journal *journal) *collection {
	byID := newIndex("_id_", []bsonkit.Column{{Path: "_id"}})
	byID.unique = true
	return &collection{namespace: namespace, indexes: []*index{byID}, journal: journal}
}

// insert stores a new document, giving it an _id when it has none.
func (c *collection) insert(document bson.D) (*record, error) {
	if bsonkit.Get(&document, "_id") == bsonkit.Missing {
		document = append(bson.D{{Key: "_id", Value: primitive.NewObjectID()}}, document...)
	}
	last, _, _ := c.records.Max()
	added := &record{sequence: last + 1, document: &document}
	if err := c.check(added); err != nil {
		return nil, err
	}
	c.put(added)
	return added, nil
}

// replace stores document in the place of old, under the same _id.
func (c *collection) replace(old *record, document bson.D) (*record, error) {
	if bsonkit.Compare(bsonkit.Get(old.document, "_id"), bsonkit.Get(&document, "_id")) != 0 {
		return nil, refuse(codeImmutableField, "the field '_id' is immutable")
	}
	changed := &record{sequence: old.sequence, document: &document}
	if err := c.check(changed); err != nil {
		return nil, err
	}
	c.forget(old)
	c.put(changed)
	return changed, nil
}

func (c *collection) remove(old *record) {
	c.forget(old)
	c.journal.append(entry{Operation: "remove", Namespace: c.namespace, Sequence: old.sequence})
}

// check looks before anything is changed, so that a refused write leaves
// nothing behind.
func (c *collection) check(r *record) error {
	raw, err := bson.Marshal(r.document)
	if err != nil {
		return err
	}
	if len(raw) > maxDocument {
		return refuse(codeTooLarge, "document of %d bytes is larger than %d", len(raw), maxDocument)
	}
	for _, index := range c.indexes {
		if !index.admits(r) {
			return refuse(codeDuplicateKey, "E11000 duplicate key error collection: %s index: %s", c.namespace, index.name)
		}
	}
	return nil
}

func (c *collection) put(r *record) {
	c.records.Set(r.sequence, r)
	for _, index := range c.indexes {
		index.add(r)
	}
	c.journal.append(entry{Operation: "put", Namespace: c.namespace, Sequence: r.sequence, Document: *r.document})
}

func (c *collection) forget(r *record) {
	c.records.Delete(r.sequence)
	for _, index := range c.indexes {
		index.remove(r)
	}
}

// each visits all records in natural order until visit reports false.
func (c *collection) each(visit func(*record) bool) {
	c.records.Ascend(math.MinInt64, func(_ int64, r *record) bool { return visit(r) })
}
