// Package mongotest is a server that speaks MongoDB's wire protocol, for tests
// only. It runs as a process of its own (see cmd/mongotest), so that a test can
// pause and kill it, and lives in a module of its own, so that nothing of it is
// ever linked into Dowel.
//
// The query and update language is that of github.com/256dpi/lungo; storage,
// indexes, unique constraints, retryable writes and the journal are here,
// because lungo's own engine copies a collection and its change log for each
// write. Writers exclude each other, so what a single-document write promises
// in MongoDB holds.
//
// It refuses on purpose what MongoDB-compatible servers do not do alike:
// transactions, change streams, pipeline updates, $expr, $lookup, regular
// expressions, collation, sparse and partial indexes, unacknowledged writes.
// What it is not: a database. It keeps everything in memory.
package mongotest

import (
	"bufio"
	"errors"
	"net"
	"sync"
	"time"
)

// Options says where a server listens and what it keeps. The zero value listens
// on a free loopback port and forgets everything when it ends.
type Options struct {
	// Listen is a loopback address with a port, 127.0.0.1:0 when empty.
	Listen string
	// Data is a file every write is appended to and that is read at the start.
	// Empty keeps memory only.
	Data string
}

// Server is one pretended replica set of a single node.
type Server struct {
	// Faults decides what goes wrong. It may be changed at any time.
	Faults *Faults

	listener net.Listener
	store    *store
	cursors  cursors
	stop     chan struct{}
	running  sync.WaitGroup

	mutex       sync.Mutex
	closed      bool
	connections map[net.Conn]struct{}
}

// Start listens and serves until Close. It fails when the address is taken or
// the data file can not be read.
func Start(options Options) (*Server, error) {
	address := options.Listen
	if address == "" {
		address = "127.0.0.1:0"
	}
	store, err := openStore(options.Data)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, errors.Join(err, store.close())
	}
	s := &Server{
		Faults:      &Faults{},
		listener:    listener,
		store:       store,
		cursors:     cursors{open: map[int64]*cursor{}},
		stop:        make(chan struct{}),
		connections: map[net.Conn]struct{}{},
	}
	s.running.Go(s.accept)
	s.running.Go(s.expire)
	return s, nil
}

// URI is what to give to a driver.
func (s *Server) URI() string {
	return "mongodb://" + s.listener.Addr().String() + "/?replicaSet=" + replicaSet
}

// Close ends the server and its connections, and waits until they are gone.
func (s *Server) Close() error {
	s.mutex.Lock()
	if s.closed {
		s.mutex.Unlock()
		return nil
	}
	s.closed = true
	close(s.stop)
	err := s.listener.Close()
	for connection := range s.connections {
		err = errors.Join(err, connection.Close())
	}
	clear(s.connections)
	s.mutex.Unlock()
	s.running.Wait()
	return errors.Join(err, s.store.close())
}

func (s *Server) accept() {
	for {
		connection, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mutex.Lock()
		if s.closed {
			s.mutex.Unlock()
			connection.Close()
			return
		}
		s.connections[connection] = struct{}{}
		s.running.Go(func() { s.serve(connection) })
		s.mutex.Unlock()
	}
}

// serve answers one connection's requests in their order.
func (s *Server) serve(connection net.Conn) {
	defer s.forget(connection)
	in := bufio.NewReaderSize(connection, 16<<10)
	for {
		request, err := readMessage(in)
		if err != nil {
			return
		}
		reply, answered := s.answer(request)
		if !answered {
			return
		}
		encoded, err := encodeReply(request, reply)
		if err != nil {
			return
		}
		if _, err := connection.Write(encoded); err != nil {
			return
		}
	}
}

func (s *Server) forget(connection net.Conn) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if _, open := s.connections[connection]; open {
		delete(s.connections, connection)
		connection.Close()
	}
}

// expire is the broom behind TTL indexes.
func (s *Server) expire() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-tick.C:
			s.store.expire(now)
		}
	}
}
