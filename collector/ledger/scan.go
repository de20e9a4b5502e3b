package ledger

import "encoding/binary"

// scanner reads values from the front of a byte slice. A value that does not parse sets bad, and every later value is
// zero, so that callers need to check bad only once, at the end.
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

// take returns the next n bytes, which share the scanner's memory.
func (s *scanner) take(n uint64) []byte {
	if n > uint64(len(s.b)) {
		s.fail()
		return nil
	}
	taken := s.b[:n:n]
	s.b = s.b[n:]
	return taken
}

// bytes returns the next length-prefixed bytes.
func (s *scanner) bytes() []byte { return s.take(s.uvarint()) }

// appendBytes appends what scanner.bytes reads.
func appendBytes[T string | []byte](b []byte, v T) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}
