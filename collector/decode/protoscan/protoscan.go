// Package protoscan reads Protobuf messages field by field, for decoders that skip most of a message or read a schema
// that has no generated code. Unlike protobuf's protowire, which it uses, it iterates over the fields of a message.
package protoscan

import (
	"math"

	"nhip"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field is one field of a message.
type Field struct {
	Number protowire.Number
	Type   protowire.Type
	value  []byte // encoded
}

// Fields calls visit for each field of a message, in the order of its bytes. Of a field that occurs more than once, the
// last one counts in Protobuf, unless it is a repeated field.
func Fields(msg []byte, visit func(Field) error) error {
	for len(msg) > 0 {
		number, wire, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return malformed(n)
		}
		msg = msg[n:]
		if n = protowire.ConsumeFieldValue(number, wire, msg); n < 0 {
			return malformed(n)
		}
		if err := visit(Field{number, wire, msg[:n]}); err != nil {
			return err
		}
		msg = msg[n:]
	}
	return nil
}

func malformed(n int) error {
	return nhip.Errorf(nhip.CodeMalformed, "", "must be Protobuf: %v", protowire.ParseError(n))
}

// Varint returns the value of an integer, an enum or a bool, and false if the field has another type. Negative values
// of int32 and int64 are sign-extended to 64 bits.
func (f Field) Varint() (uint64, bool) {
	v, _ := protowire.ConsumeVarint(f.value)
	return v, f.Type == protowire.VarintType
}

// Float returns the value of a float, and false if the field has another type.
func (f Field) Float() (float64, bool) {
	v, _ := protowire.ConsumeFixed32(f.value)
	return float64(math.Float32frombits(v)), f.Type == protowire.Fixed32Type
}

// Double returns the value of a double, and false if the field has another type.
func (f Field) Double() (float64, bool) {
	v, _ := protowire.ConsumeFixed64(f.value)
	return math.Float64frombits(v), f.Type == protowire.Fixed64Type
}

// Bytes returns the content of a string, of bytes or of a message, and false if the field has another type. It shares
// the memory of the message.
func (f Field) Bytes() ([]byte, bool) {
	v, _ := protowire.ConsumeBytes(f.value)
	return v, f.Type == protowire.BytesType
}
