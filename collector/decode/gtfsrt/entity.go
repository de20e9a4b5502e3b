package gtfsrt

import "nhip/collector/decode/protoscan"

// Fields of a FeedMessage and of a FeedEntity. These two are read field by field, because a message may consist of
// empty entities, which would take much more memory than they have bytes.
const (
	headerField = 1
	entityField = 2

	idField      = 1
	deletedField = 2
	tripField    = 3
	vehicleField = 4
	alertField   = 5
)

// entity is the part of a FeedEntity that we use.
type entity struct {
	id      string
	deleted bool

	// The encoded VehiclePosition, TripUpdate and Alert, and whether there is one.
	vehicle, trip, alert          []byte
	hasVehicle, hasTrip, hasAlert bool
}

// readEntity reads a FeedEntity. Protobuf ignores a field of another type.
func readEntity(msg []byte) (e entity, err error) {
	err = protoscan.Fields(msg, func(f protoscan.Field) error {
		switch f.Number {
		case idField:
			if id, ok := f.Bytes(); ok {
				e.id = string(id)
			}
		case vehicleField:
			if v, ok := f.Bytes(); ok {
				e.vehicle, e.hasVehicle = v, true
			}
		case tripField:
			if v, ok := f.Bytes(); ok {
				e.trip, e.hasTrip = v, true
			}
		case alertField:
			if v, ok := f.Bytes(); ok {
				e.alert, e.hasAlert = v, true
			}
		case deletedField:
			if deleted, ok := f.Varint(); ok {
				e.deleted = deleted != 0
			}
		}
		return nil
	})
	return e, err
}
