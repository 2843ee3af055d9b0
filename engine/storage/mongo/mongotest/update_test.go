package mongotest

import (
	"reflect"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo/options"
)

func events(ids ...string) bson.A {
	list := bson.A{}
	for _, id := range ids {
		list = append(list, bson.D{{Key: "id", Value: id}, {Key: "kind", Value: "credential.refreshed"}})
	}
	return list
}

func TestUpdateOperators(t *testing.T) {
	at := primitive.NewDateTimeFromTime(time.UnixMilli(1_700_000_000_123))
	tests := []struct {
		name                 string
		before, update, want bson.D
	}{
		{
			name:   "$set makes the parents of a nested field",
			before: bson.D{},
			update: bson.D{{Key: "$set", Value: bson.D{{Key: "lease.until", Value: at}}}},
			want:   bson.D{{Key: "lease", Value: bson.D{{Key: "until", Value: at}}}},
		},
		{
			name:   "$set leaves the siblings of a nested field",
			before: bson.D{{Key: "lease", Value: bson.D{{Key: "holder", Value: "a"}, {Key: "fence", Value: int64(3)}}}},
			update: bson.D{{Key: "$set", Value: bson.D{{Key: "lease.holder", Value: "b"}}}},
			want:   bson.D{{Key: "lease", Value: bson.D{{Key: "holder", Value: "b"}, {Key: "fence", Value: int64(3)}}}},
		},
		{
			name:   "$unset removes one nested field",
			before: bson.D{{Key: "lease", Value: bson.D{{Key: "holder", Value: "a"}, {Key: "until", Value: at}}}},
			update: bson.D{{Key: "$unset", Value: bson.D{{Key: "lease.until", Value: ""}, {Key: "attempt", Value: ""}}}},
			want:   bson.D{{Key: "lease", Value: bson.D{{Key: "holder", Value: "a"}}}},
		},
		{
			name:   "$inc begins at zero and keeps int64",
			before: bson.D{{Key: "version", Value: int64(1)}},
			update: bson.D{{Key: "$inc", Value: bson.D{{Key: "version", Value: int64(1)}, {Key: "lease.fence", Value: int64(1)}}}},
			want:   bson.D{{Key: "version", Value: int64(2)}, {Key: "lease", Value: bson.D{{Key: "fence", Value: int64(1)}}}},
		},
		{
			name:   "$push with $each makes the array",
			before: bson.D{},
			update: bson.D{{Key: "$push", Value: bson.D{{Key: "outbox", Value: bson.D{{Key: "$each", Value: events("1", "2")}}}}}},
			want:   bson.D{{Key: "outbox", Value: events("1", "2")}},
		},
		{
			name:   "$push with $each appends in order",
			before: bson.D{{Key: "outbox", Value: events("1")}},
			update: bson.D{{Key: "$push", Value: bson.D{{Key: "outbox", Value: bson.D{{Key: "$each", Value: events("3", "2")}}}}}},
			want:   bson.D{{Key: "outbox", Value: events("1", "3", "2")}},
		},
		{
			name:   "$pull by a list of ids",
			before: bson.D{{Key: "outbox", Value: events("1", "2", "3", "4")}},
			update: bson.D{{Key: "$pull", Value: bson.D{{Key: "outbox", Value: bson.D{{Key: "id", Value: bson.D{{Key: "$in", Value: bson.A{"1", "3", "9"}}}}}}}}},
			want:   bson.D{{Key: "outbox", Value: events("2", "4")}},
		},
		{
			name:   "$pull on a missing array",
			before: bson.D{{Key: "n", Value: int32(1)}},
			update: bson.D{{Key: "$pull", Value: bson.D{{Key: "outbox", Value: bson.D{{Key: "id", Value: "1"}}}}}},
			want:   bson.D{{Key: "n", Value: int32(1)}},
		},
		{
			name:   "several operators at once",
			before: bson.D{{Key: "status", Value: "active"}, {Key: "version", Value: int64(4)}, {Key: "attempt", Value: at}},
			update: bson.D{
				{Key: "$set", Value: bson.D{{Key: "status", Value: "revoked"}}},
				{Key: "$unset", Value: bson.D{{Key: "attempt", Value: ""}}},
				{Key: "$inc", Value: bson.D{{Key: "version", Value: int64(1)}}},
				{Key: "$push", Value: bson.D{{Key: "outbox", Value: bson.D{{Key: "$each", Value: events("1")}}}}},
			},
			want: bson.D{{Key: "status", Value: "revoked"}, {Key: "version", Value: int64(5)}, {Key: "outbox", Value: events("1")}},
		},
	}
	_, collection := startServer(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mustInsert(t, collection, append(bson.D{{Key: "_id", Value: tt.name}}, tt.before...))
			result, err := collection.UpdateByID(t.Context(), tt.name, tt.update)
			if err != nil {
				t.Fatal(err)
			}
			if result.MatchedCount != 1 {
				t.Errorf("matched %d, want 1", result.MatchedCount)
			}
			if got := mustFind(t, collection, tt.name); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRefusedUpdateLeavesTheDocument(t *testing.T) {
	tests := []struct {
		name   string
		update bson.D
	}{
		{"two operators on one path", bson.D{{Key: "$set", Value: bson.D{{Key: "a", Value: 1}}}, {Key: "$inc", Value: bson.D{{Key: "a", Value: 1}}}}},
		{"$inc of a text", bson.D{{Key: "$set", Value: bson.D{{Key: "a", Value: 1}}}, {Key: "$inc", Value: bson.D{{Key: "text", Value: 1}}}}},
		{"$push onto a text", bson.D{{Key: "$set", Value: bson.D{{Key: "a", Value: 1}}}, {Key: "$push", Value: bson.D{{Key: "text", Value: 1}}}}},
		{"another _id", bson.D{{Key: "$set", Value: bson.D{{Key: "a", Value: 1}, {Key: "_id", Value: "other"}}}}},
		{"field under null", bson.D{{Key: "$set", Value: bson.D{{Key: "null.until", Value: 1}}}}},
		{"larger than 16 MiB", bson.D{{Key: "$set", Value: bson.D{{Key: "a", Value: make([]byte, 9<<20)}, {Key: "b", Value: make([]byte, 9<<20)}}}}},
	}
	_, collection := startServer(t, Options{})
	before := bson.D{{Key: "text", Value: "x"}, {Key: "null", Value: nil}}
	mustInsert(t, collection, append(bson.D{{Key: "_id", Value: "c"}}, before...))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := collection.UpdateByID(t.Context(), "c", tt.update); err == nil {
				t.Error("was accepted")
			}
			if got := mustFind(t, collection, "c"); !reflect.DeepEqual(got, before) {
				t.Errorf("got %v, want %v", got, before)
			}
		})
	}
}

func TestUpsertOfAnExistingIDThatDoesNotMatchIsADuplicate(t *testing.T) {
	_, collection := startServer(t, Options{})
	upsert := func(version int64) error {
		_, err := collection.UpdateOne(t.Context(), bson.D{{Key: "_id", Value: "c"}, {Key: "version", Value: version}},
			bson.D{{Key: "$inc", Value: bson.D{{Key: "version", Value: int64(1)}}}}, options.Update().SetUpsert(true))
		return err
	}
	if err := upsert(1); err != nil {
		t.Fatal(err)
	}
	wantDuplicate(t, upsert(1))
	if got := field(mustFind(t, collection, "c"), "version"); got != int64(2) {
		t.Errorf("version: got %v, want 2", got)
	}
}

func TestReplaceKeepsTheID(t *testing.T) {
	_, collection := startServer(t, Options{})
	id := bson.D{{Key: "tenant", Value: "t1"}, {Key: "id", Value: "c1"}}
	mustInsert(t, collection, bson.D{{Key: "_id", Value: id}, {Key: "version", Value: int64(1)}})
	result, err := collection.ReplaceOne(t.Context(), bson.D{{Key: "_id", Value: id}, {Key: "version", Value: int64(1)}}, bson.D{{Key: "version", Value: int64(2)}})
	if err != nil || result.ModifiedCount != 1 {
		t.Fatalf("got %+v, %v", result, err)
	}
	if got, want := mustFind(t, collection, id), (bson.D{{Key: "version", Value: int64(2)}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
