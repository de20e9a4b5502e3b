package gateway

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"nhip"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of a forward record. Records use the Protocol Buffers wire format, so that a new version can read an
// old journal. A number must never be reused for another field.
const (
	recordReceived = 1 // Unix ms
	recordClient   = 2
	recordTopic    = 3
	recordPayload  = 4
)

// forwardRecords pools the buffers in which records are encoded.
var forwardRecords = sync.Pool{New: func() any { return new([]byte) }}

// appendForwardRecord appends the record of a message to dst.
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

// readForwardRecord decodes a record. The payload is a slice of it. Fields of a newer version are skipped.
func readForwardRecord(record []byte) (m nhip.Message, err error) {
	for len(record) > 0 {
		field, kind, n := protowire.ConsumeTag(record)
		if n < 0 {
			return m, fmt.Errorf("forward record: invalid field: %w", protowire.ParseError(n))
		}
		record = record[n:]
		if n = readForwardField(&m, field, kind, record); n < 0 {
			return m, fmt.Errorf("forward record: field %d: %w", field, protowire.ParseError(n))
		}
		record = record[n:]
	}
	if m.Topic == "" {
		return m, errors.New("forward record without a topic")
	}
	return m, nil
}

// readForwardField decodes one field into m and returns its length, or a negative number for an error.
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
