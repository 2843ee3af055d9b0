package sqlite

import (
	"context"
	"database/sql"
	"errors"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"dowel/engine/fault"
)

var errClosed = errors.New("the store is closed")

// failure classifies an error of the database: a row that is already there is a Conflict, a caller
// that left stays a cancellation, and everything else means that the store does not answer. What is
// classified, and that there is no row, stays as it is.
func failure(err error) error {
	if err == nil || fault.As(err) != nil || errors.Is(err, context.Canceled) || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var code *driver.Error
	if errors.As(err, &code) && code.Code()&0xff == lib.SQLITE_CONSTRAINT {
		return fault.E(fault.Conflict, "this record exists already", err)
	}
	return down(err)
}

func down(err error) error {
	return fault.E(fault.StoreDown, "the store does not answer, try again soon", err)
}

func missing(what string) error { return fault.E(fault.NotFound, "no such "+what, nil) }

// found classifies the outcome of reading one row of something.
func found(what string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return missing(what)
	}
	return failure(err)
}

// moved is the answer to an update that lost too often.
func moved(what string) error {
	return fault.E(fault.Conflict, "this "+what+" is being changed by others", nil)
}
