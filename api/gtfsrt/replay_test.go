package gtfsrt_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/citytest"
	"nhip/api/gtfsrt"
	"nhip/api/resttest"
	"nhip/app"
	"nhip/app/recorded"
	"nhip/collector"
	"nhip/collector/decode"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/internal/config"
	"nhip/internal/gtfsrttest"
	"nhip/internal/sim"
	"nhip/internal/suitetest"

	pb "github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"github.com/go-chi/chi/v5"
	"google.golang.org/protobuf/proto"
)

// city is a running city with its feeds.
type city struct {
	*citytest.City
	handler http.Handler
}

func newCity(c *citytest.City) *city {
	h := &gtfsrt.Handler{Transit: c.Transit, Live: c.Live, Clock: c.Clock, Responder: c.Responder}
	r := chi.NewRouter()
	h.Routes(r)
	return &city{c, r}
}

// get returns a feed.
func (c *city) get(t testing.TB, path string) *pb.FeedMessage {
	t.Helper()
	w := resttest.Get(c.handler, path)
	m := new(pb.FeedMessage)
	if err := proto.Unmarshal(w.Body.Bytes(), m); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d, %v", path, w.Code, err)
	}
	return m
}

func (c *city) feeds(t testing.TB) *gtfsrttest.Feeds {
	t.Helper()
	return &gtfsrttest.Feeds{
		TripUpdates: c.get(t, "/gtfs-rt/trip-updates.pb"), Vehicles: c.get(t, "/gtfs-rt/vehicle-positions.pb"),
		Alerts: c.get(t, "/gtfs-rt/alerts.pb"),
	}
}

// recordings are days of real buses with their timetables.
var recordings = []struct{ name, timetable, recording string }{
	{"Washington", "gtfs-wmata-3routes/gtfs.zip", "recordings/wmata.rec.gz"},
	{"Washington, points alone", "gtfs-wmata-3routes/gtfs.zip", "recordings/wmata-bare.rec.gz"},
	{"Austin", "eta/austin2015mar-shaped-gtfs.zip", "eta/austin0307.rec.gz"},
	{"Austin without shapes, points alone", "eta/austin2015mar-gtfs.zip", "eta/austin0307-bare.rec.gz"},
	{"Be'er Sheva", "eta/beersheva-gtfs.zip", "eta/beersheva.rec.gz"},
}

// TestFeedsOfRecordedDaysKeepTheRules replays days of real buses and checks the feeds by the validator's rules: no
// error, and only the warnings that docs/standards.md explains.
func TestFeedsOfRecordedDaysKeepTheRules(t *testing.T) {
	data := os.Getenv("TESTDATA_DIR")
	if data == "" {
		t.Skip("TESTDATA_DIR is not set: the recordings are missing")
	}
	t.Run("Hanoi, simulated", func(t *testing.T) {
		suitetest.Only(t)
		feed, err := gtfs.ReadFile(filepath.Join(data, "gtfs-hanoi/hanoi-derived-gtfs.zip"))
		if err != nil {
			t.Fatal(err)
		}
		replay(t, feed, simulatedDay(t, feed))
	})
	for _, c := range suitetest.Pick(recordings[:1], recordings) {
		t.Run(c.name, func(t *testing.T) {
			feed, err := gtfs.ReadFile(filepath.Join(data, c.timetable))
			if err != nil {
				t.Fatal(err)
			}
			set := app.LoadConfig(config.Sources{})
			positions, err := recorded.Positions(app.Feeds(&set.Config), []string{filepath.Join(data, c.recording)})
			if err != nil {
				t.Fatal(err)
			}
			if !suitetest.Full() {
				positions = positions[:len(positions)/8]
			}
			replay(t, feed, positions)
		})
	}
}

// simulatedDay returns the positions of a fleet that serves Hanoi's timetable for a day. Half of the buses tell no
// trip.
func simulatedDay(t *testing.T, feed *gtfs.Feed) (positions []nhip.Position) {
	t.Helper()
	from := time.Date(2026, 3, 2, 5, 0, 0, 0, geotest.TimeZone).UTC()
	city, err := sim.New(sim.Options{
		Feed: feed, Buses: 300, Stations: sim.None, Interval: time.Minute, Seed: 1, Clock: nhip.StoppedClock(from),
	})
	if err != nil {
		t.Fatal(err)
	}
	for at := from; at.Before(from.Add(18 * time.Hour)); at = at.Add(time.Minute) {
		for _, m := range city.Step(at) {
			id, ok := strings.CutPrefix(m.Topic, "nhip/in/position/")
			if !ok {
				continue
			}
			var b nhip.Bus
			if err := json.Unmarshal(m.Payload, &b); err != nil {
				t.Fatal(err)
			}
			p := nhip.Position{
				Vehicle: id, Agency: "hanoibus", Time: b.Time, Point: nhip.Some(b.Point()), Trip: b.Trip, StartDate: b.StartDate,
				Bearing: b.Bearing, Speed: b.Speed, Occupancy: b.Occupancy,
			}
			if last := id[len(id)-1]; last%2 == 1 {
				p.Trip, p.StartDate = "", ""
			}
			positions = append(positions, p)
		}
	}
	return positions
}

// readBack decodes the feeds with the platform's own reader.
func readBack(t *testing.T, c *city, f *gtfsrttest.Feeds) {
	t.Helper()
	read := func(path string) *nhip.Facts {
		m := nhip.Message{
			Topic: "nhip/in/gtfs-rt/ours", Payload: resttest.Get(c.handler, path).Body.Bytes(), Received: c.Clock.Now(),
		}
		d, err := collector.Decode(decode.Feed{Format: "gtfs-rt", Agency: "ours"}, m, c.Clock, collector.AnyAge)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return &d.Facts
	}
	if got, want := len(read("/gtfs-rt/vehicle-positions.pb").Positions), len(f.Vehicles.GetEntity()); got != want {
		t.Errorf("our reader finds %d of %d vehicles", got, want)
	}
	if want := len(f.TripUpdates.GetEntity()); want > 0 {
		if s := read("/gtfs-rt/trip-updates.pb").Service; s == nil || len(s.Trips) != want {
			t.Errorf("our reader finds %+v of %d trips", s, want)
		}
	}
}

// replay checks the feeds every five minutes of a recorded day, and once more ten seconds later.
func replay(t *testing.T, feed *gtfs.Feed, positions []nhip.Position) {
	c := newCity(citytest.New(t, feed, positions[0].Time))
	next := positions[0].Time.Add(10 * time.Minute)
	warnings, predictions, checks := make(map[string]int), 0, 0
	check := func(before *gtfsrttest.Feeds) *gtfsrttest.Feeds {
		now := c.feeds(t)
		checks++
		for _, e := range now.TripUpdates.GetEntity() {
			predictions += len(e.GetTripUpdate().GetStopTimeUpdate())
		}
		for _, f := range gtfsrttest.Check(feed, now, before, c.Clock.Now()) {
			if f.Error() {
				t.Errorf("%s: %s %s", c.Clock.Now(), f.Rule, f.Detail)
			}
			warnings[f.Rule]++
		}
		readBack(t, c, now)
		return now
	}
	for i := range positions {
		p := &positions[i]
		if p.Time.After(next) {
			c.Clock.Set(next)
			first := check(nil)
			c.Clock.Set(next.Add(10 * time.Second))
			check(first)
			next = next.Add(5 * time.Minute)
		}
		if p.Time.After(c.Clock.Now()) {
			c.Clock.Set(p.Time)
		}
		c.Move(t, p)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d checks, %d times of stops, warnings %v", checks, predictions, warnings)
	if predictions == 0 {
		t.Error("the feeds tell nothing")
	}
	for rule := range warnings {
		if rule[0] == 'W' && !explained[rule] {
			t.Errorf("unexplained warning %s", rule)
		}
	}
}

// explained are the warnings that docs/standards.md explains.
var explained = map[string]bool{"W002": true, "W003": true, "W006": true, "W008": true}
