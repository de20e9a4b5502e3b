package gtfsrt

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/decodetest"
	gtfsfile "nhip/geo/gtfs"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func BenchmarkDecode(b *testing.B) { decodetest.Benchmark(b, Decoder, "full") }

func input(payload []byte) decode.Input {
	return decode.Input{
		Topic: "nhip/in/gtfs-rt/hanoi", Payload: payload, Received: decodetest.Received,
		Feed: &decode.Feed{Agency: "hanoi"}, Reject: func(error) {},
	}
}

// TestDecodeMatchesBindings decodes feeds that the official bindings encode.
func TestDecodeMatchesBindings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		msg := drawFeed(t)
		raw, err := proto.Marshal(msg)
		if err != nil {
			t.Fatal(err)
		}
		var facts nhip.Facts
		if err := Decoder.Decode(input(raw), &facts); err != nil || len(facts.Positions) != len(msg.Entity) {
			t.Fatalf("%d positions, want %d, %v", len(facts.Positions), len(msg.Entity), err)
		}
		for i, e := range msg.Entity {
			compare(t, e.GetVehicle(), &facts.Positions[i], msg.GetHeader().GetTimestamp())
		}
	})
}

func drawFeed(t *rapid.T) *gtfs.FeedMessage {
	msg := &gtfs.FeedMessage{Header: &gtfs.FeedHeader{
		GtfsRealtimeVersion: proto.String("2.0"), Timestamp: proto.Uint64(uint64(decodetest.Received.Unix())),
	}}
	for i := range rapid.IntRange(0, 20).Draw(t, "vehicles") {
		v := &gtfs.VehiclePosition{
			Vehicle: &gtfs.VehicleDescriptor{Id: proto.String(fmt.Sprint("bus ", i))},
			Position: &gtfs.Position{
				Latitude:  proto.Float32(rapid.Float32Range(20, 22).Draw(t, "lat")),
				Longitude: proto.Float32(rapid.Float32Range(105, 106).Draw(t, "lon")),
			},
		}
		if rapid.Bool().Draw(t, "dated") {
			v.Timestamp = proto.Uint64(rapid.Uint64Range(1, maxTimestamp).Draw(t, "timestamp"))
		}
		if rapid.Bool().Draw(t, "moves") {
			v.Position.Speed = proto.Float32(rapid.Float32Range(0, 70).Draw(t, "speed"))
		}
		msg.Entity = append(msg.Entity, &gtfs.FeedEntity{Id: proto.String(fmt.Sprint(i)), Vehicle: v})
	}
	return msg
}

func compare(t *rapid.T, v *gtfs.VehiclePosition, p *nhip.Position, made uint64) {
	at := v.GetPosition()
	pt, _ := p.Point.Get()
	speed, moves := p.Speed.Get()
	stamp := made
	if v.Timestamp != nil {
		stamp = v.GetTimestamp()
	}
	if p.Vehicle != v.GetVehicle().GetId() || p.Time.Unix() != int64(stamp) || moves != (at.Speed != nil) ||
		pt.Lat() != float64(at.GetLatitude()) || pt.Lon() != float64(at.GetLongitude()) || speed != float64(at.GetSpeed()) {
		t.Fatalf("%v is decoded as %+v", v, p)
	}
}

func TestDecodeLimitsFeed(t *testing.T) {
	header := []byte{headerField<<3 | 2, 0}
	entity := []byte{entityField<<3 | 2, 2, vehicleField<<3 | 2, 0}
	var facts nhip.Facts
	for name, payload := range map[string][]byte{
		"bytes":    make([]byte, maxFeed+1),
		"vehicles": append(header, bytes.Repeat(entity, maxVehicles+1)...),
	} {
		if err := Decoder.Decode(input(payload), &facts); nhip.ErrorCode(err) != nhip.CodeOutOfRange {
			t.Errorf("too many %s: %v", name, err)
		}
	}
	if err := Decoder.Decode(input(append(header, bytes.Repeat(entity, 1000)...)), &facts); err != nil {
		t.Errorf("a thousand faulty vehicles: %v", err)
	}
}

// TestDecodeRecordedTrips decodes trip updates of RABA, whose trips are in its timetable.
func TestDecodeRecordedTrips(t *testing.T) {
	facts := recorded(t, "gtfs-raba-rt/raba-trip-updates.pb")
	r := facts.Service
	if r == nil || len(r.Trips) == 0 || r.Differential || len(r.Alerts) > 0 {
		t.Fatalf("%+v", r)
	}
	f, err := gtfsfile.ReadFile(filepath.Join(decodetest.Data(t, ""), "gtfs-raba-rt", "raba.zip"))
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range r.Trips {
		trip := f.Trip(u.Trip)
		if trip == nil || u.Relationship != nhip.TripScheduled || len(u.Stops) == 0 {
			t.Errorf("%+v", u)
			continue
		}
		for _, s := range u.Stops {
			if f.Stop(s.Stop) == nil || !s.Arrival.Known() && !s.Departure.Known() && s.Relationship == "" {
				t.Errorf("%s: %+v", u.Trip, s)
			}
		}
	}
}

// TestDecodeRecordedFeeds decodes feeds of RABA, with a timestamp for each bus, and of Bull Runner, whose vehicles have
// neither timestamp nor trip, only a route.
func TestDecodeRecordedFeeds(t *testing.T) {
	for _, c := range []struct {
		file      string
		positions int
		routes    int
		made      time.Time
	}{
		{"gtfs-raba-rt/raba-vehicle-positions.pb", 22, 1, time.Date(2025, 6, 8, 21, 8, 26, 0, time.UTC)},
		{"gtfs-bullrunner-rt/bullrunner-vehicle-positions", 10, 10, time.Date(2017, 9, 13, 14, 52, 55, 0, time.UTC)},
		{"gtfs-raba-rt/raba-trip-updates.pb", 0, 0, time.Time{}},
	} {
		facts := recorded(t, c.file)
		if len(facts.Positions) != c.positions {
			t.Errorf("%s: %d positions, want %d", c.file, len(facts.Positions), c.positions)
		}
		routes := 0
		for i := range facts.Positions {
			p := &facts.Positions[i]
			if p.Route != "" {
				routes++
			}
			if age := c.made.Sub(p.Time); age < 0 || age > time.Hour {
				t.Errorf("%s: %s is %s older than the feed", c.file, p.Vehicle, age)
			}
			if err := p.Validate(c.made); err != nil {
				t.Errorf("%s: %v", c.file, err)
			}
		}
		if routes != c.routes {
			t.Errorf("%s: %d routes, want %d", c.file, routes, c.routes)
		}
	}
}

func recorded(t *testing.T, file string) nhip.Facts {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(decodetest.Data(t, ""), file))
	if err != nil {
		t.Fatal(err)
	}
	in := input(raw)
	in.Reject = func(fault error) { t.Errorf("%s: %v", file, fault) }
	var facts nhip.Facts
	if err := Decoder.Decode(in, &facts); err != nil {
		t.Fatal(err)
	}
	return facts
}

// A vehicle of empty carriages needs 45 times more memory than it has bytes. It is rejected alone.
func TestLargeVehicleIsRejectedAlone(t *testing.T) {
	many := make([]*gtfs.VehiclePosition_CarriageDetails, 10_000)
	for i := range many {
		many[i] = &gtfs.VehiclePosition_CarriageDetails{}
	}
	entity := func(id string, carriages []*gtfs.VehiclePosition_CarriageDetails) *gtfs.FeedEntity {
		return &gtfs.FeedEntity{Id: &id, Vehicle: &gtfs.VehiclePosition{
			Vehicle: &gtfs.VehicleDescriptor{Id: &id}, Timestamp: proto.Uint64(1771257482), MultiCarriageDetails: carriages,
		}}
	}
	raw, err := proto.Marshal(&gtfs.FeedMessage{
		Header: &gtfs.FeedHeader{GtfsRealtimeVersion: proto.String("2.0")},
		Entity: []*gtfs.FeedEntity{entity("large", many), entity("small", many[:8])},
	})
	if err != nil {
		t.Fatal(err)
	}
	var faults []error
	in := input(raw)
	in.Reject = func(fault error) { faults = append(faults, fault) }
	var facts nhip.Facts
	err = Decoder.Decode(in, &facts)
	if err != nil || len(facts.Positions) != 1 || facts.Positions[0].Vehicle != "small" || len(faults) != 1 {
		t.Errorf("%v, faults %v, %v", facts.Positions, faults, err)
	}
}

// TestHeaderAheadOfTheClockCostsOnlyItself: trips and alerts are kept with the time of arrival.
func TestHeaderAheadOfTheClockCostsOnlyItself(t *testing.T) {
	raw, err := proto.Marshal(&gtfs.FeedMessage{
		Header: &gtfs.FeedHeader{
			GtfsRealtimeVersion: proto.String("2.0"),
			Timestamp:           proto.Uint64(uint64(decodetest.Received.Add(7 * time.Hour).Unix())), // local time as UTC
		},
		Entity: []*gtfs.FeedEntity{{Id: proto.String("1"), TripUpdate: &gtfs.TripUpdate{Trip: &gtfs.TripDescriptor{
			TripId: proto.String("T1"), ScheduleRelationship: gtfs.TripDescriptor_CANCELED.Enum(),
		}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	in, dropped := input(raw), []string{}
	in.Drop = func(_ string, e *nhip.Error) { dropped = append(dropped, e.Field) }
	var facts nhip.Facts
	if err := Decoder.Decode(in, &facts); err != nil || facts.Service == nil {
		t.Fatalf("%+v, %v", facts, err)
	}
	if r := facts.Service; len(r.Trips) != 1 || !r.Time.Equal(decodetest.Received) || len(dropped) != 1 ||
		dropped[0] != "timestamp" {
		t.Errorf("%+v, dropped %v", r, dropped)
	}
}
