package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/apitest"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/geo/geotest"
	"nhip/internal/awaittest"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"
)

// expectedArrival is an arrival of /v1/stops/{id}/arrivals.
type expectedArrival struct {
	Trip, State, Vehicle, Basis string
	PredictedBy                 string    `json:"predicted_by"`
	Other                       time.Time `json:"expected_other"`
	Expected                    time.Time
}

// arrivalsOf returns the arrivals of a trip at a stop.
func arrivalsOf(t *testing.T, c *apitest.Client, stop, trip string) (found []expectedArrival) {
	t.Helper()
	var board struct{ Arrivals []expectedArrival }
	apptest.Decode(t, c.Get(t, "/v1/stops/"+stop+"/arrivals"), &board)
	for _, a := range board.Arrivals {
		if a.Trip == trip {
			found = append(found, a)
		}
	}
	return found
}

// expectedAt returns the only arrival of a trip at a stop, or an empty one.
func expectedAt(t *testing.T, c *apitest.Client, stop, trip string) expectedArrival {
	t.Helper()
	if all := arrivalsOf(t, c, stop, trip); len(all) == 1 {
		return all[0]
	}
	return expectedArrival{}
}

// delayedTrip encodes a feed that expects a trip so late, in s.
func delayedTrip(t *testing.T, at time.Time, trip string, delay int32) string {
	t.Helper()
	raw, err := proto.Marshal(&gtfs.FeedMessage{
		Header: &gtfs.FeedHeader{
			GtfsRealtimeVersion: proto.String("2.0"), Timestamp: proto.Uint64(uint64(at.Unix())),
		},
		Entity: []*gtfs.FeedEntity{{Id: proto.String("d"), TripUpdate: &gtfs.TripUpdate{
			Trip: &gtfs.TripDescriptor{TripId: &trip, StartDate: proto.String("20260302")}, Delay: &delay,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// checkPredictions has a bus on time, which a feed expects ten minutes late.
func checkPredictions(t *testing.T, checked effects) {
	t.Helper()
	eight := time.Date(2026, 3, 2, 8, 0, 0, 0, geotest.TimeZone)
	o := apptest.Options(t, t.TempDir(), fmt.Sprintf(`
gtfs: %q
feeds:
- {topic: nhip/in/position/+, format: position, agency: hn}
- {topic: probe/ours, format: gtfs-rt, agency: hn}
- {topic: probe/theirs, format: gtfs-rt, agency: hn, predictions: theirs}
`, apptest.TimetableFile(t)))
	o.Clock = nhip.StoppedClock(eight)
	p := apptest.Start(t, app.Up, o)
	c := p.API(t)
	drive := apptest.Drive("29B-1", eight.Add(-14*time.Minute), 14*60)
	for i := range drive {
		drive[i].Payload = strings.TrimSuffix(drive[i].Payload, "}") + `,"trip":"T7-0","start_date":"20260302"}`
	}
	p.Publish(t, drive...)
	p.Publish(t, apptest.Message{Topic: "probe/ours", Payload: delayedTrip(t, eight, "T7-0", 600)})
	var ours, theirs expectedArrival
	awaittest.True(t, "the stop knows both times", func() bool {
		ours = expectedAt(t, c, "S20", "T7-0")
		return !ours.Other.IsZero()
	})
	if ours.PredictedBy != "ours" || ours.Vehicle != "29B-1" || ours.Other.Before(ours.Expected.Add(5*time.Minute)) {
		t.Errorf("by default: %+v", ours)
	}
	p.Publish(t, apptest.Message{Topic: "probe/theirs", Payload: delayedTrip(t, eight.Add(time.Second), "T7-0", 600)})
	awaittest.True(t, "the stop tells theirs", func() bool {
		theirs = expectedAt(t, c, "S20", "T7-0")
		return theirs.PredictedBy == "theirs"
	})
	checked.check(t, "feeds[].predictions",
		theirs.Expected.Equal(ours.Other) && theirs.Other.Equal(ours.Expected) && theirs.Vehicle == "29B-1")
}

// TestPredictionsOfARecordedFeed publishes a feed of Redding (California). Of its trips, one is under way.
func TestPredictionsOfARecordedFeed(t *testing.T) {
	data := os.Getenv("TESTDATA_DIR")
	if data == "" {
		t.Skip("TESTDATA_DIR is not set: the recorded feed is missing")
	}
	const trip = "28c61524-6da8-4506-9a92-22f2f6e91872"
	dir := filepath.Join(data, "gtfs-raba-rt")
	o := apptest.Options(t, t.TempDir(), fmt.Sprintf(`
gtfs: %q
feeds: [{topic: nhip/in/gtfs-rt/+, format: gtfs-rt, agency: raba, predictions: theirs}]
`, filepath.Join(dir, "raba.zip")))
	o.Clock = nhip.StoppedClock(time.Date(2025, 6, 8, 21, 8, 30, 0, time.UTC))
	p := apptest.Start(t, app.Up, o)
	c := p.API(t)
	for _, name := range []string{"raba-vehicle-positions", "raba-trip-updates"} {
		raw, err := os.ReadFile(filepath.Join(dir, name+".pb"))
		if err != nil {
			t.Fatal(err)
		}
		p.Publish(t, apptest.Message{Topic: "nhip/in/gtfs-rt/" + name, Payload: string(raw)})
	}
	var told []expectedArrival
	awaittest.True(t, "the board tells the feed's time", func() bool {
		told = arrivalsOf(t, c, "9902", trip)
		return len(told) > 0 && told[0].PredictedBy == "theirs"
	})
	theirs := time.Date(2025, 6, 8, 21, 34, 1, 0, time.UTC)
	if a := told[0]; len(told) != 1 || a.Vehicle != "5701" || !a.Expected.Equal(theirs) || a.Other.Equal(theirs) ||
		a.Other.IsZero() || a.Basis != "operator" {
		t.Errorf("%+v, want the bus at %s", told, theirs)
	}
	realtime := new(gtfs.FeedMessage)
	if err := proto.Unmarshal(c.Get(t, "/gtfs-rt/trip-updates.pb").Body, realtime); err != nil {
		t.Fatal(err)
	}
	for _, e := range realtime.GetEntity() {
		for _, s := range e.GetTripUpdate().GetStopTimeUpdate() {
			if e.GetTripUpdate().GetTrip().GetTripId() == trip && s.GetStopId() == "9902" &&
				s.GetArrival().GetTime() != theirs.Unix() {
				t.Errorf("the realtime feed expects it at %v", s.GetArrival())
			}
		}
	}
	var quality struct {
		Feeds []struct{ Feed, Predictions, Told string }
	}
	apptest.Decode(t, c.Get(t, "/v1/quality/eta"), &quality)
	if len(quality.Feeds) != 1 || quality.Feeds[0].Predictions != "theirs" || quality.Feeds[0].Told != "theirs" {
		t.Errorf("feeds: %+v", quality.Feeds)
	}
}
