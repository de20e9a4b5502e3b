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

// What the official bindings write, the decoder reads.
func TestEveryVehicleOfAFeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		msg := drawFeed(t)
		raw, err := proto.Marshal(msg)
		if err != nil {
			t.Fatal(err)
		}
		var facts nhip.Facts
		if err := Decoder.Decode(input(raw), &facts); err != nil || len(facts.Positions) != len(msg.Entity) {
			t.Fatalf("%d positions of %d, %v", len(facts.Positions), len(msg.Entity), err)
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
			v.Timestamp = proto.Uint64(rapid.Uint64Range(1, latest).Draw(t, "timestamp"))
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
		t.Fatalf("%v is read as %+v", v, p)
	}
}

func TestAFeedIsBounded(t *testing.T) {
	header := []byte{headerField<<3 | 2, 0}
	entity := []byte{entityField<<3 | 2, 2, vehicleField<<3 | 2, 0}
	var facts nhip.Facts
	for name, payload := range map[string][]byte{
		"bytes":    make([]byte, maxFeed+1),
		"vehicles": append(header, bytes.Repeat(entity, maxVehicles+1)...),
	} {
		if err := Decoder.Decode(input(payload), &facts); nhip.ErrorCode(err) != nhip.OutOfRange {
			t.Errorf("too many %s: %v", name, err)
		}
	}
	if err := Decoder.Decode(input(append(header, bytes.Repeat(entity, 1000)...)), &facts); err != nil {
		t.Errorf("a thousand bad vehicles: %v", err)
	}
}

// Recorded feeds: RABA says when each bus was where; Bull Runner's vehicles have neither timestamp
// nor trip, only a route.
func TestRecordedFeeds(t *testing.T) {
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
