// Package gtfsrt decodes the VehiclePositions of GTFS-realtime 1.0 and 2.0: one payload is one
// FeedMessage in Protobuf, as a feed is fetched or as Digitransit's brokers publish it, one vehicle
// a message. In text:
//
//	header { gtfs_realtime_version: "2.0" incrementality: FULL_DATASET timestamp: 1771257485 }
//	entity { id: "29B12345" vehicle {
//	  trip { trip_id: "09A-1-1730" route_id: "09A" direction_id: 0 start_date: "20260216" }
//	  vehicle { id: "29B12345" label: "09A" license_plate: "29B-123.45" }
//	  position { latitude: 21.0287 longitude: 105.8523 bearing: 90 speed: 8.75 }
//	  timestamp: 1771257482 stop_id: "1234" current_status: IN_TRANSIT_TO
//	  occupancy_status: FEW_SEATS_AVAILABLE } }
//
// Each vehicle becomes a position of the feed's agency. stop_id is the next stop, also while the bus
// stands there (STOPPED_AT), as in HFP. A feed that is fetched comes on nhip/in/gtfs-rt/<name>.
//
// Traps:
//
//   - The vehicle is vehicle.id; where a feed has none, its license_plate, then its label. The id of
//     the entity is not taken for it: it need not outlive the message, and a feed that numbers its
//     entities afresh would make one bus jump through the city. Such an entity is turned away alone.
//   - A vehicle without a timestamp has the header's. That is when the feed was made and not when the
//     bus was there: a bus that has fallen silent looks fresh. Ask the feed for timestamps.
//   - Timestamps are Unix seconds. Some feeds say milliseconds, which is an error.
//   - Latitude and longitude are of 32 bits, good to about 0.4 m at Hanoi's longitude.
//   - A position may be left out; what the vehicle says else is kept, and does not move the bus.
//     Latitude without longitude is an error.
//   - Speed is in m/s, often in km/h by mistake: over 70 it is turned away, below nobody can tell. The
//     odometer is the vehicle's, and not the trip's as ours is; it is not read.
//   - Trip updates and alerts are passed over, unread, and so are deleted entities. A DIFFERENTIAL feed
//     is read like a full one: each vehicle that speaks is a position, and one that is deleted, or is
//     not in the message, has said nothing and becomes stale by itself.
//   - A bad vehicle is turned away alone, as `entity "29B12345"`.
//
// To test one:
//
//	curl -s https://…/vehicle-positions.pb | mosquitto_pub -t nhip/in/gtfs-rt/hanoi -s
package gtfsrt

import (
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"github.com/paulmach/orb"
	"google.golang.org/protobuf/proto"
)

// Decoder reads VehiclePositions.
var Decoder = decode.Decoder{Format: "gtfs-rt", Version: 1, Decode: read}

// Bounds of one message, in bytes and vehicles. The feeds of whole countries have a few megabytes and
// ten thousand vehicles; a vehicle takes many times more memory than it has bytes.
const (
	maxFeed     = 16 << 20
	maxVehicles = 50_000
)

// unmarshal leaves it to us what must be there, so that an entity that lacks a field does not cost the
// others.
var unmarshal = proto.UnmarshalOptions{AllowPartial: true, DiscardUnknown: true}

// feed is what all vehicles of a message share.
type feed struct {
	agency   string
	made     uint64 // the header's timestamp, Unix seconds; 0 when it has none
	vehicles int    // so far
	faults   decode.Faults
	out      *nhip.Facts
}

func read(in decode.Input, out *nhip.Facts) error {
	if len(in.Payload) > maxFeed {
		return nhip.Errorf(nhip.OutOfRange, "", "must be at most %d bytes, got %d", maxFeed, len(in.Payload))
	}
	made, err := readHeader(in.Payload)
	if err != nil {
		return err
	}
	f := feed{agency: in.Feed.Agency, made: made, faults: in.Faults(), out: out}
	return each(in.Payload, func(field wireField) error {
		msg, ok := field.bytes(entityField)
		if !ok {
			return nil
		}
		return f.entity(msg)
	})
}

// readHeader returns the header's timestamp. The header may stand behind the entities.
func readHeader(msg []byte) (made uint64, err error) {
	seen := false
	err = each(msg, func(f wireField) error {
		value, ok := f.bytes(headerField)
		if !ok {
			return nil
		}
		var h gtfs.FeedHeader
		if err := unmarshal.Unmarshal(value, &h); err != nil {
			return nhip.Errorf(nhip.Malformed, "header", "must be a FeedHeader in Protobuf")
		}
		seen = true
		made = h.GetTimestamp()
		return nil
	})
	if err == nil && !seen {
		err = nhip.Errorf(nhip.Missing, "header", "is required")
	}
	return made, err
}

// entity reads one entity; a fault costs it alone. The error is one of the whole message.
func (f *feed) entity(msg []byte) error {
	e, err := readEntity(msg)
	if err == nil && (e.deleted || !e.has) {
		return nil
	}
	if f.vehicles++; f.vehicles > maxVehicles {
		return nhip.Errorf(nhip.OutOfRange, "", "must have at most %d vehicles", maxVehicles)
	}
	var p nhip.Position
	if err == nil {
		p, err = f.vehicle(e.vehicle)
	}
	if err != nil {
		f.faults.Reject(decode.Within("entity "+strconv.Quote(decode.Clip(e.id)), err))
		return nil
	}
	f.out.Positions = append(f.out.Positions, p)
	return nil
}

func (f *feed) vehicle(msg []byte) (nhip.Position, error) {
	var v gtfs.VehiclePosition
	if err := unmarshal.Unmarshal(msg, &v); err != nil {
		return nhip.Position{}, nhip.Errorf(nhip.Malformed, "vehicle", "must be a VehiclePosition in Protobuf")
	}
	p := nhip.Position{Agency: f.agency, Vehicle: name(v.GetVehicle()), Event: nhip.Fix, NextStop: v.GetStopId()}
	if p.Vehicle == "" {
		return p, nhip.Errorf(nhip.Missing, "vehicle.id", "is required, or license_plate, or label")
	}
	var err error
	if p.Time, err = f.time(v.GetTimestamp()); err != nil {
		return p, err
	}
	p.Occupancy = occupancy(&v)
	setTrip(&p, v.GetTrip())
	return p, setPlace(&p, v.GetPosition())
}

// occupancy is what the feed says, in the words that our statuses share with GTFS-realtime. A status
// that is newer than we are says nothing, and must not cost riders the bus.
func occupancy(v *gtfs.VehiclePosition) nhip.Occupancy {
	if v.OccupancyStatus == nil {
		return ""
	}
	if o := nhip.Occupancy(v.GetOccupancyStatus().String()); o.Valid() {
		return o
	}
	return ""
}

// name returns what the feed calls the vehicle.
func name(d *gtfs.VehicleDescriptor) string {
	for _, text := range [...]string{d.GetId(), d.GetLicensePlate(), d.GetLabel()} {
		if text = strings.TrimSpace(text); text != "" {
			return text
		}
	}
	return ""
}

// latest is the last second of the year 9999, which RFC 3339 can write. Milliseconds are beyond it.
const latest = 253402300799

// time returns when the vehicle was there: as it says, or when the feed was made.
func (f *feed) time(stamp uint64) (time.Time, error) {
	if stamp == 0 {
		stamp = f.made
	}
	switch {
	case stamp == 0:
		return time.Time{}, nhip.Errorf(nhip.Missing, "timestamp", "is required, of the vehicle or in the header")
	case stamp > latest:
		return time.Time{}, nhip.Errorf(nhip.OutOfRange, "timestamp", "must be Unix seconds, got %d", stamp)
	}
	return time.Unix(int64(stamp), 0).UTC(), nil
}

func setTrip(p *nhip.Position, t *gtfs.TripDescriptor) {
	p.Trip, p.Route = t.GetTripId(), t.GetRouteId()
	p.StartDate, p.StartTime = t.GetStartDate(), t.GetStartTime()
	if t != nil && t.DirectionId != nil {
		p.Direction = nhip.Some(int(t.GetDirectionId()))
	}
}

// setPlace takes place and movement, as far as they are said.
func setPlace(p *nhip.Position, at *gtfs.Position) error {
	if at == nil {
		return nil
	}
	if at.Latitude == nil {
		return nhip.Errorf(nhip.Missing, "position.latitude", "is required")
	}
	if at.Longitude == nil {
		return nhip.Errorf(nhip.Missing, "position.longitude", "is required")
	}
	p.Point = nhip.Some(orb.Point{float64(at.GetLongitude()), float64(at.GetLatitude())})
	if at.Speed != nil {
		p.Speed = nhip.Some(float64(at.GetSpeed()))
	}
	if at.Bearing != nil {
		p.Bearing = nhip.Some(bearing(at.GetBearing()))
	}
	return nil
}

// bearing writes north as 0, for which many feeds say 360.
func bearing(degrees float32) float64 {
	if degrees == 360 {
		return 0
	}
	return float64(degrees)
}
