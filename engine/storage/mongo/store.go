// Package mongo keeps Dowel's records in MongoDB, or in a database that speaks its protocol: the
// store of several machines.
//
// It keeps to what such databases do alike: updates of one document with plain operators and the
// revision they expect in the filter, unique indexes on fields that are always there, majority
// writes and reads of the primary. A document's _id begins with the tenant and is made of the ref
// (see key); the filters of hot queries begin with the tenant, except where records are found by the
// hash of a secret, or by when they are due. Every document carries the number of its schema; one of
// a newer version is refused and left as it is.
//
// What the records mean, and what is in the sealed bytes, is not known here.
package mongo

import (
	"context"
	"net/url"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/event"
	driver "go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/readconcern"
	"go.mongodb.org/mongo-driver/mongo/readpref"
	"go.mongodb.org/mongo-driver/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/x/mongo/driver/connstring"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

var _ storage.Store = (*Store)(nil)

const (
	// defaultDatabase is used when the URI names none.
	defaultDatabase = "dowel"
	// selectionTimeout is how long a call looks for a server that can answer it; callTimeout is how
	// long a write may take in all, and readTimeout a read: whoever reads a token is to know within two
	// seconds that there is none to be had.
	selectionTimeout = 2 * time.Second
	callTimeout      = 2250 * time.Millisecond
	readTimeout      = 1500 * time.Millisecond
	// schema is the number of the form documents are written in.
	schema = 1
)

// Options are what Open can be told beside the URI. The zero value is good.
type Options struct {
	// Database replaces the one the URI names.
	Database string
	// OnCommand is told the name of each command the database was sent, and how long it took. It is
	// called from many goroutines, and must be quick.
	OnCommand func(name string, took time.Duration)
}

// Store is a storage.Store in a MongoDB database. It is safe for concurrent use.
type Store struct {
	client *driver.Client
	db     *driver.Database
	clock  *clock
	claims atomic.Uint64 // where the next ClaimOutbox begins to look

	connections     *kind[storage.Connection]
	flows           *kind[storage.Flow]
	connectSessions *kind[storage.ConnectSession]
	apps            *kind[storage.App]
	apiKeys         *kind[storage.APIKey]
	sessions        *kind[storage.Session]
	tenants         *kind[storage.Tenant]
	definitions     *kind[storage.Definition]
	publications    *kind[storage.Publication]
}

// Open connects to the database and makes sure of its indexes. It fails with fault.StoreDown if the
// database does not answer, and with fault.Misconfigured if the URI is wrong or a unique index can
// not be made.
func Open(ctx context.Context, uri string, o Options) (*Store, error) {
	parsed, err := connstring.ParseAndValidate(uri)
	if err != nil {
		// The error may hold the URI, and with it a password.
		return nil, fault.E(fault.Misconfigured, "the MongoDB URI can not be read", nil)
	}
	client, err := driver.Connect(ctx, clientOptions(uri, o))
	if err != nil {
		return nil, fault.E(fault.Misconfigured, "the MongoDB URI can not be used", nil)
	}
	name := o.Database
	if name == "" {
		name = parsed.Database
	}
	if name == "" {
		name = defaultDatabase
	}
	s := &Store{client: client, db: client.Database(name)}
	s.clock = &clock{measure: s.databaseTime}
	s.connections, s.flows, s.connectSessions = connections(s.db), flows(s.db), connectSessions(s.db)
	s.apps, s.apiKeys, s.sessions = apps(s.db), apiKeys(s.db), sessions(s.db)
	s.tenants, s.definitions, s.publications = tenants(s.db), definitions(s.db), publications(s.db)
	if err := Ensure(ctx, s.db); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func clientOptions(uri string, o Options) *options.ClientOptions {
	client := options.Client().ApplyURI(uri).
		SetAppName("dowel").
		SetServerSelectionTimeout(selectionTimeout).
		SetConnectTimeout(selectionTimeout).
		SetRetryWrites(true).
		SetRetryReads(true).
		SetWriteConcern(writeconcern.Majority()).
		SetReadConcern(readconcern.Majority()).
		SetReadPreference(readpref.Primary())
	if o.OnCommand != nil {
		client.SetMonitor(&event.CommandMonitor{
			Succeeded: func(_ context.Context, e *event.CommandSucceededEvent) { o.OnCommand(e.CommandName, e.Duration) },
			Failed:    func(_ context.Context, e *event.CommandFailedEvent) { o.OnCommand(e.CommandName, e.Duration) },
		})
	}
	return client
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := boundedRead(ctx)
	defer cancel()
	return failure(s.client.Ping(ctx, readpref.Primary()))
}

// Close ends all connections.
func (s *Store) Close() error {
	ctx, cancel := bounded(context.Background())
	defer cancel()
	return s.client.Disconnect(ctx)
}

// bounded gives a call its time, boundedRead a call that only reads. A database that stands still would
// hold it for ever otherwise.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, callTimeout)
}

func boundedRead(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, readTimeout)
}

// key makes the _id of a record: the parts are escaped, so no two refs have the same.
func key(tenant string, rest ...string) string {
	key := url.PathEscape(tenant)
	for _, part := range rest {
		key += "/" + url.PathEscape(part)
	}
	return key
}
