package mongotest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

func TestFilters(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_500).UTC()
	_, collection := startServer(t, Options{})
	mustInsert(t, collection,
		bson.D{{Key: "_id", Value: "before"}, {Key: "tenant", Value: "t1"}, {Key: "lease", Value: bson.D{{Key: "until", Value: now.Add(-time.Millisecond)}}}},
		bson.D{{Key: "_id", Value: "exact"}, {Key: "tenant", Value: "t1"}, {Key: "lease", Value: bson.D{{Key: "until", Value: now}}}},
		bson.D{{Key: "_id", Value: "after"}, {Key: "tenant", Value: "t1"}, {Key: "lease", Value: bson.D{{Key: "until", Value: now.Add(time.Millisecond)}}}},
		bson.D{{Key: "_id", Value: "free"}, {Key: "tenant", Value: "t1"}, {Key: "outbox", Value: events("1", "2")}},
		bson.D{{Key: "_id", Value: "null"}, {Key: "tenant", Value: "t2"}, {Key: "lease", Value: nil}, {Key: "outbox", Value: bson.A{}}},
		bson.D{{Key: "_id", Value: "text"}, {Key: "tenant", Value: "t2"}, {Key: "lease", Value: bson.D{{Key: "until", Value: "soon"}}}},
	)
	until := func(operator string) bson.D {
		return bson.D{{Key: "lease.until", Value: bson.D{{Key: operator, Value: now}}}}
	}
	exists := func(path string, exists bool) bson.D {
		return bson.D{{Key: path, Value: bson.D{{Key: "$exists", Value: exists}}}}
	}
	tests := []struct {
		name   string
		filter bson.D
		want   []string
	}{
		{"equal", bson.D{{Key: "lease.until", Value: now}}, []string{"exact"}},
		{"$lt is exact to the millisecond and keeps to dates", until("$lt"), []string{"before"}},
		{"$lte", until("$lte"), []string{"before", "exact"}},
		{"$gt", until("$gt"), []string{"after"}},
		{"$gte", until("$gte"), []string{"after", "exact"}},
		{"$in", bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: bson.A{"free", "null", "gone"}}}}}, []string{"free", "null"}},
		{"$or", bson.D{{Key: "tenant", Value: "t1"}, {Key: "$or", Value: bson.A{until("$lte"), exists("lease.until", false)}}}, []string{"before", "exact", "free"}},
		{"not exists", exists("lease.until", false), []string{"free", "null"}},
		{"exists inside an array", exists("outbox.id", true), []string{"free"}},
		{"first element exists", exists("outbox.0", true), []string{"free"}},
		{"inside an array", bson.D{{Key: "outbox.id", Value: "2"}}, []string{"free"}},
		{"equal null matches missing", bson.D{{Key: "lease", Value: nil}}, []string{"free", "null"}},
		{"range", bson.D{{Key: "lease.until", Value: bson.D{{Key: "$gte", Value: now}, {Key: "$lt", Value: now.Add(time.Millisecond)}}}}, []string{"exact"}},
	}
	for _, indexed := range []bool{false, true} {
		if indexed {
			mustIndex(t, collection, bson.D{{Key: "lease.until", Value: 1}}, nil)
			mustIndex(t, collection, bson.D{{Key: "outbox.id", Value: 1}}, nil)
		}
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s, indexed %v", tt.name, indexed), func(t *testing.T) {
				if got := findIDs(t, collection, tt.filter, options.Find()); !slices.Equal(slices.Sorted(slices.Values(got)), tt.want) {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			})
		}
	}
}

func findIDs(t *testing.T, collection *mongo.Collection, filter bson.D, findOptions *options.FindOptions) []string {
	t.Helper()
	cursor, err := collection.Find(t.Context(), filter, findOptions)
	if err != nil {
		t.Fatal(err)
	}
	var found []struct {
		ID string `bson:"_id"`
	}
	if err := cursor.All(t.Context(), &found); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, document := range found {
		ids = append(ids, document.ID)
	}
	return ids
}

func TestIndexesDoNotChangeAnswers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	_, plain := startServer(t, Options{})
	indexed := plain.Database().Collection("indexed")
	for _, keys := range []bson.D{
		{{Key: "a", Value: 1}},
		{{Key: "a", Value: 1}, {Key: "b", Value: -1}},
		{{Key: "b", Value: 1}, {Key: "a", Value: 1}},
		{{Key: "list", Value: 1}},
		{{Key: "b", Value: -1}},
	} {
		mustIndex(t, indexed, keys, nil)
	}
	values := []any{1, 2, int64(3), 2.5, "x", "y", nil, true, time.UnixMilli(5)}
	pick := func() any { return values[random.IntN(len(values))] }
	for i := range 300 {
		document := bson.D{{Key: "_id", Value: fmt.Sprint(i)}, {Key: "a", Value: pick()}}
		if i%3 > 0 {
			document = append(document, bson.E{Key: "b", Value: pick()}, bson.E{Key: "list", Value: bson.A{pick(), pick()}})
		}
		mustInsert(t, plain, document)
		mustInsert(t, indexed, document)
	}
	condition := func() any {
		operators := []string{"$lt", "$lte", "$gt", "$gte", "$eq", "$ne"}
		switch random.IntN(4) {
		case 0:
			return pick()
		case 1:
			return bson.D{{Key: "$in", Value: bson.A{pick(), pick()}}}
		case 2:
			return bson.D{{Key: "$gt", Value: pick()}, {Key: "$lte", Value: pick()}}
		}
		return bson.D{{Key: operators[random.IntN(len(operators))], Value: pick()}}
	}
	matched := 0
	for range 400 {
		filter := bson.D{}
		for _, name := range []string{"a", "b", "list"} {
			if random.IntN(2) == 0 {
				filter = append(filter, bson.E{Key: name, Value: condition()})
			}
		}
		order := options.Find().SetSort(bson.D{{Key: "b", Value: 1}, {Key: "_id", Value: -1}}).SetSkip(int64(random.IntN(3))).SetLimit(int64(random.IntN(20)))
		want, got := findIDs(t, plain, filter, order), findIDs(t, indexed, filter, order)
		if !slices.Equal(got, want) {
			t.Fatalf("%v: got %v, want %v", filter, got, want)
		}
		matched += len(want)
	}
	if matched == 0 {
		t.Fatal("no filter ever matched")
	}
}

func TestSortLimitAndProjection(t *testing.T) {
	_, collection := startServer(t, Options{})
	for i, due := range []int{3, 1, 2, 5, 4} {
		mustInsert(t, collection, bson.D{{Key: "_id", Value: fmt.Sprint(due)}, {Key: "due", Value: due}, {Key: "sealed", Value: bson.D{{Key: "n", Value: int32(i)}, {Key: "m", Value: "x"}}}})
	}
	got := findIDs(t, collection, bson.D{{Key: "due", Value: bson.D{{Key: "$lte", Value: 4}}}}, options.Find().SetSort(bson.D{{Key: "due", Value: -1}}).SetSkip(1).SetLimit(2))
	if want := []string{"3", "2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var shown bson.D
	if err := collection.FindOne(t.Context(), bson.D{{Key: "_id", Value: "1"}}, options.FindOne().SetProjection(bson.D{{Key: "_id", Value: 0}, {Key: "sealed.n", Value: 1}})).Decode(&shown); err != nil {
		t.Fatal(err)
	}
	if want := (bson.D{{Key: "sealed", Value: bson.D{{Key: "n", Value: int32(1)}}}}); !reflect.DeepEqual(shown, want) {
		t.Errorf("got %v, want %v", shown, want)
	}
	var taken bson.D
	if err := collection.FindOneAndDelete(t.Context(), bson.D{}, options.FindOneAndDelete().SetSort(bson.D{{Key: "due", Value: -1}}).SetProjection(bson.D{{Key: "due", Value: 1}})).Decode(&taken); err != nil {
		t.Fatal(err)
	}
	if want := (bson.D{{Key: "_id", Value: "5"}, {Key: "due", Value: int32(5)}}); !reflect.DeepEqual(taken, want) {
		t.Errorf("got %v, want %v", taken, want)
	}
}

func TestCursorGivesEveryDocumentOnce(t *testing.T) {
	_, collection := startServer(t, Options{})
	documents := make([]any, 1500)
	for i := range documents {
		documents[i] = bson.D{{Key: "_id", Value: fmt.Sprint(i)}, {Key: "body", Value: make([]byte, 20_000)}}
	}
	mustInsert(t, collection, documents...)
	for _, batch := range []int32{0, 7} {
		seen := map[string]bool{}
		for _, id := range findIDs(t, collection, bson.D{}, options.Find().SetBatchSize(batch)) {
			seen[id] = true
		}
		if len(seen) != 1500 {
			t.Errorf("batches of %d: got %d documents, want 1500", batch, len(seen))
		}
	}
}
