// Package gtfsrt decodes the VehiclePositions, TripUpdates and Alerts of GTFS-realtime 1.0 and 2.0. A payload is one
// FeedMessage in Protobuf: a whole feed that was fetched, or a message with one vehicle as Digitransit's brokers
// publish it. As text:
//
//	header { gtfs_realtime_version: "2.0" incrementality: FULL_DATASET timestamp: 1771257485 }
//	entity { id: "29B12345" vehicle {
//	  trip { trip_id: "09A-1-1730" route_id: "09A" direction_id: 0 start_date: "20260216" }
//	  vehicle { id: "29B12345" label: "09A" license_plate: "29B-123.45" }
//	  position { latitude: 21.0287 longitude: 105.8523 bearing: 90 speed: 8.75 }
//	  timestamp: 1771257482 stop_id: "1234" current_status: IN_TRANSIT_TO
//	  occupancy_status: FEW_SEATS_AVAILABLE } }
//
//	entity { id: "09A-1-1745" trip_update {
//	  trip { trip_id: "09A-1-1745" start_date: "20260216" schedule_relationship: CANCELED } } }
//	entity { id: "works" alert {
//	  active_period { start: 1771200000 end: 1771300000 } informed_entity { route_id: "09A" }
//	  cause: CONSTRUCTION effect: DETOUR header_text { translation { language: "vi" text: "Đổi lộ trình" } } } }
//
// Each vehicle becomes a position of the feed's agency. stop_id is the next stop, also while the bus is at that stop
// (STOPPED_AT), as in HFP. Trip updates and alerts become one report of the feed, whose name is the topic, or the part
// behind nhip/in/gtfs-rt/. A fetched feed has the topic nhip/in/gtfs-rt/<name>.
//
// Traps:
//
//   - The vehicle is vehicle.id, or without one its license_plate, then its label. The id of the entity is not used: it
//     may change with each message, and a feed that renumbers its entities would make one bus jump across the city. An
//     entity without any of the three is rejected alone.
//   - A vehicle without a timestamp gets that of the header. This is the time at which the feed was created, so a bus
//     that has stopped reporting looks up to date. Ask the provider for timestamps.
//   - Timestamps are Unix seconds. Some feeds contain milliseconds, which is an error of a vehicle; a trip update then
//     has the time of the header, and that the time of arrival. So do those that are ahead of the clock.
//   - Latitude and longitude have 32 bits, a resolution of about 0.4 m at Hanoi's longitude.
//   - The position is optional; without it, or with one that can't be (half of one, 0,0), the other facts of the
//     vehicle are kept and do not move the bus.
//   - A field that a vehicle, a trip or an alert can do without costs only itself if it is invalid: a bearing of -1, a
//     direction of 5. A start_date with dashes is understood.
//   - Speed is in m/s, but some feeds send km/h by mistake: values over 70 are left out, lower ones can't be detected.
//     The odometer is not read: it counts the distance of the vehicle, ours that of the trip.
//   - Each message of a FULL_DATASET replaces all trips and alerts that its topic said before, also with none. Feeds of
//     several URLs must not share a topic. A DIFFERENTIAL message adds to them, and is_deleted takes an entity back.
//     Vehicles are not taken back: one that is deleted or missing becomes stale.
//   - A vehicle on a trip that is CANCELED or DELETED has no trip.
//   - A faulty entity is rejected alone, as `entity "5" vehicle "29B12345"`.
//
// To test one:
//
//	curl -s https://…/vehicle-positions.pb | mosquitto_pub -t nhip/in/gtfs-rt/hanoi -s
package gtfsrt

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/protoscan"
	"nhip/internal/topics"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"
)

const format = "gtfs-rt"

// Decoder decodes FeedMessages.
var Decoder = decode.Decoder{Format: format, Version: 2, Decode: read}

// Limits of one message, in bytes and entities. The feeds of whole countries have a few megabytes and ten thousand
// vehicles; a vehicle needs many times more memory than it has bytes: an empty carriage has 2 and needs 90.
const (
	maxFeed       = 16 << 20
	maxVehicles   = 50_000
	maxVehicle    = 16 << 10 // bytes of a vehicle, and of the header
	maxTrips      = 20_000
	maxTripUpdate = 64 << 10 // bytes
	maxAlerts     = 2_000
	maxAlert      = 64 << 10 // bytes
	maxDeleted    = 20_000
)

// unmarshal does not check for required fields, so that an entity without one is rejected alone.
var unmarshal = proto.UnmarshalOptions{AllowPartial: true, DiscardUnknown: true}

// feed holds what the entities of a message share.
type feed struct {
	in       *decode.Input
	header   header
	entities int // number so far
	vehicles int
	faults   decode.Faults
	out      *nhip.Facts
	report   *nhip.ServiceReport
}

// header is the header of a message.
type header struct {
	made         uint64 // Unix seconds; 0: none
	differential bool
}

func read(in decode.Input, out *nhip.Facts) error {
	if len(in.Payload) > maxFeed {
		return nhip.Errorf(nhip.CodeOutOfRange, "", "must be at most %d bytes, got %d", maxFeed, len(in.Payload))
	}
	h, err := readHeader(in.Payload)
	if err != nil {
		return err
	}
	f := feed{in: &in, header: h, faults: in.Faults(), out: out}
	f.report = &nhip.ServiceReport{
		Feed: feedName(in.Topic), Agency: strings.Clone(in.Feed.Agency), Time: f.reportTime(), Differential: h.differential,
		Predictions: in.Feed.Predictions,
	}
	err = protoscan.Fields(in.Payload, func(field protoscan.Field) error {
		if msg, ok := field.Bytes(); ok && field.Number == entityField {
			return f.entity(msg)
		}
		return nil
	})
	if f.reports() {
		out.Service = f.report
	}
	return err
}

// reports reports whether the message says something about trips or alerts. A whole feed without any says that there
// are none; a message with one vehicle, as brokers publish it on a topic of its own, says nothing.
func (f *feed) reports() bool {
	r := f.report
	if r.Rows()+len(r.Deleted) > 0 {
		return true
	}
	return !r.Differential && (f.entities != 1 || strings.HasPrefix(f.in.Topic, topics.In))
}

// feedName returns the name of the feed of a topic.
func feedName(topic string) string {
	return strings.Clone(strings.TrimPrefix(topic, topics.In+format+"/"))
}

// reportTime returns the time of the header, or that of arrival if it has none that can be.
func (f *feed) reportTime() time.Time {
	made := f.header.made
	if made == 0 {
		return f.in.Received
	}
	at, err := f.past(made)
	if err != nil {
		f.drop("header", err)
		return f.in.Received
	}
	return at
}

// drop reports a field that is left out.
func (f *feed) drop(row string, fault error) {
	var e *nhip.Error
	if errors.As(fault, &e) {
		f.in.Dropped(row, e)
	}
}

// readHeader returns the header, which may follow the entities.
func readHeader(msg []byte) (found header, err error) {
	seen := false
	err = protoscan.Fields(msg, func(f protoscan.Field) error {
		value, ok := f.Bytes()
		if !ok || f.Number != headerField {
			return nil
		}
		if len(value) > maxVehicle {
			return nhip.Errorf(nhip.CodeOutOfRange, "header", "must be at most %d bytes, got %d", maxVehicle, len(value))
		}
		var h gtfs.FeedHeader
		if err := unmarshal.Unmarshal(value, &h); err != nil {
			return nhip.Errorf(nhip.CodeMalformed, "header", "must be a FeedHeader in Protobuf")
		}
		seen = true
		found = header{h.GetTimestamp(), h.GetIncrementality() == gtfs.FeedHeader_DIFFERENTIAL}
		return nil
	})
	if err == nil && !seen {
		err = nhip.Errorf(nhip.CodeMissing, "header", "is required")
	}
	return found, err
}

// entity reads one entity, and rejects each of its parts alone if it is faulty. The error is one of the whole message.
func (f *feed) entity(msg []byte) error {
	f.entities++
	e, err := readEntity(msg)
	name := "entity " + strconv.Quote(decode.Clip(e.id))
	switch {
	case err != nil:
		f.faults.Reject(decode.InRow(name, err))
		return nil
	case e.deleted:
		return f.deleted(e.id)
	}
	if e.hasVehicle {
		if err := f.addVehicle(name, e.vehicle); err != nil {
			return err
		}
	}
	if e.hasTrip {
		if err := f.addTrip(name, e); err != nil {
			return err
		}
	}
	if e.hasAlert {
		return f.addAlert(name, e)
	}
	return nil
}

// deleted notes an entity that a differential feed takes back. A full feed leaves such entities out.
func (f *feed) deleted(id string) error {
	id = strings.TrimSpace(id)
	if !f.header.differential || nhip.CheckID("id", id) != nil {
		return nil
	}
	if len(f.report.Deleted) == maxDeleted {
		return nhip.Errorf(nhip.CodeOutOfRange, "", "must delete at most %d entities", maxDeleted)
	}
	f.report.Deleted = append(f.report.Deleted, id)
	return nil
}

// maxTimestamp is the last second of the year 9999, the last one in RFC 3339. Timestamps in milliseconds are larger.
const maxTimestamp = 253402300799

// time returns the time of a timestamp. The error names the field.
func (f *feed) time(stamp uint64, field string) (time.Time, error) {
	switch {
	case stamp == 0:
		return time.Time{}, nhip.Errorf(nhip.CodeMissing, field, "is required, of the vehicle or in the header")
	case stamp > maxTimestamp:
		return time.Time{}, nhip.Errorf(nhip.CodeOutOfRange, field, "must be Unix seconds, got %d", stamp)
	}
	return time.Unix(int64(stamp), 0).UTC(), nil
}
