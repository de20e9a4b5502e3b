package ledger

import "encoding/binary"

// scanner takes values off the front of bytes. What does not parse makes it bad, and every later
// value zero, so that callers ask once, at the end.
type scanner struct {
	b   []byte
	bad bool
}

func (s *scanner) fail() {
	s.b, s.bad = nil, true
}

func (s *scanner) uvarint() uint64 {
	n, width := binary.Uvarint(s.b)
	if width <= 0 {
		s.fail()
		return 0
	}
	s.b = s.b[width:]
	return n
}

func (s *scanner) varint() int64 {
	n, width := binary.Varint(s.b)
	if width <= 0 {
		s.fail()
		return 0
	}
	s.b = s.b[width:]
	return n
}

// take returns the next n bytes, which stay the scanner's.
func (s *scanner) take(n uint64) []byte {
	if n > uint64(len(s.b)) {
		s.fail()
		return nil
	}
	taken := s.b[:n:n]
	s.b = s.b[n:]
	return taken
}

// bytes returns the next bytes that their length goes before.
func (s *scanner) bytes() []byte { return s.take(s.uvarint()) }

// appendBytes appends what scanner.bytes reads.
func appendBytes[T string | []byte](b []byte, v T) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}
