package stream

import (
	"encoding/binary"
	"math"
)

// Events on the wire. Over server-sent events:
//
//	event: bus
//	data: {…}
//
// and in the short form without the blanks, with rows as events without a name. Over a WebSocket each event is a text
// message, {"event":"bus","data":{…}}, and in the short form rows are a message of their own.

// appendEvent appends an event.
func (v *view) appendEvent(b []byte, name string, data []byte) []byte {
	switch {
	case v.socket:
		start := len(b)
		b = append(b, messageHead[:]...)
		b = append(append(append(b, `{"event":"`...), name...), `","data":`...)
		return endMessage(append(append(b, data...), '}'), start)
	case v.form == formShort:
		b = append(append(append(b, "event:"...), name...), "\ndata:"...)
	default:
		b = append(append(append(b, "event: "...), name...), "\ndata: "...)
	}
	return append(append(b, data...), "\n\n"...)
}

// appendMoves appends the event with rows, each of which has a comma before it.
func (v *view) appendMoves(b, rows []byte) []byte {
	if len(rows) == 0 {
		return b
	}
	rows[0] = '['
	switch {
	case v.form != formShort:
		return v.appendEvent(b, "moves", append(rows, ']'))
	case v.socket:
		start := len(b)
		return endMessage(append(append(append(b, messageHead[:]...), rows...), ']'), start)
	}
	return append(append(append(b, "data:"...), rows...), "]\n\n"...)
}

// appendID gives the last event in b an id. Over a WebSocket it is an event of its own.
func (v *view) appendID(b, id []byte) []byte {
	switch {
	case v.socket:
		return v.appendEvent(b, "id", append(append([]byte{'"'}, id...), '"'))
	case v.form == formShort:
		b = append(b[:len(b)-1], "id:"...)
	default:
		b = append(b[:len(b)-1], "id: "...)
	}
	return append(append(b, id...), "\n\n"...)
}

// Frames of a WebSocket (RFC 6455 §5.2): the first byte says that the frame is a whole message, and of what kind; the
// second is the length, or announces a longer one.
const (
	finalText   = 0x81
	finalClose  = 0x88
	finalPing   = 0x89
	finalPong   = 0x8a
	length16    = 126 // two bytes of length follow
	length64    = 127 // eight do
	maxLength7  = 125
	longestHead = 10
)

// pingFrame is a ping without content.
var pingFrame = []byte{finalPing, 0}

// messageHead is the space before a message for a head with a length of two bytes.
var messageHead [4]byte

// endMessage writes the head of a text message that begins at start, after messageHead, and ends where b ends.
func endMessage(b []byte, start int) []byte {
	n := len(b) - start - len(messageHead)
	switch {
	case n <= maxLength7:
		copy(b[start+2:], b[start+len(messageHead):])
		b = b[:len(b)-2]
		b[start+1] = byte(n)
	case n <= math.MaxUint16:
		b[start+1] = length16
		binary.BigEndian.PutUint16(b[start+2:], uint16(n))
	default:
		var more [longestHead - len(messageHead)]byte
		b = append(b, more[:]...)
		copy(b[start+longestHead:], b[start+len(messageHead):len(b)-len(more)])
		b[start+1] = length64
		binary.BigEndian.PutUint64(b[start+2:], uint64(n))
	}
	b[start] = finalText
	return b
}

// appendClose appends a close frame with a status, 0 for none, and a reason, which is cut to what the frame may hold.
func appendClose(b []byte, status uint16, reason string) []byte {
	if status == 0 {
		return append(b, finalClose, 0)
	}
	reason = reason[:min(len(reason), maxLength7-2)]
	b = append(b, finalClose, byte(2+len(reason)))
	return append(binary.BigEndian.AppendUint16(b, status), reason...)
}

// Statuses of close frames (RFC 6455 §7.4.1).
const (
	statusGoingAway = 1001
	statusProtocol  = 1002
	statusNotUTF8   = 1007
	statusPolicy    = 1008
	statusTooBig    = 1009
)
