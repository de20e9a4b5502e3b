package packet

// MaxRemaining is the largest remaining length that the protocol can express, in bytes (§2.1.4).
const MaxRemaining = 268_435_455

// Header is the fixed header of a packet.
type Header struct {
	Type      Type
	Flags     byte // the lower half of the first byte
	Remaining int  // bytes that follow the header
	Size      int  // bytes of the header itself
}

// ParseHeader decodes the fixed header at the beginning of b for a version of the protocol, 0 before CONNECT. It
// returns a header of size 0 if b ends within it.
func ParseHeader(b []byte, version byte) (Header, error) {
	if len(b) == 0 {
		return Header{}, nil
	}
	h := Header{Type: Type(b[0] >> 4), Flags: b[0] & 0x0f}
	if err := h.checkFlags(version); err != nil {
		return Header{}, err
	}
	n, size, shortest, err := anyUvarint(b[1:])
	if err != nil || size == 0 {
		return Header{}, err
	}
	if !shortest && version >= V5 {
		return Header{}, Malformed // before MQTT 5 it is not forbidden: some devices write a length of fixed size
	}
	h.Remaining, h.Size = n, 1+size
	return h, nil
}

// checkFlags checks the reserved flags (§2.1.3).
func (h Header) checkFlags(version byte) error {
	var want byte
	switch h.Type {
	case 0:
		return Malformed
	case TypePublish:
		if h.Flags&0x06 == 0x06 || h.Flags&0x0e == 0x08 { // QoS 3; a duplicate with QoS 0
			return Malformed
		}
		return nil
	case TypePubrel, TypeSubscribe, TypeUnsubscribe:
		want = 0x02
		if version == V31 && h.Flags == want|publishDup {
			return nil // MQTT 3.1 §2.1: DUP is set in what is sent again
		}
	}
	if h.Flags != want {
		return Malformed
	}
	return nil
}

// uvarint decodes a variable byte integer in its shortest form (§1.5.5). It returns size 0 if b ends within it.
func uvarint(b []byte) (n, size int, err error) {
	n, size, shortest, err := anyUvarint(b)
	if !shortest && size > 0 {
		return 0, 0, Malformed
	}
	return n, size, err
}

// anyUvarint is uvarint for any form.
func anyUvarint(b []byte) (n, size int, shortest bool, err error) {
	for i := range 4 {
		if i >= len(b) {
			return 0, 0, false, nil
		}
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return n, i + 1, i == 0 || b[i] > 0, nil
		}
	}
	return 0, 0, false, Malformed
}

// appendUvarint appends a variable byte integer.
func appendUvarint(b []byte, n int) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

// uvarintSize returns how many bytes appendUvarint appends.
func uvarintSize(n int) int {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<14:
		return 2
	case n < 1<<21:
		return 3
	}
	return 4
}
