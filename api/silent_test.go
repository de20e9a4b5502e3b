package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/api/resttest"
	"nhip/internal/fleet"
	"nhip/internal/influx"
	"nhip/internal/topics"
)

// silentHistory is the history of a station that was imported ("old"), one of the fleet that is silent ("far"), and of
// none of the others.
type silentHistory struct{ recordHistory }

// oldFirst and oldLast are the times of the readings of "old".
var (
	oldFirst = time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)
	oldLast  = time.Date(2018, 12, 31, 17, 0, 0, 0, time.UTC)
)

func (h *silentHistory) Stations(context.Context) ([]string, error) {
	return []string{"old", "far"}, nil
}

func (h *silentHistory) StationSpans(_ context.Context, yield func(nhip.StationSpan) error) error {
	return yield(nhip.StationSpan{Station: "old", First: oldFirst, Last: oldLast})
}

// withSilent returns an api with a live monitor (m00), the imported station, and two of the fleet: "far" in the zone of
// Tokyo, and "new" without any reading.
func withSilent(t *testing.T) *API {
	t.Helper()
	h := &silentHistory{}
	h.rollups = append(h.rollups, influx.RollupRow{Rollup: nhip.Rollup{
		Station: "far", Quantity: nhip.PM25, Period: nhip.PeriodDay, Quality: nhip.QualityAutomatic,
		Time:        time.Date(2026, 1, 10, 15, 0, 0, 0, time.UTC), // midnight in Tokyo
		RollupStats: nhip.RollupStats{Mean: 20, Count: 24, Capture: 100, Flag: nhip.FlagGood},
	}})
	a := newAPI(t, func(o *Options) { o.History, o.Zone, o.Token = h, hanoi, "s3cret" })
	livetest.ReceiveStation(t, a.live, livetest.Monitor(0, noon, 20))
	receive(t, a, topics.FleetStationTopic("far"), fleet.Station{
		ID: "far", Name: nhip.LocalizedText{Vi: "Trạm xa"}, Zone: "Asia/Tokyo", At: []float64{105.9, 21}, Kind: "reference",
	})
	receive(t, a, topics.FleetStationTopic("new"), fleet.Station{ID: "new", Area: "Ba Đình"})
	return a
}

func TestAllStationsAreListed(t *testing.T) {
	a := withSilent(t)
	for query, want := range map[string]string{
		"": "m00", "?state=all": "far m00 new old", "?state=silent": "far new old", "?state=live": "m00", "?state=stale": "",
		"?state=all&bbox=105.89,20.9,106,21.1": "far",
	} {
		if ids, _ := resttest.Features(t, get(t, a, "/v1/stations"+query)); strings.Join(ids, " ") != want {
			t.Errorf("%s: %v, want %s", query, ids, want)
		}
	}
	_, props := resttest.Features(t, get(t, a, "/v1/stations?state=all"))
	far, live, unheard, old := props[0], props[1], props[2], props[3]
	if old["state"] != "silent" || old["first_reading"] != "2018-01-01T00:00:00Z" ||
		old["last_reading"] != "2018-12-31T17:00:00Z" || old["time"] != old["last_reading"] {
		t.Errorf("imported: %v", old)
	}
	if live["state"] != "live" || live["last_reading"] != "2026-02-16T12:00:00Z" {
		t.Errorf("live: %v", live)
	}
	if far["zone"] != "Asia/Tokyo" || far["kind"] != "reference" || unheard["time"] != nil ||
		unheard["area"] != "Ba Đình" {
		t.Errorf("of the fleet: %v %v", far, unheard)
	}
	if w := get(t, a, "/v1/stations?state=dead"); w.Code != 400 || !strings.Contains(w.Body.String(), `"field":"state"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	_, rows := readCSV(t, get(t, a, "/v1/stations?state=all&format=csv").Body.Bytes())
	if len(rows) != 4 || rows[3]["station"] != "old" || rows[3]["state"] != "silent" || rows[3]["value"] != "" ||
		rows[3]["first_reading"] != "2018-01-01T00:00:00.000Z" || rows[1]["quantity"] != "pm25" || rows[2]["time"] != "" {
		t.Errorf("%v", rows)
	}
}

func TestSilentStationHasAPage(t *testing.T) {
	a := withSilent(t)
	for id, want := range map[string]string{
		"old": `"last_reading":"2018-12-31T17:00:00Z"`, "far": `"vi":"Trạm xa"`, "new": `"time":null`,
	} {
		w := get(t, a, "/v1/stations/"+id)
		if w.Code != http.StatusOK || !json.Valid(w.Body.Bytes()) || !strings.Contains(w.Body.String(), want) ||
			!strings.Contains(w.Body.String(), `"state":"silent"`) {
			t.Errorf("%s: %d %s", id, w.Code, w.Body)
		}
	}
	if w := get(t, a, "/v1/stations/never"); w.Code != http.StatusNotFound {
		t.Errorf("unknown: %d %s", w.Code, w.Body)
	}
}

// TestEmptyWindowIsAnAnswer asks for times without rows of stations that exist, and for one that does not.
func TestEmptyWindowIsAnAnswer(t *testing.T) {
	a := withSilent(t)
	paths := []string{
		"/v1/stations/ID/readings?from=2017-01-01&to=2017-01-31", "/v1/stations/ID/readings?quantity=so2",
		"/v1/stations/ID/readings?period=hour&format=csv&from=2017-01-01&to=2017-01-31",
		"/v1/stations/ID/readings?period=month&format=parquet", "/v1/stations/ID/aqi?from=2017-01-01&to=2017-01-31",
		"/v1/stations/ID/aqi?format=csv&period=day", "/v1/stations/ID/report?month=2017-05",
		"/v1/stations/ID/report?month=2017-05&format=csv", "/v1/exceedances?station=ID",
		"/v1/exceedances?station=ID&format=csv",
	}
	for _, path := range paths {
		for id, status := range map[string]int{"m00": 200, "old": 200, "far": 200, "new": 200, "never": 404} {
			if w := get(t, a, strings.Replace(path, "ID", id, 1)); w.Code != status {
				t.Errorf("%s of %s: %d %.200s", path, id, w.Code, w.Body)
			}
		}
	}
}

func TestSilentStationHasItsOwnZone(t *testing.T) {
	a := withSilent(t)
	_, rows := readCSV(t, get(t, a,
		"/v1/stations/far/readings?period=day&from=2026-01-10&to=2026-01-10&format=csv").Body.Bytes())
	if len(rows) != 1 || rows[0]["date"] != "2026-01-10" || rows[0]["utc_offset"] != "+09:00" {
		t.Errorf("%v", rows)
	}
	if body := get(t, a, "/v1/stations/far/report?month=2026-01").Body.String(); !strings.Contains(body, "Trạm xa") ||
		!strings.Contains(body, "Asia/Tokyo") {
		t.Errorf("%s", body)
	}
}

func TestStatusListsSilentStations(t *testing.T) {
	got := resttest.Decode[struct {
		Stations []struct {
			Station string
			State   string
			Time    *time.Time
		}
	}](t, withSilent(t).server.Handler, "/v1/stations/status").Stations
	if len(got) != 4 || got[3].Station != "old" || got[3].State != "silent" || !got[3].Time.Equal(oldLast) ||
		got[2].Time != nil {
		t.Errorf("%+v", got)
	}
}

func TestListOfAllStationsNeedsTheHistory(t *testing.T) {
	a := newAPI(t) // whose history is away
	if w := get(t, a, "/v1/stations?state=all"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := get(t, a, "/v1/stations"); w.Code != http.StatusOK {
		t.Errorf("on the map: %d %s", w.Code, w.Body)
	}
}
