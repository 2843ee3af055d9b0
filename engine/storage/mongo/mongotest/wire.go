package mongotest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"go.mongodb.org/mongo-driver/bson"
)

// The opcodes of the wire protocol a driver of today uses: OP_QUERY for the
// very first hello, OP_MSG for everything after it.
const (
	opReply   = 1
	opQuery   = 2004
	opMessage = 2013
)

// The flag bits of an OP_MSG.
const (
	flagChecksum   = 1 << 0
	flagMoreToCome = 1 << 1
)

const (
	headerBytes     = 16
	maxMessageBytes = 48_000_000
	maxDocument     = 16 << 20
)

var errTruncated = errors.New("message is shorter than it says")

// message is one request as it came over the socket.
type message struct {
	id        uint32
	legacy    bool
	arguments bson.D
}

// readMessage reads one request. Unacknowledged writes are refused, because
// nothing in Dowel may write without hearing whether it was written.
func readMessage(in *bufio.Reader) (message, error) {
	var header [headerBytes]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return message{}, err
	}
	length := binary.LittleEndian.Uint32(header[0:])
	if length < headerBytes || length > maxMessageBytes {
		return message{}, fmt.Errorf("message length %d", length)
	}
	body := make([]byte, length-headerBytes)
	if _, err := io.ReadFull(in, body); err != nil {
		return message{}, err
	}
	m := message{id: binary.LittleEndian.Uint32(header[4:])}
	var err error
	switch opcode := binary.LittleEndian.Uint32(header[12:]); opcode {
	case opQuery:
		m.legacy = true
		m.arguments, err = parseQuery(body)
	case opMessage:
		m.arguments, err = parseSections(body)
	default:
		return message{}, fmt.Errorf("opcode %d", opcode)
	}
	if err == nil && len(m.arguments) == 0 {
		err = errors.New("empty command")
	}
	return m, err
}

func parseQuery(body []byte) (bson.D, error) {
	const flags, skipAndReturn = 4, 8
	if len(body) < flags {
		return nil, errTruncated
	}
	end := bytes.IndexByte(body[flags:], 0)
	if end < 0 || len(body) < flags+end+1+skipAndReturn {
		return nil, errTruncated
	}
	var query bson.D
	err := bson.Unmarshal(body[flags+end+1+skipAndReturn:], &query)
	return query, err
}

func parseSections(body []byte) (bson.D, error) {
	if len(body) < 4 {
		return nil, errTruncated
	}
	flags := binary.LittleEndian.Uint32(body)
	body = body[4:]
	if flags&flagMoreToCome != 0 {
		return nil, errors.New("unacknowledged writes are not to be used")
	}
	if flags&flagChecksum != 0 {
		if len(body) < 4 {
			return nil, errTruncated
		}
		body = body[:len(body)-4]
	}
	var command, sequences bson.D
	for len(body) > 0 {
		kind := body[0]
		section, rest, err := cut(body[1:])
		if err != nil {
			return nil, err
		}
		if kind == 0 {
			err = bson.Unmarshal(section, &command)
		} else {
			var sequence bson.E
			sequence, err = parseSequence(section[4:])
			sequences = append(sequences, sequence)
		}
		if err != nil {
			return nil, err
		}
		body = rest
	}
	return append(command, sequences...), nil
}

// parseSequence reads a document sequence: a name and the documents under it.
func parseSequence(section []byte) (bson.E, error) {
	end := bytes.IndexByte(section, 0)
	if end < 0 {
		return bson.E{}, errTruncated
	}
	documents := bson.A{}
	for rest := section[end+1:]; len(rest) > 0; {
		raw, after, err := cut(rest)
		if err != nil {
			return bson.E{}, err
		}
		var document bson.D
		if err := bson.Unmarshal(raw, &document); err != nil {
			return bson.E{}, err
		}
		documents = append(documents, document)
		rest = after
	}
	return bson.E{Key: string(section[:end]), Value: documents}, nil
}

// cut takes one length-prefixed piece off the front.
func cut(body []byte) (piece, rest []byte, err error) {
	if len(body) < 5 {
		return nil, nil, errTruncated
	}
	length := int64(binary.LittleEndian.Uint32(body))
	if length < 5 || length > int64(len(body)) {
		return nil, nil, errTruncated
	}
	return body[:length], body[length:], nil
}

// encodeReply builds the answer to m.
func encodeReply(m message, reply bson.D) ([]byte, error) {
	document, err := bson.Marshal(reply)
	if err != nil {
		return nil, err
	}
	opcode, prefix := uint32(opMessage), make([]byte, 5) // flags, section kind 0
	if m.legacy {
		opcode, prefix = opReply, make([]byte, 20)    // flags, cursor, start, count
		binary.LittleEndian.PutUint32(prefix[16:], 1) // one document
	}
	length := headerBytes + len(prefix) + len(document)
	out := make([]byte, 0, length)
	out = binary.LittleEndian.AppendUint32(out, uint32(length))
	out = binary.LittleEndian.AppendUint32(out, 1)
	out = binary.LittleEndian.AppendUint32(out, m.id)
	out = binary.LittleEndian.AppendUint32(out, opcode)
	out = append(out, prefix...)
	return append(out, document...), nil
}
