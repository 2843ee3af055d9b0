package mongotest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"go.mongodb.org/mongo-driver/bson"
)

// entry is one change as the data file keeps it.
type entry struct {
	Operation string `bson:"op"`
	Namespace string `bson:"ns,omitempty"`
	Sequence  int64  `bson:"sequence,omitempty"`
	Name      string `bson:"name,omitempty"`
	Session   []byte `bson:"session,omitempty"`
	Number    int64  `bson:"number,omitempty"`
	Document  bson.D `bson:"document,omitempty"`
}

// journal appends changes to a file. One command's changes go out in one write
// before it is answered, so that a killed process keeps what it acknowledged.
// It does not survive the machine: nothing is synced. A nil journal keeps
// nothing.
type journal struct {
	file    *os.File
	pending []byte
	failed  error
}

// openJournal replays what the file holds and leaves it ready to be appended
// to. A torn end, left by a kill in the middle of a write, is cut off: nobody
// was told of it.
func openJournal(path string, replay func(entry) error) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	whole := 0
	for rest := content; len(rest) >= 5; rest = content[whole:] {
		length := int(binary.LittleEndian.Uint32(rest))
		if length < 5 || length > len(rest) {
			break
		}
		var change entry
		if err := bson.Unmarshal(rest[:length], &change); err != nil {
			break
		}
		if err := replay(change); err != nil {
			return nil, errors.Join(fmt.Errorf("replay byte %d of %s: %w", whole, path, err), file.Close())
		}
		whole += length
	}
	if err := file.Truncate(int64(whole)); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if _, err := file.Seek(int64(whole), io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &journal{file: file}, nil
}

func (j *journal) append(change entry) {
	if j == nil || j.failed != nil {
		return
	}
	j.pending, j.failed = bson.MarshalAppend(j.pending, change)
}

// flush writes what is pending. After one failure it fails for ever: what is in
// memory and what is in the file would no longer be the same.
func (j *journal) flush() error {
	if j == nil || len(j.pending) == 0 && j.failed == nil {
		return nil
	}
	if j.failed == nil {
		_, j.failed = j.file.Write(j.pending)
	}
	j.pending = j.pending[:0]
	return j.failed
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return errors.Join(j.flush(), j.file.Close())
}

// replay does again what an entry says was done.
func (s *store) replay(change entry) error {
	collection := s.collections[change.Namespace]
	switch change.Operation {
	case "create":
		s.ensure(change.Namespace)
		return nil
	case "drop":
		s.drop(change.Namespace)
		return nil
	case "answer":
		s.answers[string(change.Session)] = answer{number: change.Number, reply: change.Document}
		return nil
	}
	if collection == nil {
		return fmt.Errorf("%s in unknown collection %q", change.Operation, change.Namespace)
	}
	old, exists := collection.records.Get(change.Sequence)
	if exists {
		collection.forget(old)
	}
	switch change.Operation {
	case "put":
		collection.put(&record{sequence: change.Sequence, document: &change.Document})
	case "remove":
	case "index":
		return collection.createIndex(change.Document)
	case "dropIndex":
		collection.dropIndex(change.Name)
	default:
		return fmt.Errorf("unknown operation %q", change.Operation)
	}
	return nil
}
