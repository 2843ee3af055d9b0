package mongotest

import (
	"time"

	"go.mongodb.org/mongo-driver/bson"
)

const replicaSet = "rs0"

// answer runs one request. It reports false when the connection is to be
// dropped instead of answered.
func (s *Server) answer(m message) (bson.D, bool) {
	c := newCommand(m.arguments)
	if isHello(c.name) {
		return s.hello(c.name), true
	}
	fault := s.Faults.next(c.name)
	if !s.sleep(fault.latency) || fault.dropBefore {
		return nil, false
	}
	_, retryable := c.retryNumber()
	if fault.code != 0 {
		return errorReply(refuse(fault.code, "injected failure"), retryable), true
	}
	reply, err := s.run(c)
	if fault.dropAfter {
		return nil, false
	}
	if err != nil {
		return errorReply(err, retryable), true
	}
	return append(reply, bson.E{Key: "ok", Value: 1.0}), true
}

func (s *Server) sleep(latency time.Duration) bool {
	if latency <= 0 {
		return true
	}
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.stop:
		return false
	}
}

// run turns a panic of the query library into an error: it panics on BSON
// types it does not know.
func (s *Server) run(c command) (reply bson.D, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = refuse(codeNotImplemented, "%s: %v", c.name, cause)
		}
	}()
	if err := checkPortable(c); err != nil {
		return nil, err
	}
	if write := s.writer(c.name); write != nil {
		return s.store.write(c, write)
	}
	return s.read(c)
}

func (s *Server) writer(name string) func(*store, command) (bson.D, error) {
	switch name {
	case "insert":
		return insertDocuments
	case "update":
		return updateDocuments
	case "delete":
		return deleteDocuments
	case "findAndModify":
		return findAndModify
	case "createIndexes":
		return createIndexes
	case "dropIndexes":
		return dropIndexes
	case "create":
		return createCollection
	case "drop":
		return dropCollection
	case "dropDatabase":
		return dropDatabase
	}
	return nil
}

func (s *Server) read(c command) (bson.D, error) {
	switch c.name {
	case "ping", "endSessions":
		return bson.D{}, nil
	case "buildInfo":
		return bson.D{{Key: "version", Value: "7.0.0"}, {Key: "versionArray", Value: bson.A{int32(7), int32(0), int32(0), int32(0)}}}, nil
	case "find":
		return s.find(c)
	case "getMore":
		return s.cursors.more(c)
	case "killCursors":
		return s.cursors.kill(c)
	case "count":
		return s.count(c)
	case "distinct":
		return s.distinct(c)
	case "aggregate":
		return s.aggregate(c)
	case "listIndexes":
		return s.listIndexes(c)
	case "listCollections":
		return s.listCollections(c)
	}
	return nil, refuse(codeCommandNotFound, "no such command: %q", c.name)
}

func isHello(name string) bool { return name == "hello" || name == "isMaster" || name == "ismaster" }

// hello says what a primary of a set of one would say. localTime carries the
// clock offset, so that a test can let the store's clock drift.
func (s *Server) hello(name string) bson.D {
	primary := "isWritablePrimary"
	if name != "hello" {
		primary = "ismaster"
	}
	address := s.listener.Addr().String()
	return bson.D{
		{Key: primary, Value: true},
		{Key: "helloOk", Value: true},
		{Key: "setName", Value: replicaSet},
		{Key: "setVersion", Value: int32(1)},
		{Key: "hosts", Value: bson.A{address}},
		{Key: "primary", Value: address},
		{Key: "me", Value: address},
		{Key: "maxBsonObjectSize", Value: int32(maxDocument)},
		{Key: "maxMessageSizeBytes", Value: int32(maxMessageBytes)},
		{Key: "maxWriteBatchSize", Value: int32(100_000)},
		{Key: "localTime", Value: time.Now().Add(s.Faults.clockOffset())},
		{Key: "logicalSessionTimeoutMinutes", Value: int32(30)},
		{Key: "minWireVersion", Value: int32(0)},
		{Key: "maxWireVersion", Value: int32(21)},
		{Key: "readOnly", Value: false},
		{Key: "ok", Value: 1.0},
	}
}
