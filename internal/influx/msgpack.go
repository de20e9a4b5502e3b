package influx

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
)

// msgpackType is the media type of responses in MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md).
const msgpackType = "application/x-msgpack"

// maxText bounds a text in a response, in bytes. Texts of devices are shorter than 64 KiB, and so are messages.
const maxText = 1 << 20

var errMsgpack = errors.New("the response is not valid MessagePack")

// msgpackBuffers hold the part of a response that is being decoded.
var msgpackBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 64<<10) }}

// msgpackReader decodes the parts of a response. Each is a map with the results of one chunk, all but the last of which
// are partial; a response that is cut off is noticed by that.
type msgpackReader struct {
	in    *bufio.Reader
	s     *Selection
	row   Row
	texts []texts // of each column
	yield func(*Row) error
}

// texts holds texts of a column, most of which occur in many rows, so that they are allocated once.
type texts map[string]string

// maxTexts bounds how many are held.
const maxTexts = 256

func (t *texts) of(b []byte) string {
	if text, ok := (*t)[string(b)]; ok { // does not allocate
		return text
	}
	if *t == nil || len(*t) == maxTexts {
		*t = make(texts)
	}
	text := string(b)
	(*t)[text] = text
	return text
}

// readMsgpack calls yield for each row of a response.
func readMsgpack(body io.Reader, s *Selection, yield func(*Row) error) error {
	in := msgpackBuffers.Get().(*bufio.Reader)
	in.Reset(body)
	defer func() { in.Reset(nil); msgpackBuffers.Put(in) }()
	m := &msgpackReader{
		in: in, s: s, yield: yield, texts: make([]texts, len(s.Columns)),
		row: Row{Values: make([]Value, len(s.Columns)), Tags: make([]string, len(s.GroupBy))},
	}
	for {
		partial, err := m.part()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil || !partial {
			return err
		}
	}
}

// part decodes one part of the response. partial reports whether another one follows.
func (m *msgpackReader) part() (partial bool, err error) {
	err = m.eachKey(func(key string) error {
		switch key {
		case "error":
			text, err := m.text()
			if err == nil {
				err = &failedError{text}
			}
			return err
		case "results":
			return m.each(func() error {
				more, err := m.result()
				partial = partial || more
				return err
			})
		}
		return m.skip()
	})
	return partial, err
}

func (m *msgpackReader) result() (partial bool, err error) {
	err = m.eachKey(func(key string) (err error) {
		switch key {
		case "error":
			text, err := m.text()
			if err == nil {
				err = &failedError{text}
			}
			return err
		case "series":
			return m.each(m.series)
		case "partial":
			partial, err = m.boolean()
			return err
		}
		return m.skip()
	})
	return partial, err
}

// series decodes the rows of one combination of tags.
func (m *msgpackReader) series() error {
	clear(m.row.Tags)
	return m.eachKey(func(key string) error {
		switch key {
		case "tags":
			return m.eachKey(m.tag)
		case "columns":
			n, err := m.arrayLength()
			if err == nil && n != 1+len(m.s.Columns) {
				err = errSchema(m.s.Measurement, fmt.Sprint(n, " columns"))
			}
			for i := 0; err == nil && i < n; i++ {
				err = m.skip()
			}
			return err
		case "values":
			return m.each(m.values)
		}
		return m.skip()
	})
}

func (m *msgpackReader) tag(key string) error {
	text, err := m.text()
	for i, tag := range m.s.GroupBy {
		if tag == key {
			m.row.Tags[i] = text
		}
	}
	return err
}

// values decodes a row and yields it.
func (m *msgpackReader) values() error {
	n, err := m.arrayLength()
	if err != nil {
		return err
	}
	if n != 1+len(m.s.Columns) {
		return errSchema(m.s.Measurement, fmt.Sprint(n, " values"))
	}
	at, err := m.value(nil)
	if err != nil {
		return err
	}
	if at.kind != intValue {
		return errSchema(m.s.Measurement, "no time")
	}
	m.row.Time = int64(at.bits)
	for i := range m.row.Values {
		if m.row.Values[i], err = m.column(i); err != nil {
			return err
		}
	}
	return m.yield(&m.row)
}

// column decodes a value of the row.
func (m *msgpackReader) column(i int) (Value, error) {
	return m.value(func(b []byte) string { return m.texts[i].of(b) })
}

// value decodes a value; text makes the string of a text, nil for a copy.
func (m *msgpackReader) value(text func([]byte) string) (Value, error) {
	c, err := m.in.ReadByte()
	if err != nil {
		return Value{}, err
	}
	switch {
	case c <= 0x7f:
		return IntValue(int64(c)), nil
	case c >= 0xe0:
		return IntValue(int64(int8(c))), nil
	case c == 0xc0:
		return Value{}, nil
	case c == 0xc2 || c == 0xc3:
		return BoolValue(c == 0xc3), nil
	case c == 0xca:
		bits, err := m.number(4)
		return FloatValue(float64(math.Float32frombits(uint32(bits)))), err
	case c == 0xcb:
		bits, err := m.number(8)
		return Value{kind: floatValue, bits: bits}, err
	case c >= 0xcc && c <= 0xcf:
		bits, err := m.number(1 << (c - 0xcc))
		return Value{kind: intValue, bits: bits}, err
	case c >= 0xd0 && c <= 0xd3:
		size := 1 << (c - 0xd0)
		bits, err := m.number(size)
		shift := 64 - 8*size
		return IntValue(int64(bits<<shift) >> shift), err
	}
	b, err := m.textOf(c)
	if err != nil {
		return Value{}, err
	}
	if text == nil {
		return TextValue(string(b)), nil
	}
	return TextValue(text(b)), nil
}

// number reads a big-endian number of size bytes.
func (m *msgpackReader) number(size int) (uint64, error) {
	b, err := m.in.Peek(size)
	if err != nil {
		return 0, err
	}
	_, _ = m.in.Discard(size)
	switch size {
	case 1:
		return uint64(b[0]), nil
	case 2:
		return uint64(binary.BigEndian.Uint16(b)), nil
	case 4:
		return uint64(binary.BigEndian.Uint32(b)), nil
	}
	return binary.BigEndian.Uint64(b), nil
}

// text decodes a text.
func (m *msgpackReader) text() (string, error) {
	c, err := m.in.ReadByte()
	if err != nil {
		return "", err
	}
	b, err := m.textOf(c)
	return string(b), err
}

// textOf returns the bytes of a text whose first byte is c. They are valid until the next read.
func (m *msgpackReader) textOf(c byte) ([]byte, error) {
	var n uint64
	var err error
	switch {
	case c >= 0xa0 && c <= 0xbf:
		n = uint64(c & 0x1f)
	case c >= 0xd9 && c <= 0xdb:
		n, err = m.number(1 << (c - 0xd9))
	case c >= 0xc4 && c <= 0xc6: // bytes
		n, err = m.number(1 << (c - 0xc4))
	default:
		err = errMsgpack
	}
	if err == nil && n > maxText {
		err = errMsgpack
	}
	if err != nil {
		return nil, err
	}
	if b, err := m.in.Peek(int(n)); err == nil {
		_, _ = m.in.Discard(int(n))
		return b, nil
	}
	b := make([]byte, n)
	_, err = io.ReadFull(m.in, b)
	return b, err
}

func (m *msgpackReader) boolean() (bool, error) {
	v, err := m.value(nil)
	if err == nil && v.kind != boolValue {
		err = errMsgpack
	}
	return v.bits != 0, err
}

// arrayLength decodes the head of an array.
func (m *msgpackReader) arrayLength() (int, error) { return m.length(0x90, 0xdc) }

// length decodes the head of an array or a map: short is the first byte of one with up to 15 elements, long that of one
// whose length has 16 bits.
func (m *msgpackReader) length(short, long byte) (int, error) {
	c, err := m.in.ReadByte()
	if err != nil {
		return 0, err
	}
	switch {
	case c&0xf0 == short:
		return int(c & 0x0f), nil
	case c == long:
		n, err := m.number(2)
		return int(n), err
	case c == long+1:
		n, err := m.number(4)
		return int(n), err
	case c == 0xc0: // nil is empty
		return 0, nil
	}
	return 0, errMsgpack
}

// each calls decode for each element of an array.
func (m *msgpackReader) each(decode func() error) error {
	n, err := m.arrayLength()
	for i := 0; err == nil && i < n; i++ {
		err = decode()
	}
	return err
}

// eachKey calls decode for each key of a map, which must decode the value.
func (m *msgpackReader) eachKey(decode func(key string) error) error {
	n, err := m.length(0x80, 0xde)
	for i := 0; err == nil && i < n; i++ {
		var key string
		if key, err = m.text(); err == nil {
			err = decode(key)
		}
	}
	return err
}

// maxDepth bounds the nesting of values that are skipped.
const maxDepth = 8

// skip reads a value of any type.
func (m *msgpackReader) skip() error { return m.skipTo(maxDepth) }

func (m *msgpackReader) skipTo(depth int) error {
	if depth == 0 {
		return errMsgpack
	}
	c, err := m.in.ReadByte()
	if err != nil {
		return err
	}
	_ = m.in.UnreadByte()
	deeper := func() error { return m.skipTo(depth - 1) }
	switch {
	case c&0xf0 == 0x90 || c == 0xdc || c == 0xdd:
		return m.each(deeper)
	case c&0xf0 == 0x80 || c == 0xde || c == 0xdf:
		return m.eachKey(func(string) error { return deeper() })
	}
	_, err = m.value(nil)
	return err
}

// msgpackError returns the message of an error response in MessagePack.
func msgpackError(body []byte) (text string, ok bool) {
	err := readMsgpack(bytes.NewReader(body), &Selection{}, func(*Row) error { return nil })
	var known *failedError
	if errors.As(err, &known) {
		return known.message, true
	}
	return "", false
}
