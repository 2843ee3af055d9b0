package mongo

import (
	"context"
	"errors"

	driver "go.mongodb.org/mongo-driver/mongo"

	"dowel/engine/fault"
)

// failure classifies an error of the driver: a document that is already there is a Conflict, a caller
// that left stays a cancellation, and everything else means that the database does not answer as it
// should. What is classified, and that there is no document, stays as it is.
func failure(err error) error {
	switch {
	case err == nil, fault.As(err) != nil, errors.Is(err, driver.ErrNoDocuments):
		return err
	case driver.IsDuplicateKeyError(err):
		return fault.E(fault.Conflict, "this record exists already", err)
	case errors.Is(err, context.Canceled):
		return err
	}
	return fault.E(fault.StoreDown, "the store does not answer, try again soon", err)
}

// found classifies the outcome of reading one document of something.
func found(what string, err error) error {
	if errors.Is(err, driver.ErrNoDocuments) {
		return missing(what)
	}
	return failure(err)
}

func missing(what string) error { return fault.E(fault.NotFound, "no such "+what, nil) }

// moved is the answer to an update that lost too often.
func moved(what string) error {
	return fault.E(fault.Conflict, "this "+what+" is being changed by others", nil)
}
