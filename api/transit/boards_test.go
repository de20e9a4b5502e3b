package transit

import (
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"
	"nhip/internal/topics"
)

// feedModel returns a model, at eight, of the line of newModel after a change of its timetable, and the trips of its
// first day in each direction.
func feedModel(t *testing.T, change func(*gtfs.Feed)) (m *Model, out, back []*network.TripInstance) {
	t.Helper()
	f := geotest.Line(21, 15*time.Minute)
	change(f)
	n := network.New(f)
	m = modelOf(t, n)
	return m, n.Day(geotest.Day).TripInstances(n.Patterns[0]), n.Day(geotest.Day).TripInstances(n.Patterns[1])
}

// everywhere is of a bus that calls at all stops.
func everywhere(int) bool { return true }

// departuresAt returns the departures or arrivals at a stop within two hours, by trip.
func departuresAt(t *testing.T, m *Model, stop string, arrivals bool) map[string]Departure {
	t.Helper()
	tt, err := m.Timetable()
	if err != nil {
		t.Fatal(err)
	}
	q := BoardQuery{Now: m.o.Clock.Now(), Until: m.o.Clock.Now().Add(2 * time.Hour)}
	s := tt.FindStop(stop)
	all := make(map[string]Departure)
	if arrivals {
		for _, d := range tt.StopArrivals(s, q) {
			all[d.Trip] = d
		}
		return all
	}
	for _, g := range tt.Nearby(s.Point, 10, 100, q) {
		for _, d := range g.Departures {
			all[d.Trip] = d
		}
	}
	return all
}

func TestBoardsKeepToPickupAndDropOff(t *testing.T) {
	m, out, back := feedModel(t, func(f *gtfs.Feed) {
		for _, trip := range f.Trips {
			if trip.Direction.Or(0) == 1 {
				continue
			}
			calls := trip.StopTimes
			calls[0].DropOff, calls[20].Pickup = gtfs.BoardingNone, gtfs.BoardingNone
			calls[5].Pickup = gtfs.BoardingNone
			calls[6].DropOff = gtfs.BoardingNone
			calls[7].Pickup, calls[7].DropOff = gtfs.BoardingPhone, gtfs.BoardingDriver
			if trip.ID == "T9-0" {
				calls[8].Pickup, calls[0].Pickup = gtfs.BoardingNone, gtfs.BoardingNone
			}
		}
	})
	_ = back
	addBus(m, out[7], 1300) // of 07:45, its next stop is S3
	for _, c := range []struct {
		stop, trip           string
		departure, arrival   bool
		pickup, dropOff      string
		departs, arrivesAlso string // states
	}{
		{stop: "S5", trip: "T7-0", arrival: true, pickup: "none", arrivesAlso: "live"},
		{stop: "S5", trip: "T10-0", arrival: true, pickup: "none", arrivesAlso: "scheduled"},
		{stop: "S6", trip: "T7-0", departure: true, dropOff: "none", departs: "live"},
		{stop: "S6", trip: "T10-0", departure: true, dropOff: "none", departs: "scheduled"},
		{
			stop: "S7", trip: "T7-0", departure: true, arrival: true, pickup: "phone_agency",
			dropOff: "coordinate_with_driver", departs: "live", arrivesAlso: "live",
		},
		{stop: "S8", trip: "T9-0", arrival: true, pickup: "none", arrivesAlso: "scheduled"},
		{stop: "S8", trip: "T10-0", departure: true, arrival: true, departs: "scheduled", arrivesAlso: "scheduled"},
		{
			stop: "S0", trip: "T10-0", departure: true, arrival: true, dropOff: "none", departs: "scheduled",
			arrivesAlso: "scheduled",
		},
		{stop: "S0", trip: "T9-0"},
		{stop: "S20", trip: "T9-0", arrival: true, pickup: "none", arrivesAlso: "scheduled"},
	} {
		for _, arrivals := range []bool{false, true} {
			want, state := c.departure, c.departs
			if arrivals {
				want, state = c.arrival, c.arrivesAlso
			}
			d, listed := departuresAt(t, m, c.stop, arrivals)[c.trip]
			if listed != want {
				t.Errorf("%s at %s (arrivals %t): listed %t", c.trip, c.stop, arrivals, listed)
			}
			if listed && (d.State != state || d.Pickup != c.pickup || d.DropOff != c.dropOff) {
				t.Errorf("%s at %s (arrivals %t): %+v", c.trip, c.stop, arrivals, d)
			}
		}
	}
}

func TestBusOnUnknownTripKeepsToWhatAllTripsHaveInCommon(t *testing.T) {
	m, out, _ := feedModel(t, func(f *gtfs.Feed) {
		for _, trip := range f.Trips {
			if trip.Direction.Or(0) == 0 {
				trip.StopTimes[5].Pickup = gtfs.BoardingNone
			}
		}
		f.Trips[0].StopTimes[7].Pickup = gtfs.BoardingNone
	})
	ghost := *out[7]
	addBusState(m, "free", &track.State{
		Status: track.StatusInService, Pattern: ghost.Pattern, Along: 1300, Next: 3, Confidence: 0.9, Inferred: true,
	})
	for stop, want := range map[string]bool{"S5": false, "S7": true} {
		if _, listed := departuresAt(t, m, stop, false)[""]; listed != want {
			t.Errorf("departure at %s: %t", stop, listed)
		}
	}
}

func TestWalkLeadsToStopWhereRidersMayBoard(t *testing.T) {
	m, out, _ := feedModel(t, func(f *gtfs.Feed) {
		for _, trip := range f.Trips {
			trip.StopTimes[14].Pickup = gtfs.BoardingNone
		}
	})
	plane := network.PlaneAt(geotest.At(7050))
	walk, _ := addBus(m, out[7], 4100).WalkTo(&plane, everywhere)
	if walk.Stop == nil || walk.Stop.ID != "S15" && walk.Stop.ID != "S13" {
		t.Errorf("from S14, where nobody may board: %+v", walk)
	}
	plane = network.PlaneAt(geotest.At(20))
	waiting := addBusState(m, "waiting", &track.State{
		Status: track.StatusLayover, Pattern: out[8].Pattern, Instance: out[8], Next: 1, Confidence: 1,
	})
	if walk, passed := waiting.WalkTo(&plane, everywhere); walk.Stop == nil || walk.Stop.ID != "S0" || passed {
		t.Errorf("from the terminal where it waits: %+v, passed %t", walk, passed)
	}
}

func TestNextTripOfLateBusIsTold(t *testing.T) {
	m, out, back := feedModel(t, func(*gtfs.Feed) {})
	addBus(m, out[4], 9300) // of 07:00, due at its end 07:30: 29 minutes late; 07:35 its way back departs
	d, listed := departuresAt(t, m, "S20", false)["T4-1"]
	if !listed || d.State != "live" || d.Vehicle != "bus-T4-0" || d.CurrentTrip != "T4-0" || d.StopsAway.Or(-1) != 2 {
		t.Fatalf("departure of the way back: %+v", d)
	}
	if late := d.Expected.Sub(time.Unix(back[4].Departs(0), 0)); late < 26*time.Minute || late > 30*time.Minute {
		t.Errorf("it is told %v late", late)
	}
	d = departuresAt(t, m, "S10", true)["T4-1"]
	if d.Vehicle != "bus-T4-0" || d.StopsAway.Or(-1) != 12 || d.Early.After(*d.Expected) || d.Expected.After(*d.Late) {
		t.Errorf("its arrival on the way back: %+v", d)
	}
	if d := departuresAt(t, m, "S10", false)["T5-1"]; d.State != "scheduled" && d.State != "no_report" {
		t.Errorf("the trip of another bus: %+v", d)
	}
}

func TestNextTripOfPunctualBusDepartsOnTime(t *testing.T) {
	m, out, back := feedModel(t, func(*gtfs.Feed) {})
	addBus(m, out[7], 5000) // of 07:45, on time
	d := departuresAt(t, m, "S20", false)["T7-1"]
	if d.State != "live" || !d.Expected.Equal(time.Unix(back[7].Departs(0), 0)) {
		t.Errorf("%+v", d)
	}
}

func TestNextTripBelongsToTheBusThatServesIt(t *testing.T) {
	m, out, back := feedModel(t, func(*gtfs.Feed) {})
	addBus(m, out[4], 9300)
	addBus(m, back[4], 500) // another bus has taken over
	if d := departuresAt(t, m, "S10", false)["T4-1"]; d.Vehicle != "bus-T4-1" || d.CurrentTrip != "" {
		t.Errorf("%+v", d)
	}
}

func TestBusThatLeavesItsBlockLeavesItsNextTrip(t *testing.T) {
	m, out, _ := feedModel(t, func(*gtfs.Feed) {})
	addBus(m, out[7], 5000)
	s := track.State{
		Status: track.StatusInService, Pattern: out[8].Pattern, Instance: out[8], Along: 100, Next: 1, Confidence: 1,
	}
	addBusState(m, "bus-"+out[7].Trip.ID, &s)
	if d := departuresAt(t, m, "S20", false)["T7-1"]; d.State != "scheduled" {
		t.Errorf("%+v", d)
	}
	if d := departuresAt(t, m, "S20", false)["T8-1"]; d.State != "live" {
		t.Errorf("the next trip of its new block: %+v", d)
	}
	m.BusGone(topics.LiveBusTopic("hanoi", "bus-T7-0"), "", "")
	if d := departuresAt(t, m, "S20", false)["T8-1"]; d.State != "scheduled" {
		t.Errorf("after the bus is gone: %+v", d)
	}
}

func TestUnsureBusHasNoNextTrip(t *testing.T) {
	m, out, _ := feedModel(t, func(*gtfs.Feed) {})
	for confidence, want := range map[float64]string{0.3: "scheduled", 0.9: "live"} {
		addBusState(m, "inferred", &track.State{
			Status: track.StatusInService, Pattern: out[7].Pattern, Instance: out[7], Along: 5000, Next: 11,
			Confidence: confidence, Inferred: true,
		})
		d := departuresAt(t, m, "S20", false)["T7-1"]
		if d.State != want || want == "live" && d.Confidence.Or(0) != confidence {
			t.Errorf("confidence %v: %+v", confidence, d)
		}
	}
}

func TestThirdTripOfBlockIsToldToo(t *testing.T) {
	m, out, back := feedModel(t, func(f *gtfs.Feed) {
		for _, trip := range f.Trips { // T9 goes out again after T4 has come back at 08:05
			if strings.HasPrefix(trip.ID, "T9-") {
				trip.Block = "B4"
			}
		}
	})
	addBus(m, out[4], 9300)
	d := departuresAt(t, m, "S2", false)["T9-0"]
	if d.State != "live" || d.Vehicle != "bus-T4-0" || d.CurrentTrip != "T4-0" || d.StopsAway.Or(-1) != 2+20+2 {
		t.Fatalf("%+v", d)
	}
	if late := d.Expected.Sub(time.Unix(out[9].Departs(2), 0)); late < 13*time.Minute || late > 20*time.Minute {
		t.Errorf("it is told %v late, after a way back at %v", late, time.Unix(back[4].Departs(0), 0))
	}
}

func TestBoardReachesBeyondMidnight(t *testing.T) {
	f := geotest.Line(21, 15*time.Minute)
	for _, trip := range f.Trips[:2] { // 00:20, of the next service day
		for i := range trip.StopTimes {
			trip.StopTimes[i].Arrival -= 5*3600 + 2400
			trip.StopTimes[i].Departure -= 5*3600 + 2400
		}
	}
	m := modelOf(t, network.New(f))
	m.o.Clock.(*livetest.Clock).Set(time.Date(2026, 3, 2, 23, 30, 0, 0, geotest.TimeZone))
	if d, listed := departuresAt(t, m, "S5", false)["T0-0"]; !listed || d.State != "scheduled" || d.Minutes < 50 {
		t.Errorf("%+v", d)
	}
}

func TestLoopIsArrivalAndDepartureOfOneStop(t *testing.T) {
	m, _, _ := feedModel(t, func(f *gtfs.Feed) {
		for _, trip := range f.Trips { // to the end and back to S10, where nobody gets on the first time
			calls := trip.StopTimes
			if trip.Direction.Or(0) == 0 {
				calls[20].Stop, calls[10].Pickup = f.Stops[10], gtfs.BoardingNone
			}
		}
	})
	if _, listed := departuresAt(t, m, "S10", false)["T8-0"]; listed {
		t.Error("a departure where nobody may board, or at the last stop")
	}
	tt, _ := m.Timetable()
	arrivals := 0
	q := BoardQuery{Now: eight, Until: eight.Add(2 * time.Hour)}
	for _, d := range tt.StopArrivals(tt.FindStop("S10"), q) {
		if d.Trip == "T8-0" {
			arrivals++
		}
	}
	if arrivals != 2 {
		t.Errorf("%d arrivals at a stop that the trip passes twice", arrivals)
	}
}

func TestFindRoutes(t *testing.T) {
	m, _, _ := feedModel(t, func(f *gtfs.Feed) {
		for _, id := range []string{"2,3", "4"} {
			f.Routes = append(f.Routes, &gtfs.Route{ID: id, Agency: f.Agencies[0]})
		}
	})
	tt, _ := m.Timetable()
	for list, want := range map[string]string{"": "", "R1": "R1", "2,3": "2,3", "R1,4": "R1 4", "4, R1": "4 R1"} {
		found, err := tt.FindRoutes(list)
		var ids []string
		for _, r := range found {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); err != nil || got != want {
			t.Errorf("%q: %q, %v", list, got, err)
		}
	}
	for list, want := range map[string]nhip.Code{
		"R1,x": nhip.CodeNotFound, "R1,": nhip.CodeInvalid, ",": nhip.CodeInvalid,
		strings.Repeat("R1,", 20) + "R1": nhip.CodeInvalid,
	} {
		if _, err := tt.FindRoutes(list); nhip.ErrorCode(err) != want {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func TestOverdueBusAtItsTerminalStaysListedWhileItReports(t *testing.T) {
	m, out, _ := feedModel(t, func(*gtfs.Feed) {})
	addBusState(m, "waiting", &track.State{ // of 07:45
		Status: track.StatusLayover, Pattern: out[7].Pattern, Instance: out[7], Next: 1, Confidence: 1,
	})
	addBusState(m, "ended", &track.State{ // of 07:15, due at 07:45; its way back departs at 07:50
		Status: track.StatusLayover, Pattern: out[5].Pattern, Instance: out[5], Along: 10_000, Next: 21, Confidence: 1,
	})
	for after, want := range map[time.Duration]bool{0: true, 75 * time.Second: true, 10 * time.Minute: false} {
		m.o.Clock.(*livetest.Clock).Set(eight.Add(after))
		for stop, trip := range map[string]string{"S0": "T7-0", "S20": "T5-1"} {
			d, listed := departuresAt(t, m, stop, false)[trip]
			if listed && d.Vehicle != "" != want || want && (!listed || d.Minutes > 0.1 || d.StopsAway.Or(-1) != 0) {
				t.Errorf("%s after %v: %t, %+v", trip, after, listed, d)
			}
		}
	}
}
