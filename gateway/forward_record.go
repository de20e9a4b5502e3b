package gateway

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"nhip"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of a forwarder's record (protocol buffers wire format, so that an old journal opens
// under a new version). A number is never used again for something else.
const (
	recordReceived = 1 // ms since 1970
	recordClient   = 2
	recordTopic    = 3
	recordPayload  = 4
)

// forwardRecords are buffers that records are written in, to spare the garbage collector.
var forwardRecords = sync.Pool{New: func() any { return new([]byte) }}

// appendForwardRecord encodes a message.
func appendForwardRecord(dst []byte, m *nhip.Message) []byte {
	dst = protowire.AppendTag(dst, recordReceived, protowire.VarintType)
	dst = protowire.AppendVarint(dst, protowire.EncodeZigZag(m.Received.UnixMilli()))
	dst = protowire.AppendTag(dst, recordClient, protowire.BytesType)
	dst = protowire.AppendString(dst, m.Client)
	dst = protowire.AppendTag(dst, recordTopic, protowire.BytesType)
	dst = protowire.AppendString(dst, m.Topic)
	dst = protowire.AppendTag(dst, recordPayload, protowire.BytesType)
	return protowire.AppendBytes(dst, m.Payload)
}

// readForwardRecord decodes a record; the payload is a part of it. Fields of a newer version are
// passed over.
func readForwardRecord(record []byte) (m nhip.Message, err error) {
	for len(record) > 0 {
		field, kind, n := protowire.ConsumeTag(record)
		if n < 0 {
			return m, fmt.Errorf("a record's field can't be read: %w", protowire.ParseError(n))
		}
		record = record[n:]
		if n = readForwardField(&m, field, kind, record); n < 0 {
			return m, fmt.Errorf("field %d of a record can't be read: %w", field, protowire.ParseError(n))
		}
		record = record[n:]
	}
	if m.Topic == "" {
		return m, errors.New("a record names no topic")
	}
	return m, nil
}

// readForwardField reads one field into m and returns its length, negative for an error.
func readForwardField(m *nhip.Message, field protowire.Number, kind protowire.Type, b []byte) int {
	switch {
	case field == recordReceived && kind == protowire.VarintType:
		v, n := protowire.ConsumeVarint(b)
		m.Received = time.UnixMilli(protowire.DecodeZigZag(v)).UTC()
		return n
	case field == recordClient && kind == protowire.BytesType:
		v, n := protowire.ConsumeString(b)
		m.Client = v
		return n
	case field == recordTopic && kind == protowire.BytesType:
		v, n := protowire.ConsumeString(b)
		m.Topic = v
		return n
	case field == recordPayload && kind == protowire.BytesType:
		v, n := protowire.ConsumeBytes(b)
		m.Payload = v
		return n
	}
	return protowire.ConsumeFieldValue(field, kind, b)
}
