package stream

import (
	"encoding/binary"
	"unicode/utf8"
)

// Opcodes of frames (RFC 6455 §5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
)

// maxMessage is the length of the longest message of a client, bytes. Beyond it the connection is closed.
const maxMessage = 4096

// closing is why a WebSocket is closed.
type closing struct {
	status uint16 // 0: the client gave none
	reason string
}

// Error implements error.
func (c *closing) Error() string { return c.reason }

func protocolError(rule string) error { return &closing{statusProtocol, rule} }

// longestClientHead is the length of the longest head of a masked frame.
const longestClientHead = longestHead + 4

// frameReader takes the frames of a client apart (RFC 6455 §5). It holds memory for a message only while one arrives: a
// library with buffers of its own takes twice what a whole stream does.
type frameReader struct {
	head [longestClientHead]byte
	have int // bytes of the head that were read
	left int // bytes of the payload that follow
	at   int // place in the mask

	open    bool // whether a message has begun
	binary  bool // whether it is a binary one
	message []byte
	control []byte
}

// feed takes bytes of the client, and calls take for each frame of control and each message that is complete, with the
// opcode. It ends with the first error: of take, or a *closing if the client breaks a rule.
func (r *frameReader) feed(p []byte, take func(op byte, payload []byte) error) error {
	for len(p) > 0 {
		if r.left > 0 {
			p = r.feedPayload(p)
		} else {
			r.head[r.have] = p[0]
			r.have++
			p = p[1:]
			if r.have < r.headSize() {
				continue
			}
			if err := r.begin(); err != nil {
				return err
			}
		}
		if r.left == 0 {
			if err := r.end(take); err != nil {
				return err
			}
		}
	}
	return nil
}

// headSize returns the size of the head as far as it is known.
func (r *frameReader) headSize() int {
	switch {
	case r.have < 2:
		return 2
	case r.head[1]&0x80 == 0:
		return 2 // an error
	case r.head[1]&0x7f == length64:
		return 14
	case r.head[1]&0x7f == length16:
		return 8
	}
	return 6
}

func (r *frameReader) opcode() byte    { return r.head[0] & 0x0f }
func (r *frameReader) isFinal() bool   { return r.head[0]&0x80 != 0 }
func (r *frameReader) isControl() bool { return r.head[0]&0x08 != 0 }

// begin begins the payload of a frame whose head is complete.
func (r *frameReader) begin() error {
	size := uint64(r.head[1] & 0x7f)
	switch size {
	case length16:
		size = uint64(binary.BigEndian.Uint16(r.head[2:]))
	case length64:
		size = binary.BigEndian.Uint64(r.head[2:])
	}
	op := r.opcode()
	switch {
	case r.head[0]&0x70 != 0:
		return protocolError("a frame has reserved bits")
	case r.head[1]&0x80 == 0:
		return protocolError("a frame is not masked")
	case r.isControl() && (size > maxLength7 || !r.isFinal()):
		return protocolError("a control frame is long or fragmented")
	case op > opBinary && op != opClose && op != opPing && op != opPong:
		return protocolError("a frame has a reserved opcode")
	case op == opContinuation && !r.open || (op == opText || op == opBinary) && r.open:
		return protocolError("a message is fragmented wrongly")
	case !r.isControl() && size+uint64(len(r.message)) > maxMessage:
		return &closing{statusTooBig, "the message is longer than 4096 bytes"}
	}
	if op == opText || op == opBinary {
		r.open, r.binary = true, op == opBinary
	}
	r.left, r.at = int(size), 0
	return nil
}

// feedPayload takes bytes of the payload and returns the others.
func (r *frameReader) feedPayload(p []byte) []byte {
	n := min(r.left, len(p))
	into := &r.message
	if r.isControl() {
		into = &r.control
	}
	mask := r.head[r.have-4 : r.have]
	for _, b := range p[:n] {
		*into = append(*into, b^mask[r.at&3])
		r.at++
	}
	r.left -= n
	return p[n:]
}

// end ends a frame whose payload is complete.
func (r *frameReader) end(take func(op byte, payload []byte) error) error {
	r.have = 0
	switch {
	case r.isControl():
		payload := r.control
		r.control = nil
		if r.opcode() == opClose {
			return readClose(payload)
		}
		return take(r.opcode(), payload)
	case r.isFinal():
		message, op := r.message, byte(opText)
		if r.binary {
			op = opBinary
		}
		r.message, r.open = nil, false
		return take(op, message)
	}
	return nil
}

// readClose returns what a client's close frame is answered with.
func readClose(payload []byte) error {
	if len(payload) == 0 {
		return &closing{}
	}
	if len(payload) == 1 {
		return protocolError("a close frame has half a status")
	}
	status := binary.BigEndian.Uint16(payload)
	switch {
	case status < 1000, status >= 1004 && status <= 1006, status >= 1015 && status < 3000, status >= 5000:
		return protocolError("a close frame has a reserved status")
	case !utf8.Valid(payload[2:]):
		return &closing{statusNotUTF8, "the reason is not UTF-8"}
	}
	return &closing{status: status}
}
