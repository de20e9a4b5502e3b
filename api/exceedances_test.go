package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/resttest"
	"nhip/internal/fleet"
	"nhip/internal/influx"
	"nhip/internal/topics"
)

// exceedancesAnswer is what the tests read of an answer.
type exceedancesAnswer struct {
	Stations int
	Rows     []struct {
		Station, Quantity, Average string
		Number, Evaluated          int
		Capture                    float64  `json:"capture_pct"`
		Max                        *float64 `json:"max"`
	}
	Totals []struct {
		Quantity, Average              string
		Stations, Reporting, Exceeding int
		Capture                        float64 `json:"capture_pct"`
		Station                        string  `json:"max_station"`
	}
}

// dayRollups returns the complete days of a station up to end, oldest first.
func dayRollups(station string, q nhip.Quantity, end time.Time, means ...float64) []influx.RollupRow {
	rows := hourRollups(q, end, means...)
	for i := range rows {
		rows[i].Station, rows[i].Period = station, nhip.PeriodDay
		rows[i].Time = end.AddDate(0, 0, i+1-len(rows))
	}
	return rows
}

// areaHistory is a recordHistory that knows its stations.
type areaHistory struct{ *recordHistory }

func (areaHistory) Stations(context.Context) ([]string, error) {
	return []string{"hn-1", "hn-2", "hn-3", "other"}, nil
}

// withArea returns an api with three stations of an area, none of them on the map: hn-1 measured, hn-2 measured half of
// the time, hn-3 was silent, but measured in the month before; and one station elsewhere.
func withArea(t *testing.T) *API {
	midnight := time.Date(2026, 2, 11, 0, 0, 0, 0, hanoi).UTC()
	p := &recordHistory{}
	p.rollups = append(p.rollups, dayRollups("hn-1", nhip.PM25, midnight, 46, 45, 47, 50)...)
	p.rollups = append(p.rollups, dayRollups("hn-2", nhip.PM25, midnight, 60, 61)...)
	p.rollups = append(p.rollups, dayRollups("other", nhip.PM25, midnight, 99)...)
	silent := dayRollups("hn-3", nhip.PM25, time.Date(2026, 2, 1, 0, 0, 0, 0, hanoi).UTC(), 40)[0]
	silent.Period = nhip.PeriodMonth
	p.rollups = append(p.rollups, silent)
	a := newAPI(t, withRecords(p), func(o *Options) { o.History = areaHistory{p} })
	for _, id := range []string{"hn-1", "hn-2", "hn-3"} {
		raw, err := json.Marshal(fleet.Station{ID: id, At: []float64{105.8, 21}, Area: "Ba Đình"})
		if err != nil {
			t.Fatal(err)
		}
		a.live.Receive(topics.FleetStationTopic(id), raw)
	}
	return a
}

func TestExceedancesOfAnAreaHaveItsSilentStations(t *testing.T) {
	a := withArea(t)
	const path, span = "/v1/exceedances?area=Ba%20%C4%90%C3%ACnh", "&quantity=pm25&from=2026-02-07&to=2026-02-10"
	got := resttest.Decode[exceedancesAnswer](t, a.server.Handler, path+span)
	var rows []string
	for _, x := range got.Rows {
		rows = append(rows, fmt.Sprint(x.Station, " ", x.Average, " ", x.Number, " ", x.Evaluated, " ", x.Capture, " ",
			x.Max != nil))
	}
	want := []string{"hn-1 24h 3 4 100 true", "hn-2 24h 2 2 50 true", "hn-3 24h 0 0 0 false"}
	if !slices.Equal(rows, want) || got.Stations != 3 {
		t.Errorf("%d stations, %q", got.Stations, rows)
	}
	if len(got.Totals) != 1 || got.Totals[0].Stations != 3 || got.Totals[0].Reporting != 2 ||
		got.Totals[0].Exceeding != 2 || got.Totals[0].Capture != 50 || got.Totals[0].Station != "hn-2" {
		t.Errorf("totals %+v", got.Totals)
	}
	one := resttest.Decode[exceedancesAnswer](t, a.server.Handler, "/v1/exceedances?station=hn-1"+span)
	if len(one.Rows) != 1 || one.Rows[0] != got.Rows[0] && one.Rows[0].Number != 3 {
		t.Errorf("by its name: %+v", one.Rows)
	}
	all := resttest.Decode[exceedancesAnswer](t, a.server.Handler, "/v1/exceedances?from=2025-02-10&to=2026-02-10")
	if len(all.Rows) != 4 || all.Rows[3].Station != "other" {
		t.Errorf("a year of all: %+v", all.Rows)
	}
	above := resttest.Decode[exceedancesAnswer](t, a.server.Handler, path+span+"&exceeded=true")
	if len(above.Rows) != 2 || above.Rows[1].Station != "hn-2" || above.Totals[0] != got.Totals[0] || above.Stations != 3 {
		t.Errorf("only exceeded: %+v", above)
	}
	_, lines := readCSV(t, get(t, a, path+span+"&exceeded=true&format=csv").Body.Bytes())
	if len(lines) != 2 {
		t.Errorf("only exceeded, in CSV: %v", lines)
	}
	_, lines = readCSV(t, get(t, a, path+span+"&format=csv").Body.Bytes())
	if len(lines) != 3 || lines[2]["max"] != "" || lines[2]["capture_pct"] != "0" || lines[0]["utc_offset"] != "+07:00" ||
		lines[0]["from"] != "2026-02-06T17:00:00.000Z" || lines[0]["max_time"] != "2026-02-10T17:00:00.000Z" {
		t.Errorf("%v", lines)
	}
}

func TestExceedancesOfAllStationsHaveTheirZones(t *testing.T) {
	a := withArea(t)
	raw, err := json.Marshal(fleet.Station{ID: "hn-2", At: []float64{105.8, 21}, Zone: "Asia/Tokyo"})
	if err != nil {
		t.Fatal(err)
	}
	a.live.Receive(topics.FleetStationTopic("hn-2"), raw)
	const path = "/v1/exceedances?format=csv&quantity=pm25&from=2026-02-07&to=2026-02-10"
	_, lines := readCSV(t, get(t, a, path).Body.Bytes())
	offsets := make(map[string]string)
	for _, line := range lines {
		offsets[line["station"]] = line["utc_offset"]
	}
	if offsets["hn-1"] != "+07:00" || offsets["hn-2"] != "+09:00" || offsets["hn-3"] != "" {
		t.Errorf("%v", offsets)
	}
}

func TestExceedancesOfAnUnknownAreaAreNotFound(t *testing.T) {
	w := get(t, withArea(t), "/v1/exceedances?area=Ba%20Dinh")
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `"field":"area"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestIndexOfHoursWithoutAValue has a gap of five hours: two hours of it have an index, from two of their last three
// hours and the next with only one has none.
func TestIndexOfHoursWithoutAValue(t *testing.T) {
	p := &recordHistory{rollups: hourRollups(nhip.PM25, noon.Add(-8*time.Hour), 30, 30, 30)}
	p.rollups = append(p.rollups, hourRollups(nhip.PM25, noon.Add(-2*time.Hour), 60, 60)...)
	a := newAPI(t, withRecords(p))
	times := func(query string) string {
		answer := resttest.Decode[struct {
			Indices []struct {
				Time  time.Time
				Value float64
			}
		}](t, a.server.Handler, "/v1/stations/s/aqi?from=2026-02-15T12:00:00Z"+query)
		var out []string
		for _, x := range answer.Indices {
			out = append(out, fmt.Sprint(x.Time.Hour(), ":", x.Value))
		}
		return strings.Join(out, " ")
	}
	// The NowCast of 5:00 is that of 3:00 and 4:00. At 9:00 only one of three hours is known. The one of 11:00, an hour
	// ago, has no value; that of 12:00 has just ended, and its value may be on its way.
	if got := times(""); got != "3:60 4:60 5:60 10:116 11:116" {
		t.Errorf("%s", got)
	}
	if got := times("&to=2026-02-16T10:00:00Z"); got != "3:60 4:60 5:60 10:116" {
		t.Errorf("up to 10:00: %s", got)
	}
	if got := times("&index=WHO"); got != "" {
		t.Errorf("five of 24 hours: %s", got)
	}
}
