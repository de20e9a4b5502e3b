package v1

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/api/resttest"
	"nhip/internal/fleet"
	"nhip/internal/topics"

	"github.com/google/go-cmp/cmp"
)

func TestStations(t *testing.T) {
	a := newServer(t)
	value := func(v float64) map[nhip.Quantity]nhip.LiveValue {
		return map[nhip.Quantity]nhip.LiveValue{nhip.PM25: {Value: v, Time: noon, Period: 3600, Flag: nhip.FlagNotEvaluated}}
	}
	livetest.Receive(t, a.live, topics.LiveAirTopic("b/1"), nhip.Station{
		ID: "b/1", Time: noon, Lat: nhip.Some(21.0), Lon: nhip.Some(105.8), Values: value(69.2),
	})
	livetest.Receive(t, a.live, topics.LiveAirTopic("a"), nhip.Station{ID: "a", Time: noon, Values: value(1)})
	livetest.Receive(t, a.live, topics.LiveAirTopic("old"), nhip.Station{ID: "old", Time: noon.AddDate(0, 0, -31)})
	ids, props := resttest.Features(t, resttest.Get(a, "/v1/stations"))
	if !slices.Equal(ids, []string{"a", "b/1"}) {
		t.Errorf("stations %v", ids)
	}
	pm := props[1]["values"].(map[string]any)["pm25"].(map[string]any)
	if pm["value"] != 69.2 || pm["unit"] != "µg/m³" || pm["period"] != "1h" || pm["flag"] != 2.0 {
		t.Errorf("pm25 %v", pm)
	}
	if ids, _ := resttest.Features(t, resttest.Get(a, "/v1/stations?bbox=105,20,106,22")); !slices.Equal(ids, []string{
		"b/1",
	}) {
		t.Errorf("in the box: %v", ids)
	}
	if w := resttest.Get(a, "/v1/stations/b%2F1"); w.Code != http.StatusOK {
		t.Errorf("an id with a slash: %d %s", w.Code, w.Body)
	}
	if w := resttest.Get(a, "/v1/stations/old"); !strings.Contains(w.Body.String(), `"state":"silent"`) {
		t.Errorf("off the map: %d %s", w.Code, w.Body)
	}
	for _, id := range []string{"none", "M%E1%BB%B9%20%C4%90%C3%ACnh"} {
		if w := resttest.Get(a, "/v1/stations/"+id); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", id, w.Code)
		}
	}
}

func TestIDsWithPercentSigns(t *testing.T) {
	a := newServer(t)
	for _, id := range []string{"50%", "a%41", "aA", "b/1", "đ"} {
		livetest.Receive(t, a.live, topics.LiveAirTopic(id), nhip.Station{ID: id, Time: noon})
	}
	for path, want := range map[string]string{
		"50%25": "50%", "a%2541": "a%41", "a%41": "aA", "b%2F1": "b/1", "%C4%91": "đ",
	} {
		if w := resttest.Get(a, "/v1/stations/"+path); !strings.Contains(w.Body.String(), `"id":"`+want+`"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestStationIndexFreshness(t *testing.T) {
	some := func(v ...float64) []nhip.Opt[float64] {
		var out []nhip.Opt[float64]
		for _, f := range v {
			out = append(out, nhip.Some(f))
		}
		return out
	}
	station := func(age time.Duration) nhip.Station {
		return nhip.Station{ID: "s", Time: noon, Hours: &nhip.HourlyMeans{
			End: noon.Add(-age), Means: map[nhip.Quantity][]nhip.Opt[float64]{nhip.PM25: some(65, 65, 65)},
		}}
	}
	type index struct {
		Scale, State, Dominant string
		Value                  float64
	}
	query := func(s nhip.Station, query string) (i *index, advised bool) {
		a := newServer(t)
		livetest.Receive(t, a.live, "nhip/live/air/s", s)
		w := resttest.Get(a, "/v1/stations/s"+query)
		var f struct {
			Properties struct {
				AQI    *index
				Advice *struct{ Sensitive struct{ Vi string } }
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		return f.Properties.AQI, f.Properties.Advice != nil
	}
	for _, c := range []struct {
		name    string
		age     time.Duration
		query   string
		want    *index
		advised bool
	}{
		{"fresh", 10 * time.Minute, "", &index{"VN_AQI", "live", "pm25", 125}, true},
		{"old", 150 * time.Minute, "", &index{"VN_AQI", "stale", "pm25", 125}, true},
		{"too old", 180 * time.Minute, "", nil, false},
		{"another scale", 0, "?index=US_EPA", &index{"US_EPA", "live", "pm25", 158}, false},
		{"not a day yet", 0, "?index=WHO", nil, false},
	} {
		got, advised := query(station(c.age), c.query)
		if !cmp.Equal(got, c.want) || advised != c.advised {
			t.Errorf("%s: %+v %t, want %+v %t", c.name, got, advised, c.want, c.advised)
		}
	}
	if w := resttest.Get(newServer(t), "/v1/stations?index=AQI"); w.Code != 400 ||
		!strings.Contains(w.Body.String(), "VN_AQI, US_EPA, WHO") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestFleetDataIsAddedToBuses(t *testing.T) {
	a := newServer(t)
	livetest.Receive(t, a.live, topics.FleetVehicleTopic("1"), fleet.Vehicle{
		ID: "1", Plate: "29B-123.45", Line: "32", Interval: time.Minute,
	})
	livetest.Receive(t, a.live, topics.FleetVehicleTopic("2"), fleet.Vehicle{ID: "2", Agency: "other", Plate: "30B"})
	addBus(t, a, nhip.Bus{ID: "1", Lat: 21, Lon: 105.8, Time: noon.Add(-2 * time.Minute)})
	addBus(t, a, nhip.Bus{ID: "2", Lat: 21, Lon: 105.8, Time: noon.Add(-2 * time.Minute)})
	_, props := resttest.Features(t, resttest.Get(a, "/v1/buses"))
	if p := props[0]; p["plate"] != "29B-123.45" || p["usual_line"] != "32" || p["line"] != nil || p["state"] != "live" ||
		p["stale_after_s"] != 180.0 {
		t.Errorf("a bus of the fleet: %v", p)
	}
	if p := props[1]; p["plate"] != nil || p["state"] != "stale" {
		t.Errorf("a bus of another agency: %v", p)
	}
	// a changed entry
	livetest.Receive(t, a.live, topics.FleetVehicleTopic("1"), fleet.Vehicle{ID: "1", Plate: "29B-999.99"})
	if err := a.live.Receive(topics.FleetVehicleTopic("2"), nil); err != nil {
		t.Fatal(err)
	}
	if _, props = resttest.Features(t, resttest.Get(a, "/v1/buses")); props[0]["plate"] != "29B-999.99" ||
		props[0]["state"] != "stale" {
		t.Errorf("after a new fleet: %v", props[0])
	}
}

func TestFleetDataIsAddedToStations(t *testing.T) {
	a := newServer(t)
	report := func(id string) {
		livetest.Receive(t, a.live, topics.LiveAirTopic(id), nhip.Station{
			ID: id, Time: noon.Add(-30 * time.Minute), Lat: nhip.Some(1.0), Lon: nhip.Some(2.0),
			Values: map[nhip.Quantity]nhip.LiveValue{nhip.PM25: {Value: 40, Time: noon.Add(-30 * time.Minute), Period: 60}},
		})
	}
	report("balcony")
	report("street")
	livetest.Receive(t, a.live, topics.FleetStationTopic("balcony"), fleet.Station{
		ID: "balcony", Kind: fleet.LowCost, Position: fleet.Private,
	})
	livetest.Receive(t, a.live, topics.FleetStationTopic("street"), fleet.Station{
		ID: "street", Kind: fleet.Reference, Position: fleet.Public, Name: nhip.LocalizedText{Vi: "Phố Huế"}, Owner: "Sở",
		At: []float64{105.85, 21.01}, Period: time.Hour,
	})
	report("street") // the fleet applies to later messages, too
	w := resttest.Get(a, "/v1/stations")
	ids, props := resttest.Features(t, w)
	if strings.Join(ids, " ") != "balcony street" || props[0]["state"] != "stale" || props[0]["kind"] != "low-cost" {
		t.Fatalf("%v %v", ids, props)
	}
	if name, _ := props[1]["name"].(map[string]any); name["vi"] != "Phố Huế" || name["en"] != "Phố Huế" ||
		props[1]["owner"] != "Sở" || props[1]["state"] != "live" {
		t.Errorf("a station of the fleet: %v", props[1])
	}
	for _, want := range []string{
		`"geometry":null,"properties":{"id":"balcony"`, `[105.85,21.01]},"properties":{"id":"street"`,
	} {
		if !strings.Contains(strings.ReplaceAll(w.Body.String(), `"type":"Feature",`, ""), want) {
			t.Errorf("%s is not in %s", want, w.Body)
		}
	}
	for _, path := range []string{"/v1/stations?format=csv", "/v1/stations/balcony", "/v1/stations?bbox=1.9,0.9,2.1,1.1"} {
		if body := resttest.Get(a, path).Body.String(); strings.Contains(body, "balcony,1,2") ||
			strings.Contains(body, "[2,1]") {
			t.Errorf("%s shows the position of a private station: %s", path, body)
		}
	}
	if err := a.live.Receive(topics.FleetStationTopic("street"), nil); err != nil {
		t.Fatal(err)
	}
	if _, props = resttest.Features(t, resttest.Get(a, "/v1/stations")); props[1]["name"] != nil ||
		props[1]["state"] != "stale" {
		t.Errorf("a station that has left the fleet: %v", props[1])
	}
}
