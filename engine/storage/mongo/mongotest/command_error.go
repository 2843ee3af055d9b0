package mongotest

import (
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/bson"
)

// The server's error codes used here, by their official names.
const (
	codeBadValue          = 2
	codeIllegalOperation  = 20
	codeNamespaceNotFound = 26
	codeIndexNotFound     = 27
	codeCursorNotFound    = 43
	codeCommandNotFound   = 59
	codeImmutableField    = 66
	codeIndexOptions      = 85
	codeIndexKeySpecs     = 86
	codeTransactionTooOld = 225
	codeNotImplemented    = 238
	codeTooLarge          = 10334
	codeDuplicateKey      = 11000
)

// commandError is an error with the code a MongoDB server would give it.
type commandError struct {
	code    int32
	message string
}

func (e *commandError) Error() string { return e.message }

func refuse(code int32, format string, arguments ...any) error {
	return &commandError{code: code, message: fmt.Sprintf(format, arguments...)}
}

func asCommandError(err error) *commandError {
	if known, ok := errors.AsType[*commandError](err); ok {
		return known
	}
	return &commandError{code: codeBadValue, message: err.Error()}
}

// errorReply says in the wire's words that a command did not succeed.
func errorReply(err error, retryable bool) bson.D {
	known := asCommandError(err)
	reply := bson.D{
		{Key: "ok", Value: 0.0},
		{Key: "errmsg", Value: known.message},
		{Key: "code", Value: known.code},
		{Key: "codeName", Value: fmt.Sprintf("Location%d", known.code)},
	}
	if retryable && isRetryable(known.code) {
		reply = append(reply, bson.E{Key: "errorLabels", Value: bson.A{"RetryableWriteError"}})
	}
	return reply
}

// writeError is one failed statement inside a command that itself succeeded.
func writeError(statement int, err error) bson.D {
	known := asCommandError(err)
	return bson.D{
		{Key: "index", Value: int32(statement)},
		{Key: "code", Value: known.code},
		{Key: "errmsg", Value: known.message},
	}
}

// isRetryable lists the codes a server labels for the driver to try again:
// a primary that steps down, shuts down, or is not reached.
func isRetryable(code int32) bool {
	return slices.Contains([]int32{6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436}, code)
}
