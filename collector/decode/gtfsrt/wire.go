package gtfsrt

import (
	"nhip"

	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of a FeedMessage and of a FeedEntity. These two are walked by hand, so that what we do not
// read (trip updates are most of a mixed feed) is stepped over and never built, and a message of
// empty entities takes no memory.
const (
	headerField = 1
	entityField = 2

	idField      = 1
	deletedField = 2
	vehicleField = 4
)

// wireField is one field as it stands in a message.
type wireField struct {
	number protowire.Number
	wire   protowire.Type
	raw    []byte
}

// bytes returns the content of a field if it is the one of that number. One of another type on the
// wire is, to Protobuf, another field.
func (f wireField) bytes(number protowire.Number) (content []byte, ok bool) {
	if f.number != number || f.wire != protowire.BytesType {
		return nil, false
	}
	content, _ = protowire.ConsumeBytes(f.raw)
	return content, true
}

// each calls visit for every field of a message.
func each(msg []byte, visit func(f wireField) error) error {
	for len(msg) > 0 {
		number, wire, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return broken(n)
		}
		msg = msg[n:]
		if n = protowire.ConsumeFieldValue(number, wire, msg); n < 0 {
			return broken(n)
		}
		if err := visit(wireField{number, wire, msg[:n]}); err != nil {
			return err
		}
		msg = msg[n:]
	}
	return nil
}

func broken(n int) error {
	return nhip.Errorf(nhip.Malformed, "", "must be Protobuf: %v", protowire.ParseError(n))
}

// entity is what we read of one.
type entity struct {
	id      string
	deleted bool
	vehicle []byte // its VehiclePosition
	has     bool   // it has one
}

func readEntity(msg []byte) (e entity, err error) {
	err = each(msg, func(f wireField) error {
		if id, ok := f.bytes(idField); ok {
			e.id = string(id)
		}
		if v, ok := f.bytes(vehicleField); ok {
			e.vehicle, e.has = v, true
		}
		if f.number == deletedField && f.wire == protowire.VarintType {
			deleted, _ := protowire.ConsumeVarint(f.raw)
			e.deleted = deleted != 0
		}
		return nil
	})
	return e, err
}
