package storagetest

import (
	"fmt"
	"reflect"
	"time"

	"dowel/engine/audit"
	"dowel/engine/storage"
)

// start is a time that is far enough from everything to be seen in a test's output.
var start = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// Connection returns an active connection with a value in every field, but without a lease and an
// outbox. Its credential is not sealed: a store must not care.
func Connection(tenant, id string) storage.Connection {
	c := filled[storage.Connection](1)
	c.Ref, c.Revision = storage.Ref{Tenant: tenant, ID: id}, 0
	c.Status, c.Lease, c.Outbox = storage.Active, storage.Lease{}, nil
	return c
}

// Flow returns a pending flow with a value in every field. Its state hash is made of tenant and id.
func Flow(tenant, id string) storage.Flow {
	f := filled[storage.Flow](1)
	f.Ref, f.Revision, f.StateHash = storage.Ref{Tenant: tenant, ID: id}, 0, "state "+tenant+" "+id
	f.Status, f.Outbox = storage.FlowPending, nil
	f.CreatedAt, f.ExpiresAt = start, start.Add(10*time.Minute)
	return f
}

// ConnectSession returns a session with a value in every field.
func ConnectSession(tenant, id string) storage.ConnectSession {
	s := filled[storage.ConnectSession](1)
	s.Ref, s.Revision, s.TicketHash = storage.Ref{Tenant: tenant, ID: id}, 0, "ticket "+tenant+" "+id
	s.Outbox, s.CreatedAt, s.ExpiresAt = nil, start, start.Add(15*time.Minute)
	return s
}

// App returns an app with a value in every field.
func App(tenant, id string) storage.App {
	a := filled[storage.App](1)
	a.Ref, a.Revision, a.Outbox = storage.Ref{Tenant: tenant, ID: id}, 0, nil
	return a
}

// Publication returns a publication with a value in every field.
func Publication(tenant, id string) storage.Publication {
	p := filled[storage.Publication](1)
	p.Ref, p.Revision, p.Outbox = storage.Ref{Tenant: tenant, ID: id}, 0, nil
	return p
}

// APIKey returns a key with a value in every field.
func APIKey(tenant, id string) storage.APIKey {
	k := filled[storage.APIKey](1)
	k.Ref, k.Revision, k.Hash, k.Outbox = storage.Ref{Tenant: tenant, ID: id}, 0, "key "+tenant+" "+id, nil
	return k
}

// Session returns a console session with a value in every field.
func Session(tenant, id string) storage.Session {
	s := filled[storage.Session](1)
	s.Ref, s.Hash = storage.Ref{Tenant: tenant, ID: id}, "session "+tenant+" "+id
	s.CreatedAt, s.ExpiresAt = start, start.Add(8*time.Hour)
	return s
}

// Tenant returns a tenant with a value in every field.
func Tenant(id string) storage.Tenant {
	t := filled[storage.Tenant](1)
	t.ID, t.Revision = id, 0
	return t
}

// Definition returns a version of a definition.
func Definition(tenant, connector, version string) storage.Definition {
	d := filled[storage.Definition](1)
	d.Tenant, d.Connector, d.Version = tenant, connector, version
	return d
}

// Event returns an event with a value in every field.
func Event(tenant, subject, id string) audit.Event {
	e := filled[audit.Event](1)
	e.Tenant, e.Subject, e.ID = tenant, subject, id
	return e
}

// filled returns a T with a value in every field, and in everything the fields hold. Values differ
// from field to field and from seed to seed.
func filled[T any](seed int) T {
	var record T
	f := filler{n: seed * 1000}
	f.fill(reflect.ValueOf(&record).Elem())
	return record
}

type filler struct{ n int }

func (f *filler) fill(v reflect.Value) {
	f.n++
	if _, ok := v.Interface().(time.Time); ok {
		v.Set(reflect.ValueOf(start.Add(time.Duration(f.n)*time.Hour + time.Duration(f.n)*time.Millisecond)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key)
		f.fill(value)
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(fmt.Sprintf("välue %d", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Uint8:
		// No byte is left out: sealed bytes are not text.
		v.SetUint(uint64(f.n*37) % 256)
	default:
		panic(fmt.Sprintf("a record has a field of kind %v, which no test fills", v.Kind()))
	}
}

// times calls visit for every time in a record, however deep.
func times(v reflect.Value, visit func(path string, t *time.Time)) {
	walkTimes("", v, visit)
}

func walkTimes(path string, v reflect.Value, visit func(string, *time.Time)) {
	if v.CanAddr() {
		if t, ok := v.Addr().Interface().(*time.Time); ok {
			visit(path, t)
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			walkTimes(path+"."+v.Type().Field(i).Name, v.Field(i), visit)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			walkTimes(path, v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkTimes(fmt.Sprintf("%s[%d]", path, i), v.Index(i), visit)
		}
	}
}
