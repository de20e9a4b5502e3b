package v1

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"nhip"
	"nhip/api/resttest"
	"nhip/geo/geotest"
	"nhip/geo/track"
	"nhip/internal/topics"
)

type busAnswer struct {
	Properties struct {
		ID       string
		Line     string
		OffRoute bool `json:"off_route"`
		Layover  bool
		Stops    []struct {
			ID, State             string
			Expected, Early, Late *time.Time
			StopsAway             int `json:"stops_away"`
		} `json:"stops_ahead"`
	}
}

func TestBusTellsTheStopsAhead(t *testing.T) {
	a, n := newTransitServer(t)
	trips := n.Day(geotest.Day).TripInstances(n.Patterns[0])
	ride(t, a, trips[7], 4100, 10*time.Second)
	got := resttest.Decode[busAnswer](t, a, "/v1/buses/hanoi/bus-T7-0").Properties
	if len(got.Stops) != 12 || got.Stops[0].ID != "S9" || got.Stops[11].ID != "S20" || got.Layover || got.OffRoute {
		t.Fatalf("%+v", got)
	}
	for i, s := range got.Stops {
		if s.State != "live" || s.Early.After(*s.Expected) || s.Expected.After(*s.Late) || s.StopsAway != i {
			t.Errorf("stop %d: %+v", i, s)
		}
	}
	for _, d := range resttest.Decode[arrivalsAnswer](t, a, "/v1/stops/S15/arrivals").Arrivals {
		if d.Trip == "T7-0" && !d.Expected.Equal(*got.Stops[6].Expected) {
			t.Errorf("the board says %v, the bus %v", d.Expected, got.Stops[6].Expected)
		}
	}
	ride(t, a, trips[8], 0, 10*time.Second)
	got = resttest.Decode[busAnswer](t, a, "/v1/buses/hanoi/bus-T8-0").Properties
	if !got.Layover || len(got.Stops) != 21 || got.Stops[0].ID != "S0" {
		t.Errorf("at its first stop: %+v", got)
	}
}

func TestBusWithoutALineHasNoStopsAhead(t *testing.T) {
	a, n := newTransitServer(t)
	addBus(t, a, nhip.Bus{ID: "x/y", Lat: 21, Lon: 105.8, Time: eight.UTC()})
	if got := resttest.Decode[busAnswer](t, a, "/v1/buses/hanoi/x%2Fy").Properties; got.ID != "x/y" ||
		len(got.Stops) != 0 {
		t.Errorf("%+v", got)
	}
	trip := n.Day(geotest.Day).TripInstances(n.Patterns[0])[7]
	at, _ := trip.Pattern.At(4100)
	s := track.State{
		Status: track.StatusOffRoute, Pattern: trip.Pattern, Instance: trip, Along: 4100, Next: 9, Confidence: 0.3,
		Inferred: true,
	}
	addBus(t, a, nhip.Bus{ID: "unsure", Time: eight.UTC(), Lat: at.Lat(), Lon: at.Lon(), Track: s.Encode()})
	got := resttest.Decode[busAnswer](t, a, "/v1/buses/hanoi/unsure").Properties
	if !got.OffRoute || len(got.Stops) != 12 || got.Stops[0].Expected != nil {
		t.Errorf("boards do not offer it: %+v", got)
	}
	for path, status := range map[string]int{
		"/v1/buses/hanoi/none": 404, "/v1/buses/other/unsure": 404, "/v1/buses/hanoi/unsure?x=1": 400,
	} {
		if w := resttest.Get(a, path); w.Code != status {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	a.clock.Set(eight.Add(3 * time.Hour).UTC())
	if w := resttest.Get(a, "/v1/buses/hanoi/unsure"); w.Code != http.StatusNotFound {
		t.Errorf("after three hours: %d", w.Code)
	}
}

// TestBusOnACanceledTripPromisesNothing: what the operator's feed says holds for the bus as for the boards.
func TestBusOnACanceledTripPromisesNothing(t *testing.T) {
	a, n := newTransitServer(t)
	ride(t, a, n.Day(geotest.Day).TripInstances(n.Patterns[0])[7], 4100, 0)
	at := eight.UTC()
	a.transit.Service(topics.ServiceFeedTopic("f"), &nhip.ServiceFeed{Feed: "f", Time: at})
	a.transit.Service(topics.ServiceTopic(topics.ServiceTrip, "f", "T7-0"), &nhip.TripUpdate{
		Feed: "f", Trip: "T7-0", StartDate: fmt.Sprint(geotest.Day), Relationship: nhip.TripCanceled, Time: at,
	})
	for _, s := range resttest.Decode[busAnswer](t, a, "/v1/buses/hanoi/bus-T7-0").Properties.Stops {
		if s.Expected != nil || s.State != "canceled" && s.State != "" {
			t.Errorf("%+v", s)
		}
	}
}
