package ufms

import (
	"math"

	"nhip"

	"google.golang.org/protobuf/encoding/protowire"
)

// value is one field as it stands in the message.
type value struct {
	wire protowire.Type
	raw  []byte
}

// each calls field for every field of a message, in the order of its bytes. Where one stands twice
// the last counts, as Protobuf has it.
func each(msg []byte, field func(n protowire.Number, v value) error) error {
	for len(msg) > 0 {
		number, wire, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return broken(n)
		}
		msg = msg[n:]
		if n = protowire.ConsumeFieldValue(number, wire, msg); n < 0 {
			return broken(n)
		}
		if err := field(number, value{wire, msg[:n]}); err != nil {
			return err
		}
		msg = msg[n:]
	}
	return nil
}

func broken(n int) error {
	return nhip.Errorf(nhip.Malformed, "", "must be Protobuf: %v", protowire.ParseError(n))
}

// is holds a field's type on the wire against that of the schema.
func (v value) is(name, want string, wire protowire.Type) error {
	if v.wire != wire {
		return nhip.Errorf(nhip.Malformed, name, "must be of type %s, got Protobuf's wire type %d", want, v.wire)
	}
	return nil
}

func (v value) varint(name string) (uint64, error) {
	u, _ := protowire.ConsumeVarint(v.raw)
	return u, v.is(name, "int32, enum or bool", protowire.VarintType)
}

func (v value) float(name string) (nhip.Opt[float64], error) {
	u, _ := protowire.ConsumeFixed32(v.raw)
	return nhip.Some(float64(math.Float32frombits(u))), v.is(name, "float", protowire.Fixed32Type)
}

func (v value) double(name string) (nhip.Opt[float64], error) {
	u, _ := protowire.ConsumeFixed64(v.raw)
	return nhip.Some(math.Float64frombits(u)), v.is(name, "double", protowire.Fixed64Type)
}

func (v value) bytes(name string) ([]byte, error) {
	b, _ := protowire.ConsumeBytes(v.raw)
	return b, v.is(name, "string or message", protowire.BytesType)
}

func (v value) plate() (string, error) {
	text, err := v.bytes("vehicle")
	if err != nil {
		return "", err
	}
	return Plate(string(text))
}
