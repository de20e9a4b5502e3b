package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

// stopBoard is an answer of /v1/stops/{id}/arrivals.
type stopBoard struct {
	Arrivals []struct{ Trip, State string }
	Alerts   []struct {
		ID       string
		Active   bool
		Informed []struct{ Stop string }
	}
}

func boardOf(t *testing.T, c *apitest.Client, stop string) (b stopBoard) {
	t.Helper()
	apptest.Decode(t, c.Get(t, "/v1/stops/"+stop+"/arrivals"), &b)
	return b
}

// state returns the state of a trip.
func (b *stopBoard) state(trip string) string {
	for _, a := range b.Arrivals {
		if a.Trip == trip {
			return a.State
		}
	}
	return ""
}

// realtimeFeed encodes a feed that cancels a trip and has an alert about a stop; "" is none.
func realtimeFeed(t *testing.T, at time.Time, trip, stop string) []byte {
	t.Helper()
	msg := &gtfs.FeedMessage{Header: &gtfs.FeedHeader{
		GtfsRealtimeVersion: proto.String("2.0"), Timestamp: proto.Uint64(uint64(at.Unix())),
	}}
	if trip != "" {
		msg.Entity = append(msg.Entity, &gtfs.FeedEntity{Id: proto.String("c"), TripUpdate: &gtfs.TripUpdate{
			Trip: &gtfs.TripDescriptor{
				TripId: &trip, StartDate: proto.String("20260302"),
				ScheduleRelationship: gtfs.TripDescriptor_CANCELED.Enum(),
			},
		}})
	}
	if stop != "" {
		msg.Entity = append(msg.Entity, &gtfs.FeedEntity{Id: proto.String("w"), Alert: &gtfs.Alert{
			InformedEntity: []*gtfs.EntitySelector{{StopId: &stop}}, Effect: gtfs.Alert_STOP_MOVED.Enum(),
		}})
	}
	raw, err := proto.Marshal(msg)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// checkTimetables runs a city of two timetables with the same ids. A pull cancels a trip of the second, and a topic has
// an alert about a stop of the first.
func checkTimetables(t *testing.T, checked effects) {
	t.Helper()
	morning, dir := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC), t.TempDir()
	var files [2]string
	for i, name := range []string{"bus.zip", "metro.zip"} {
		files[i] = filepath.Join(dir, name)
		if err := os.WriteFile(files[i], apptest.Timetable(t, 21), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trip := make(chan string, 1)
	metro := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case id := <-trip:
			_, _ = w.Write(realtimeFeed(t, morning, id, ""))
		default:
			w.WriteHeader(http.StatusNotModified)
		}
	}))
	defer metro.Close()
	o := apptest.Options(t, t.TempDir(), fmt.Sprintf(`
gtfs: "%s,%s"
pulls: [{name: metro, url: %q, every: 1s, timetable: metro}]
feeds:
- {topic: probe/bus, format: gtfs-rt, agency: hn, timetable: bus.zip}
- {topic: nhip/in/gtfs-rt/+, format: gtfs-rt, agency: hn}
`, files[0], files[1], metro.URL))
	o.Clock = nhip.NewReplayClock(morning, 1)
	p := apptest.Start(t, app.Up, o)
	c := p.API(t)
	p.Publish(t, apptest.Message{Topic: "probe/bus", Payload: string(realtimeFeed(t, morning, "", "S3"))})
	awaittest.True(t, "the stop has its alert", func() bool {
		b := boardOf(t, c, "S3")
		return len(b.Alerts) == 1 && len(b.Arrivals) > 0
	})
	first, second := boardOf(t, c, "S3"), boardOf(t, c, "2:S3")
	if len(second.Alerts) > 0 || !first.Alerts[0].Active || first.Alerts[0].Informed[0].Stop != "S3" {
		t.Errorf("the stop of the other timetable: %+v; %+v", second.Alerts, first.Alerts)
	}
	id := first.Arrivals[len(first.Arrivals)-1].Trip
	trip <- id
	awaittest.True(t, "the trip is canceled", func() bool {
		b := boardOf(t, c, "2:S3")
		return b.state("2:"+id) == "canceled"
	})
	first = boardOf(t, c, "S3")
	checked.check(t, "feeds[].timetable", first.state(id) == "scheduled")
	var all struct{ Feeds []nhip.ServiceFeed }
	apptest.Decode(t, c.Get(t, "/v1/service-alerts?upcoming=true"), &all)
	if len(all.Feeds) != 2 || all.Feeds[0].Feed != "metro" || all.Feeds[0].Trips != 1 || all.Feeds[1].Feed != "probe/bus" {
		t.Errorf("feeds: %+v", all.Feeds)
	}
}

// checkLean tells when a bus reaches its last stop without a lean and with a large one.
func checkLean(t *testing.T, checked effects) {
	t.Helper()
	eight := time.Date(2026, 3, 2, 8, 0, 0, 0, geotest.TimeZone)
	told := func(lean string) (at time.Time) {
		o := apptest.Options(t, t.TempDir(), fmt.Sprintf("gtfs: %q\npredict: {lean: %s}", apptest.TimetableFile(t), lean))
		o.Clock = nhip.StoppedClock(eight)
		p := apptest.Start(t, app.Up, o)
		defer p.Stop(t)
		p.Publish(t, apptest.Drive("29B-1", eight.Add(-14*time.Minute), 14*60)...)
		c := p.API(t)
		awaittest.True(t, "the last stop expects the bus", func() bool {
			var board struct {
				Arrivals []struct {
					Trip, State string
					Expected    time.Time
				}
			}
			apptest.Decode(t, c.Get(t, "/v1/stops/S20/arrivals"), &board)
			for _, a := range board.Arrivals {
				if a.Trip == "T7-0" && a.State == "live" {
					at = a.Expected
				}
			}
			return !at.IsZero()
		})
		return at
	}
	late, early := told("0"), told("1")
	checked.check(t, "predict.lean", early.Before(late.Add(-20*time.Second)))
}
