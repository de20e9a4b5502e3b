package tides_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"nhip"
	"nhip/api/citytest"
	"nhip/api/resttest"
	"nhip/app"
	"nhip/app/recorded"
	"nhip/geo/gtfs"
	"nhip/geo/track"
	"nhip/internal/config"
	"nhip/internal/topics"
)

// TestTablesOfARecordedDay tracks the buses of a day of Washington, without the trips that they report, too, and checks
// its tables. The day has a time zone of its own: that of the timetable.
func TestTablesOfARecordedDay(t *testing.T) {
	data := os.Getenv("TESTDATA_DIR")
	if data == "" {
		t.Skip("TESTDATA_DIR is not set: the recordings are missing")
	}
	feed, err := gtfs.ReadFile(filepath.Join(data, "gtfs-wmata-3routes/gtfs.zip"))
	if err != nil {
		t.Fatal(err)
	}
	set := app.LoadConfig(config.Sources{})
	for _, name := range []string{"wmata.rec.gz", "wmata-bare.rec.gz"} {
		positions, err := recorded.Positions(app.Feeds(&set.Config), []string{filepath.Join(data, "recordings", name)})
		if err != nil {
			t.Fatal(err)
		}
		c := citytest.New(t, feed, positions[0].Time)
		h := &storedHistory{positions: positions, arrivals: arrivalsOf(c, positions)}
		date := gtfs.DateOf(positions[0].Time.In(c.Network.Location()))
		c.Clock.Set(date.At(31*3600, c.Network.Location()))
		handler := newHandler(t, c, h)
		all := getTables(t, handler, "2026-02-16", "")
		checkSchemas(t, all)
		validate(t, all, resttest.Decode[map[string]any](t, handler, "/v1/tides/2026-02-16/datapackage.json"))
		onTrip := 0
		locations := all["vehicle_locations"]
		for i := range locations.rows {
			if locations.cell(i, "trip_id_performed") != "" {
				onTrip++
			}
		}
		trips, visits := len(all["trips_performed"].rows), len(all["stop_visits"].rows)
		t.Logf("%s: %d trips, %d stop visits, %d locations, %d of them on a trip", name, trips, visits, len(locations.rows),
			onTrip)
		if trips < 120 || visits < 5000 || len(locations.rows) != len(positions) || onTrip*10 < 7*len(positions) {
			t.Errorf("%s: rows are missing", name)
		}
	}
}

// arrivalsOf returns the arrivals at stops that a tracker sees, in order of time.
func arrivalsOf(c *citytest.City, positions []nhip.Position) (out []nhip.Arrival) {
	tracker := track.New(c.Network)
	for i := range positions {
		p := &positions[i]
		s := tracker.Update(topics.LiveBusTopic(p.Agency, p.Vehicle), p, "")
		for _, e := range s.StopEvents {
			a := nhip.Arrival{
				Agency: p.Agency, Vehicle: p.Vehicle, Time: e.Arrived.UTC(), Departed: e.Departed.UTC(), Pattern: e.Pattern.ID,
				Route: e.Pattern.Route.ID, Stop: e.Pattern.Stops[e.Stop].ID, Index: e.Stop, Inferred: s.Inferred,
			}
			if e.Arrived.IsZero() {
				if e.Stop > 0 {
					continue
				}
				a.Time = e.Departed.UTC()
			}
			if trip := e.Instance; trip != nil {
				a.Trip, a.StartDate, a.StartTime = trip.Trip.ID, trip.Day.String(), trip.Start.String()
				a.Delay = nhip.Some(int(a.Time.Unix() - trip.Arrives(e.Stop)))
			}
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b nhip.Arrival) int { return a.Time.Compare(b.Time) })
	return out
}
