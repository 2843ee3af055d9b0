package mongotest

import (
	"errors"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// store holds every collection. A writer excludes everyone else for the length
// of one command. Stored documents are never changed in place, so a reader may
// keep them after it let go of the lock.
type store struct {
	mutex       sync.RWMutex
	collections map[string]*collection
	answers     map[string]answer
	journal     *journal
}

// answer is what a session's newest retryable write was told. A driver that
// heard nothing sends the write again and must get this instead of a second
// write.
type answer struct {
	number int64
	reply  bson.D
}

func openStore(file string) (*store, error) {
	s := &store{collections: map[string]*collection{}, answers: map[string]answer{}}
	if file == "" {
		return s, nil
	}
	journal, err := openJournal(file, s.replay)
	if err != nil {
		return nil, err
	}
	s.journal = journal
	for _, collection := range s.collections {
		collection.journal = journal
	}
	return s, nil
}

func (s *store) close() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.journal.close()
}

// collection finds one by its namespace, nil when there is none.
func (s *store) collection(namespace string) *collection { return s.collections[namespace] }

// ensure finds a collection or makes it.
func (s *store) ensure(namespace string) *collection {
	found := s.collections[namespace]
	if found == nil {
		found = newCollection(namespace, s.journal)
		s.collections[namespace] = found
		s.journal.append(entry{Operation: "create", Namespace: namespace})
	}
	return found
}

func (s *store) drop(namespace string) {
	if s.collections[namespace] == nil {
		return
	}
	delete(s.collections, namespace)
	s.journal.append(entry{Operation: "drop", Namespace: namespace})
}

// write runs one writing command alone, answers a repeated one from memory, and
// has everything in the journal before it returns.
func (s *store) write(c command, run func(*store, command) (bson.D, error)) (reply bson.D, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	session, hasSession := c.session()
	number, retryable := c.retryNumber()
	retryable = retryable && hasSession
	if retryable {
		last, known := s.answers[session]
		switch {
		case known && last.number == number:
			return last.reply, nil
		case known && last.number > number:
			return nil, refuse(codeTransactionTooOld, "write %d after write %d of one session", number, last.number)
		}
	}
	defer func() { err = errors.Join(err, s.journal.flush()) }()
	reply, err = run(s, c)
	reply = slices.Clip(reply) // the caller appends to it, and so does the caller of a repetition
	if retryable && err == nil {
		s.answers[session] = answer{number: number, reply: reply}
		s.journal.append(entry{Operation: "answer", Session: []byte(session), Number: number, Document: reply})
	}
	return reply, err
}

// find runs a query on a collection that may not exist.
func (s *store) find(namespace string, q query) ([]*record, error) {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	if found := s.collection(namespace); found != nil {
		return found.find(q)
	}
	return nil, nil
}

// expire removes what TTL indexes call expired. Its journal entries go out with
// the next write: an expired document that comes back after a crash is expired
// again.
func (s *store) expire(now time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, collection := range s.collections {
		for _, index := range collection.indexes {
			if index.expireAfter == nil {
				continue
			}
			limit := primitive.NewDateTimeFromTime(now.Add(-*index.expireAfter))
			for _, record := range index.datesUpTo(limit) {
				collection.remove(record)
			}
		}
	}
}
