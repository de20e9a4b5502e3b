package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/place"
	"nhip/geo/track"
	"nhip/geo/zone"
	"nhip/internal/fleet"
	"nhip/internal/topics"

	"github.com/paulmach/orb"
)

// searchAnswer is an answer of GET /v1/search.
type searchAnswer struct {
	Found []struct {
		Kind           string
		Route, Stop    *struct{ ID string }
		Place, Station *struct{ ID, Type, Zone string }
		Distance       *float64 `json:"distance_m"`
	}
}

// ids returns kind:id of each hit, separated by spaces.
func (a *searchAnswer) ids() string {
	var out []string
	for _, f := range a.Found {
		id := ""
		switch {
		case f.Route != nil:
			id = f.Route.ID
		case f.Stop != nil:
			id = f.Stop.ID
		case f.Place != nil:
			id = f.Place.ID
		case f.Station != nil:
			id = f.Station.ID
		}
		out = append(out, f.Kind+":"+id)
	}
	return strings.Join(out, " ")
}

func search(t *testing.T, a *API, query string) *searchAnswer {
	t.Helper()
	w := get(t, a, "/v1/search?"+query)
	var answer searchAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", query, w.Code, w.Body)
	}
	return &answer
}

// newPlacesAPI returns an api with two stops, a place, a zone and a station of one name.
func newPlacesAPI(t *testing.T) *API {
	f := geotest.Line(21, 15*time.Minute)
	f.Stops[3].Name, f.Stops[12].Name = "BV Bạch Mai", "Cổng BV Bạch Mai"
	ring := orb.Ring{{105.8, 21}, {105.81, 21}, {105.81, 21.01}, {105.8, 21.01}, {105.8, 21}}
	a := newAPI(t, func(o *Options) {
		o.Clock, o.Timetable, o.History = livetest.NewClock(eight.UTC()), network.New(f), quietHistory{}
		o.Places = []place.Place{
			{ID: "bm", Name: nhip.LocalizedText{Vi: "Bệnh viện Bạch Mai"}, Type: "hospital", Point: geotest.At(1500)},
		}
		o.Zones = zone.New([]zone.Zone{
			{Kind: "ward", ID: "7", Name: nhip.LocalizedText{Vi: "Bạch Mai"}, Area: orb.MultiPolygon{{ring}}},
			{Kind: "ward", ID: "8", Name: nhip.LocalizedText{Vi: "Bạch Mai cũ"}, Area: orb.MultiPolygon{{ring}}, To: eight},
		})
	})
	receive(t, a, topics.FleetStationTopic("st"), fleet.Station{
		ID: "st", Name: nhip.LocalizedText{Vi: "Trạm Bạch Mai"}, At: []float64{105.81, 21.0278},
	})
	return a
}

func TestSearchFindsPlacesZonesAndStations(t *testing.T) {
	a := newPlacesAPI(t)
	for query, want := range map[string]string{
		"q=bach+mai&kind=place":          "place:ward/7 place:bm",
		"q=bv+bach+mai":                  "stop:S3 place:bm stop:S12",
		"q=benh+vien+bach+mai&kind=stop": "stop:S3 stop:S12",
		"q=bachmai&kind=station":         "station:st",
		"q=tram+bach+mai&kind=station":   "station:st",
		"q=bach+mai&kind=place,station":  "place:ward/7 place:bm station:st",
		"q=st&kind=station":              "",
		"q=bach+mai+cu&kind=place":       "",
		"q=bach+mai&limit=1&kind=place":  "place:ward/7",
	} {
		if got := search(t, a, query).ids(); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	hit := search(t, a, "q=phuong+bach+mai&kind=place")
	if len(hit.Found) > 0 {
		t.Errorf("a kind of zone is no name: %+v", hit)
	}
	if hit := search(t, a, "q=bach+mai&kind=place").Found[0].Place; hit.Type != "ward" || hit.Zone != "ward/7" {
		t.Errorf("the zone: %+v", hit)
	}
}

func TestSearchListsNearThingsFirst(t *testing.T) {
	a := newPlacesAPI(t)
	near := func(metres float64) string {
		return fmt.Sprintf("&near=%f,%f", geotest.At(metres).Lat(), geotest.At(metres).Lon())
	}
	if got := search(t, a, "q=stop&limit=3&kind=stop"+near(7000)); !strings.HasPrefix(got.ids(), "stop:S14 ") ||
		got.Found[0].Distance == nil || *got.Found[0].Distance > 1 {
		t.Errorf("near S14: %s %v", got.ids(), got.Found[0].Distance)
	}
	if got := search(t, a, "q=01&limit=2"+near(7000)).ids(); !strings.HasPrefix(got, "route:R1") {
		t.Errorf("an exact line comes first: %s", got)
	}
}

func TestSearchOfPlacesNeedsNoTimetable(t *testing.T) {
	a := newAPI(t)
	for query, status := range map[string]int{
		"q=a&kind=place,station": 200, "q=a": 503, "q=a&kind=stop": 503, "q=a&kind=bus": 400, "q=a&kind=": 400,
		"q=a&kind=place,": 400, "q=a&near=91,2": 400, "q=+&kind=place": 400,
	} {
		if w := get(t, a, "/v1/search?"+query); w.Code != status {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

// TestAnswersOfScreensKeepTheContract checks answers against api/openapi.yaml.
func TestAnswersOfScreensKeepTheContract(t *testing.T) {
	a := newPlacesAPI(t)
	n := timetable(t, a).Network
	trip := n.Day(geotest.Day).TripInstances(n.Patterns[0])[7]
	at, _ := trip.Pattern.At(4100)
	state := track.State{
		Status: track.StatusInService, Pattern: trip.Pattern, Instance: trip, Along: 4100, Next: 9, Confidence: 1,
	}
	addBus(t, a, nhip.Bus{ID: "b", Time: eight.UTC(), Lat: at.Lat(), Lon: at.Lon(), Route: "R1", Track: state.Encode()})
	for _, path := range []string{
		"/v1/search?q=bach+mai&near=21.02,105.8", "/v1/buses/hanoi/b", "/v1/stops/S3/timetable",
		"/v1/stops/S3/timetable?date=2026-03-07&direction=1",
	} {
		checkContract(t, a, path)
	}
}
