package packet

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// cursor reads the fields of a packet in order. After the first error it returns zero values, and keeps the error.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) fail(r Reason) {
	if c.err == nil {
		c.err = r
	}
	c.b = nil
}

// take returns the next n bytes, which share the packet's memory.
func (c *cursor) take(n int) []byte {
	if n > len(c.b) {
		c.fail(Malformed)
		return nil
	}
	out := c.b[:n:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) uvarint() int {
	n, size, err := uvarint(c.b)
	if err != nil || size == 0 {
		c.fail(Malformed)
		return 0
	}
	c.b = c.b[size:]
	return n
}

// binary returns a field of binary data with its length in front.
func (c *cursor) binary() []byte { return c.take(int(c.uint16())) }

// text returns a UTF-8 field, which must be valid and without NUL (§1.5.4). It shares the packet's memory.
func (c *cursor) text() []byte {
	b := c.binary()
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		c.fail(Malformed)
		return nil
	}
	return b
}

// id returns a packet id, which is never 0.
func (c *cursor) id() uint16 {
	id := c.uint16()
	if id == 0 && c.err == nil {
		c.fail(ProtocolError)
	}
	return id
}

// end returns the error, or that of a packet that is longer than its fields.
func (c *cursor) end() error {
	if len(c.b) > 0 {
		c.fail(Malformed)
	}
	return c.err
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}
