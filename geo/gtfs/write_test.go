package gtfs_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/geo/gtfs"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// sameFeed compares feeds by content. The index is built on demand and ignored.
var sameFeed = cmp.Options{
	cmpopts.IgnoreUnexported(gtfs.Feed{}),
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() }),
	cmp.Comparer(func(a, b nhip.Opt[int]) bool { return a == b }),
}

func write(t interface{ Fatal(...any) }, f *gtfs.Feed) []byte {
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriteThenReadIsIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawFeed(t)
		b := write(t, want)
		got, err := gtfs.Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, sameFeed); d != "" {
			t.Fatalf("(-written +read):\n%s", d)
		}
		if !bytes.Equal(b, write(t, got)) {
			t.Fatal("equal feeds gave different bytes")
		}
	})
}

func TestWriteOmitsEstimatedTimes(t *testing.T) {
	f := mustRead(t, with(map[string]string{
		"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" +
			"t1,07:00:00,07:00:00,s1,1\nt1,,,s2,2\nt1,07:08:00,07:08:00,s3,3\n",
	}))
	b := write(t, f)
	got, err := gtfs.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(f, got, sameFeed); d != "" {
		t.Errorf("(-written +read):\n%s", d)
	}
}

func TestWriteRejectsMissingReferences(t *testing.T) {
	for name, spoil := range map[string]func(*gtfs.Feed){
		"agency.txt":     func(f *gtfs.Feed) { f.Agencies = nil },
		"routes.txt":     func(f *gtfs.Feed) { f.Routes[0].Agency = nil },
		"calendar.txt":   func(f *gtfs.Feed) { f.Services[0].Start = 0 },
		"trips.txt":      func(f *gtfs.Feed) { f.Trips[0].Service = nil },
		"stop_times.txt": func(f *gtfs.Feed) { f.Trips[0].StopTimes[0].Stop = nil },
	} {
		f := mustRead(t, small)
		spoil(f)
		if err := f.Write(&bytes.Buffer{}); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s with a missing reference: got %v", name, err)
		}
	}
}

// words are texts that are difficult for CSV but not changed by trimming.
var words = rapid.SampledFrom([]string{
	"Cầu Giấy", `Ngõ "Gạch"`, "a,b", "two\nlines", "-", "Đường 32; số 5", "'", "x  y",
})

func drawFeed(t *rapid.T) *gtfs.Feed {
	loc, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	f := &gtfs.Feed{
		Agencies: []*gtfs.Agency{{
			ID: "A", Name: words.Draw(t, "agency"), URL: "http://a.example", Location: loc, Phone: "1900 1296",
			Email: "a@a.example", FareURL: "http://a.example/ve",
		}},
	}
	if rapid.Bool().Draw(t, "info") {
		f.Info = &gtfs.FeedInfo{Publisher: words.Draw(t, "publisher"), URL: "http://p.example", Language: "vi", Version: "1"}
	}
	for i := range rapid.IntRange(2, 6).Draw(t, "stops") {
		f.Stops = append(f.Stops, &gtfs.Stop{
			ID: fmt.Sprint("s", i), Name: words.Draw(t, "stop"), Point: drawPoint(t), Wheelchair: uint8(i % 3),
		})
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "routes") {
		f.Routes = append(f.Routes, &gtfs.Route{
			ID: fmt.Sprint("r", i), Agency: f.Agencies[0], ShortName: words.Draw(t, "route"), Type: 3, Color: "00aaFF",
			Description: words.Draw(t, "description"), URL: "http://a.example/r",
		})
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "services") {
		f.Services = append(f.Services, drawService(t, fmt.Sprint("c", i)))
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "shapes") {
		f.Shapes = append(f.Shapes, drawShape(t, fmt.Sprint("h", i)))
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "trips") {
		f.Trips = append(f.Trips, drawTrip(t, f, fmt.Sprint("t", i)))
	}
	return f
}

func drawPoint(t *rapid.T) orb.Point {
	return orb.Point{rapid.Float64Range(-180, 180).Draw(t, "lon"), rapid.Float64Range(1, 90).Draw(t, "lat")}
}

func drawService(t *rapid.T, id string) *gtfs.Service {
	s := &gtfs.Service{ID: id, Start: 20260101, End: 20261231}
	for i := range s.Weekdays {
		s.Weekdays[i] = rapid.Bool().Draw(t, "weekday")
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "added") {
		s.Added = append(s.Added, gtfs.Date(20260401+i))
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "removed") {
		s.Removed = append(s.Removed, gtfs.Date(20260501+i))
	}
	return s
}

func drawShape(t *rapid.T, id string) *gtfs.Shape {
	s := &gtfs.Shape{ID: id}
	withDists := rapid.Bool().Draw(t, "dists")
	dist := float32(0)
	for range rapid.IntRange(2, 5).Draw(t, "points") {
		s.Line = append(s.Line, drawPoint(t))
		if withDists {
			dist += rapid.Float32Range(0, 999).Draw(t, "dist")
			s.Dists = append(s.Dists, dist)
		}
	}
	return s
}

func drawTrip(t *rapid.T, f *gtfs.Feed, id string) *gtfs.Trip {
	trip := &gtfs.Trip{
		ID: id, Route: rapid.SampledFrom(f.Routes).Draw(t, "route"),
		Service:  rapid.SampledFrom(f.Services).Draw(t, "service"),
		Headsign: words.Draw(t, "headsign"),
	}
	if len(f.Shapes) > 0 {
		trip.Shape = rapid.SampledFrom(f.Shapes).Draw(t, "shape")
	}
	if rapid.Bool().Draw(t, "directed") {
		trip.Direction = nhip.Some(rapid.IntRange(0, 1).Draw(t, "direction"))
	}
	now := gtfs.Time(rapid.IntRange(0, 30*3600).Draw(t, "start"))
	least := 0
	if len(f.Trips) == 0 { // a timetable whose trips all have no calls is refused
		least = 2
	}
	for i := range rapid.IntRange(least, 6).Draw(t, "calls") {
		now += gtfs.Time(rapid.IntRange(0, 3600).Draw(t, "ride"))
		st := gtfs.StopTime{
			Stop: rapid.SampledFrom(f.Stops).Draw(t, "stop"), Arrival: now, Sequence: int32(i * 3), Dist: gtfs.NoDist,
		}
		now += gtfs.Time(rapid.IntRange(0, 60).Draw(t, "dwell"))
		st.Departure, st.Pickup, st.Timepoint = now, gtfs.Boarding(i%4), gtfs.Timepoint(i%3)
		trip.StopTimes = append(trip.StopTimes, st)
	}
	if rapid.Bool().Draw(t, "frequent") {
		trip.Frequencies = []gtfs.Frequency{{Start: 3600, End: 7200, Headway: 600, Exact: true}}
	}
	return trip
}
