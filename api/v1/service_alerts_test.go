package v1

import (
	"net/http"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/api/resttest"
	"nhip/geo/geotest"
	"nhip/internal/topics"
)

// announce passes the state of a feed, a canceled trip and service alerts of it to a server.
func announce(t *testing.T, a *server, trip string, alerts ...nhip.ServiceAlert) {
	t.Helper()
	livetest.Receive(t, a.live, topics.ServiceFeedTopic("city"), nhip.ServiceFeed{Feed: "city", Agency: "hn", Time: eight})
	u := nhip.TripUpdate{
		Feed: "city", Agency: "hn", Trip: trip, StartDate: geotest.Day.String(), Relationship: nhip.TripCanceled,
	}
	livetest.Receive(t, a.live, topics.ServiceTopic(topics.ServiceTrip, "city", u.Key()), u)
	for _, alert := range alerts {
		alert.Feed, alert.Agency = "city", "hn"
		livetest.Receive(t, a.live, topics.ServiceTopic(topics.ServiceAlert, "city", alert.ID), alert)
	}
}

// alertIDs returns the ids of the alerts in an answer.
func alertIDs(t *testing.T, a http.Handler, path string) (ids string) {
	t.Helper()
	for _, alert := range resttest.Decode[struct{ Alerts []struct{ ID string } }](t, a, path).Alerts {
		ids += alert.ID + " "
	}
	return ids
}

func TestServiceAlertsAreListed(t *testing.T) {
	a, _ := newTransitServer(t)
	announce(t, a, "T9-0",
		nhip.ServiceAlert{ID: "line", Informed: []nhip.InformedEntity{{Route: "R1"}}, Effect: "DETOUR"},
		nhip.ServiceAlert{ID: "stop", Informed: []nhip.InformedEntity{{Stop: "S3"}}, Header: []nhip.Translation{
			{Language: "vi", Text: "Dời trạm"},
		}, Periods: []nhip.Period{{From: eight.Add(-time.Hour).UTC(), To: eight.Add(time.Hour).UTC()}}},
		nhip.ServiceAlert{ID: "soon", Informed: []nhip.InformedEntity{{Stop: "S3"}}, Periods: []nhip.Period{
			{From: eight.Add(time.Hour).UTC()},
		}},
	)
	for path, want := range map[string]string{
		"/v1/service-alerts":                        "stop line ",
		"/v1/service-alerts?upcoming=true":          "stop line soon ",
		"/v1/service-alerts?stop=S3":                "stop line ",
		"/v1/service-alerts?stop=S4":                "line ",
		"/v1/service-alerts?route=R1&upcoming=true": "stop line soon ",
		"/v1/stops/S3":                              "stop line ",
		"/v1/stops/S3/arrivals":                     "stop line ",
		"/v1/stops/S4/arrivals":                     "line ",
		"/v1/routes/R1":                             "stop line ",
	} {
		if got := alertIDs(t, a, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for path, code := range map[string]int{
		"/v1/service-alerts?stop=nowhere": http.StatusNotFound, "/v1/service-alerts?route=R9": http.StatusNotFound,
		"/v1/service-alerts?stop=S3&route=R1": http.StatusBadRequest, "/v1/service-alerts?upcoming=1": http.StatusBadRequest,
	} {
		if got := resttest.Get(a, path); got.Code != code {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}

// TestCanceledTripIsOnTheBoard: the trip's bus, if it has one, can't be caught.
func TestCanceledTripIsOnTheBoard(t *testing.T) {
	a, n := newTransitServer(t)
	trips := n.Day(geotest.Day).TripInstances(n.Patterns[0])
	ride(t, a, trips[7], 4100, 0)
	near := "/v1/buses?near=21.0,105.8"
	catchable := func() bool {
		for _, f := range resttest.Decode[struct {
			Features []struct {
				Properties struct {
					WalkTo struct{ Catchable *bool } `json:"walk_to"`
				}
			}
		}](t, a, near).Features {
			return f.Properties.WalkTo.Catchable != nil
		}
		return false
	}
	if !catchable() {
		t.Fatal("the bus has no time before")
	}
	announce(t, a, "T7-0")
	if catchable() {
		t.Error("the bus of a canceled trip has a time")
	}
	for _, d := range resttest.Decode[arrivalsAnswer](t, a, "/v1/stops/S15/arrivals").Arrivals {
		if d.Trip == "T7-0" && (d.State != "canceled" || d.Expected != nil || d.Scheduled == nil) {
			t.Errorf("%+v", d)
		}
	}
}
