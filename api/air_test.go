package api

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/api/rest"
	"nhip/api/resttest"
	"nhip/geo/aqi"
	"nhip/internal/awaittest"
	"nhip/internal/fleet"
	"nhip/internal/influx"
	"nhip/internal/topics"

	"github.com/paulmach/orb"
)

// withMonitors returns an api with 12 monitors at noon, of which the eastern ones measure the most PM2.5.
func withMonitors(t testing.TB, change ...func(*Options)) *API {
	t.Helper()
	a := newAPI(t, change...)
	livetest.ReceiveMonitors(t, a.live)
	return a
}

// hourlyHistory is a history of the same monitors, whose PM2.5 is given by pm25. It counts its queries.
type hourlyHistory struct {
	absentHistory
	pm25       func(i int, end time.Time) float64
	queries    atomic.Int64
	running    atomic.Int64
	maxRunning atomic.Int64
	hold       chan struct{} // nil: answers immediately; otherwise when it is closed
}

func (h *hourlyHistory) Rollups(ctx context.Context, q influx.RollupQuery, yield func(influx.RollupRow) error) error {
	h.queries.Add(1)
	h.maxRunning.Store(max(h.maxRunning.Load(), h.running.Add(1)))
	defer h.running.Add(-1)
	if h.hold != nil {
		<-h.hold
	}
	for end := q.From.Truncate(time.Hour).Add(time.Hour); !end.After(q.To); end = end.Add(time.Hour) {
		for i := range 12 {
			r := influx.RollupRow{Rollup: nhip.Rollup{
				Station: fmt.Sprintf("m%02d", i), Quantity: nhip.PM25, Period: nhip.PeriodHour, Time: end,
				RollupStats: nhip.RollupStats{Mean: h.pm25(i, end), Count: 12, Capture: 100, Flag: nhip.FlagGood},
			}}
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *hourlyHistory) Readings(context.Context, influx.ReadingQuery, func(nhip.AssessedReading) error) error {
	return nil
}

func withHistory(h History) func(*Options) { return func(o *Options) { o.History = h } }

// airAnswer is a part of an answer of /v1/air.
type airAnswer struct {
	Time  time.Time
	State nhip.State
	AQI   *struct {
		Value    float64
		Low      nhip.Opt[float64]
		Dominant nhip.Quantity
		Sub      []struct {
			Concentration float64
			Low           nhip.Opt[float64]
			Method        string
			Sites         int
		} `json:"sub_indices"`
	}
	Why     *nhip.LocalizedText
	Advice  *aqi.Advice
	Nearest []struct {
		ID        string
		AQI       nhip.Opt[float64]
		Estimated bool
	}
}

// patternAnswer is a pattern in an answer of /v1/routes/{id}/air.
type patternAnswer struct {
	Steps []struct {
		Metres float64 `json:"along_m"`
	}
}

// train trains the fields from the history.
func train(t *testing.T, a *API) {
	t.Helper()
	a.tasks.Go("air training", a.air.Run)
	t.Cleanup(a.tasks.Cancel)
	awaittest.True(t, "the fields are trained", func() bool {
		return strings.Contains(get(t, a, "/metrics").Body.String(), "nhip_api_surface_rounds")
	})
}

// airOf returns the answer of /v1/air for a place and further parameters.
func airOf(t *testing.T, a *API, query string) airAnswer {
	t.Helper()
	w := get(t, a, "/v1/air?at="+query)
	var out airAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s %v", query, w.Code, w.Body, err)
	}
	return out
}

func TestAirAtPlace(t *testing.T) {
	a := withMonitors(t)
	middle := airOf(t, a, "21.028,105.852")
	if middle.AQI == nil || middle.State != nhip.StateLive || !middle.Time.Equal(noon) || middle.Advice == nil ||
		len(middle.Nearest) != 3 {
		t.Fatalf("%+v", middle)
	}
	pm := middle.AQI.Sub[0]
	if math.Abs(pm.Concentration-60) > 6 || pm.Method != "idw" || pm.Sites != 12 || pm.Low.Known() ||
		middle.AQI.Dominant != nhip.PM25 {
		t.Errorf("60 µg/m³: %+v", pm)
	}
	east := airOf(t, a, "21.028,105.89")
	if east.AQI == nil || east.AQI.Value <= middle.AQI.Value {
		t.Errorf("the index in the east is not higher: %+v", east.AQI)
	}
	far := airOf(t, a, "20.0,104.0")
	if far.AQI != nil || far.Why == nil || far.Why.Vi == "" || len(far.Nearest) != 3 {
		t.Errorf("far away: %+v", far)
	}
	if who := airOf(t, a, "21.028,105.852&index=WHO"); who.AQI != nil {
		t.Errorf("a mean of 24 hours from 12 hours: %+v", who.AQI)
	}
	for query, field := range map[string]string{
		"": "at", "at=1": "at", "at=21,105&index=AQI": "index", "at=21,105&time=soon": "time",
		"at=21,105&time=2026-02-16T12:30:00Z": "time", "at=21,105&near=1": "near",
	} {
		w := get(t, a, "/v1/air?"+query)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"field":"`+field+`"`) {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	}
}

// TestSilentMonitorIsEstimated has a monitor that is silent and whose values are usually 40 % above the others.
func TestSilentMonitorIsEstimated(t *testing.T) {
	const silent = 5
	h := &hourlyHistory{pm25: func(i int, end time.Time) float64 {
		v := 60 + 20*math.Sin(float64(end.Unix()/3600)) + float64((i*7+int(end.Unix()/3600)*3)%5)
		if i == silent {
			v *= 1.4
		}
		return v
	}}
	a := newAPI(t, withHistory(h))
	for i := range livetest.Monitors {
		end := noon
		if i == silent {
			end = noon.Add(-5 * time.Hour)
		}
		livetest.ReceiveStation(t, a.live, livetest.Monitor(i, end, 60))
	}
	train(t, a)
	p := livetest.MonitorPoint(silent)
	got := airOf(t, a, fmt.Sprintf("%v,%v", p[1], p[0]))
	if got.AQI == nil || len(got.Nearest) == 0 {
		t.Fatalf("%+v", got)
	}
	if n := got.Nearest[0]; n.ID != livetest.MonitorID(silent) || !n.Estimated || n.AQI.Or(0) != got.AQI.Value {
		t.Errorf("the nearest station: %+v, index %v", n, got.AQI.Value)
	}
	if n := got.Nearest[1]; n.Estimated || !n.AQI.Known() {
		t.Errorf("a station with values: %+v", n)
	}
	pm := got.AQI.Sub[0]
	if pm.Concentration < 60*1.3 || pm.Concentration > 60*1.45 || pm.Sites != livetest.Monitors-1 {
		t.Errorf("at its place: %+v", pm)
	}
}

// TestAirOfPastHour checks the values of a past hour and how long caches may keep them.
func TestAirOfPastHour(t *testing.T) {
	h := &hourlyHistory{pm25: func(i int, end time.Time) float64 {
		day := float64(end.Unix()/3600) / 9
		return 10 + float64(end.Hour()) + 20*math.Sin(day)*(livetest.MonitorPoint(i)[0]-105.852)
	}}
	a := withMonitors(t, withHistory(h))
	at := airOf(t, a, "21.028,105.852&time=2026-01-05T03:20:00Z")
	if at.AQI == nil || !at.Time.Equal(time.Date(2026, 1, 5, 3, 0, 0, 0, time.UTC)) || at.State != nhip.StateLive {
		t.Fatalf("%+v", at)
	}
	// The NowCast of 13, 12, 11, 10, 33, 32 … is far below 33 and above 13.
	if c := at.AQI.Sub[0].Concentration; c < 13 || c > 24 {
		t.Errorf("concentration %v", c)
	}
	train(t, a)
	const path = "/tiles/air/11/1626/901.mvt?time="
	for when, caching := range map[string]string{
		"2026-01-05T03:00:00Z": rest.CacheDone, "2026-02-16T09:00:00Z": rest.CachePast,
		"2026-02-16T12:00:00Z": "public, max-age=30, stale-while-revalidate=300",
	} {
		w := get(t, a, path+when)
		if got := w.Header().Get("Cache-Control"); got != caching || w.Code != http.StatusOK {
			t.Errorf("%s: %d, %q, want %q", when, w.Code, got, caching)
		}
	}
	stations := decodeTile(t, get(t, a, path+"2026-01-05T03:00:00Z").Body.Bytes())["stations"]
	if p := stations.Features[0].Properties; math.Abs(p["pm25"].(float64)-13) > 2 || p["time"] != "2026-01-05T03:00:00Z" ||
		p["state"] != "live" {
		t.Errorf("station in the past: %v", p)
	}
	if w := get(t, withMonitors(t), path+"2026-01-05T03:00:00Z"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a history: %d", w.Code)
	}
}

// TestReadsOfPastHoursAreBounded requests many past hours, which must neither fill the memory nor overload the history.
func TestReadsOfPastHoursAreBounded(t *testing.T) {
	h := &hourlyHistory{pm25: func(int, time.Time) float64 { return 20 }}
	a := withMonitors(t, withHistory(h))
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for k := range 8 {
				end := noon.Add(-time.Duration(100+8*worker+k) * time.Hour)
				get(t, a, "/tiles/air/11/1626/901.mvt?time="+end.Add(time.Duration(k)*time.Second).Format(time.RFC3339))
			}
		})
	}
	wg.Wait()
	if n := a.air.PastSnapshots(); n > 24 {
		t.Errorf("%d hours in memory", n)
	}
	if n := h.maxRunning.Load(); n > 2 {
		t.Errorf("%d concurrent reads", n)
	}
	get(t, a, "/tiles/air/11/1626/901.mvt?time=2026-01-05T03:00:00Z")
	before := h.queries.Load()
	for k := range 1000 {
		get(t, a, fmt.Sprintf("/tiles/air/11/1626/901.mvt?time=2026-01-05T03:%02d:%02d.%03dZ", k%60, k%59, k))
	}
	if n := h.queries.Load() - before; n > 0 {
		t.Errorf("an hour that was read is read again, with %d queries", n)
	}
	if bytes := a.tiles.Bytes(); bytes > 64<<20 {
		t.Errorf("%d bytes of cached tiles", bytes)
	}
}

func TestConcurrentRequestsShareOneRead(t *testing.T) {
	const path = "/v1/air?at=21.028,105.852&time=2026-01-05T03:00:00Z"
	single := &hourlyHistory{pm25: func(int, time.Time) float64 { return 20 }}
	get(t, withMonitors(t, withHistory(single)), path)
	h := &hourlyHistory{pm25: func(int, time.Time) float64 { return 20 }, hold: make(chan struct{})}
	a := withMonitors(t, withHistory(h))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if w := get(t, a, path); w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	close(h.hold)
	wg.Wait()
	if n, want := h.queries.Load(), single.queries.Load(); n != want {
		t.Errorf("%d queries for 20 requests, %d for one", n, want)
	}
}

// A suspect hour of SO2 says nothing about the PM2.5 of the monitor; of a suspect PM2.5 the hours before it count.
func TestSuspectHourExcludesItsQuantityOnly(t *testing.T) {
	for _, c := range []struct {
		suspect nhip.Quantity
		want    float64
	}{{nhip.SO2, 90}, {nhip.PM25, 40}} {
		a := newAPI(t)
		x := livetest.Monitor(0, noon, 40)
		x.Hours.Suspect, x.Hours.SuspectQuantities = true, []nhip.Quantity{c.suspect}
		x.Hours.Means[nhip.PM25] = []nhip.Opt[float64]{
			nhip.Some(140.0), nhip.Some(40.0), nhip.Some(40.0), nhip.Some(40.0),
		}
		x.Hours.Means[nhip.SO2] = []nhip.Opt[float64]{nhip.Some(2.0), nhip.Some(2.0)}
		receive(t, a, topics.LiveAirTopic("m00"), x)
		got := airOf(t, a, "21.028,105.852")
		if got.AQI == nil || math.Abs(got.AQI.Sub[0].Concentration-c.want) > 10 {
			t.Errorf("%s suspect: %+v, want a NowCast of about %v", c.suspect, got.AQI, c.want)
		}
	}
}

func TestFieldExcludesSuspectLateAndPrivateMonitors(t *testing.T) {
	a := newAPI(t)
	suspect := livetest.Monitor(0, noon, 500)
	suspect.Hours.Suspect = true
	suspect.Hours.Means[nhip.PM25] = suspect.Hours.Means[nhip.PM25][:1]
	old := livetest.Monitor(1, noon.Add(-4*time.Hour), 500)
	receive(t, a, topics.LiveAirTopic("m00"), suspect)
	receive(t, a, topics.LiveAirTopic("m01"), old)
	receive(t, a, topics.LiveAirTopic("m02"), livetest.Monitor(2, noon, 500))
	receive(t, a, topics.FleetStationTopic("m02"), fleet.Station{ID: "m02", Position: fleet.Private})
	if got := airOf(t, a, "21.028,105.852"); got.AQI != nil {
		t.Errorf("%+v", got.AQI)
	}
	receive(t, a, topics.LiveAirTopic("m03"), livetest.Monitor(3, noon, 40))
	if got := airOf(t, a, "21.028,105.852"); got.AQI == nil || got.AQI.Sub[0].Concentration != 40 ||
		got.AQI.Sub[0].Sites != 1 {
		t.Errorf("%+v", got.AQI)
	}
}

func TestMobileMonitorCountsAtItsPastPositions(t *testing.T) {
	a := withMonitors(t)
	receive(t, a, topics.FleetStationTopic("bus-32"), fleet.Station{
		ID: "bus-32", Position: fleet.Public, Mobile: true, Kind: fleet.LowCost,
	})
	before := airOf(t, a, "21.06,105.80").AQI.Sub[0]
	for minute, p := range []orb.Point{{105.80, 21.06}, {105.83, 21.05}, {105.86, 21.04}} {
		end := noon.Add(time.Duration(minute-10) * time.Minute)
		receive(t, a, topics.LiveAirTopic("bus-32"), nhip.Station{
			ID: "bus-32", Time: end, Lat: nhip.Some(p[1]), Lon: nhip.Some(p[0]),
			Values: map[nhip.Quantity]nhip.LiveValue{
				nhip.PM25: {Value: 200, Time: end, Period: 60, Flag: nhip.FlagGood},
				nhip.PM10: {Value: 1, Time: end, Period: 60, Flag: nhip.FlagFail},
			},
		})
	}
	after := airOf(t, a, "21.06,105.80").AQI.Sub[0]
	if after.Sites != 15 || after.Concentration < before.Concentration+30 {
		t.Errorf("%+v, before the bus %+v", after, before)
	}
	for _, n := range airOf(t, a, "21.06,105.80").Nearest {
		if n.ID == "bus-32" {
			t.Error("the bus is listed as the nearest station")
		}
	}
}

func TestRouteAir(t *testing.T) {
	a, _ := newTransitAPI(t)
	for i := range 12 {
		receive(t, a, topics.LiveAirTopic(fmt.Sprintf("m%02d", i)), livetest.Monitor(i, noon, 60))
	}
	id := timetable(t, a).Network.Feed.Routes[0].ID
	w := get(t, a, "/v1/routes/"+id+"/air")
	var got struct {
		Line string
		Ways []patternAnswer
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || len(got.Ways) == 0 {
		t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	if way := got.Ways[0]; len(way.Steps) < 2 || way.Steps[0].Metres != 0 {
		t.Errorf("%+v", way)
	}
	if w := get(t, a, "/v1/routes/none/air"); w.Code != http.StatusNotFound {
		t.Errorf("unknown route: %d", w.Code)
	}
}

func TestStationsAndHoursOfThePast(t *testing.T) {
	h := &hourlyHistory{pm25: func(int, time.Time) float64 { return 20 }}
	a := withMonitors(t, withHistory(h))
	ids, props := resttest.Features(t, get(t, a, "/v1/stations?time=2026-01-05T03:20:00Z"))
	if len(ids) != livetest.Monitors {
		t.Fatalf("%d stations: %v", len(ids), ids)
	}
	index, _ := props[0]["aqi"].(map[string]any)
	if index == nil || index["time"] != "2026-01-05T03:00:00Z" || props[0]["time"] != "2026-01-05T03:00:00Z" ||
		props[0]["state"] != "live" || props[0]["age_s"] != 0.0 {
		t.Errorf("%v", props[0])
	}
	for path, want := range map[string]string{
		"/v1/stations?time=2026-01-05T03:20:00Z&state=all": `"field":"state"`,
		"/v1/stations?time=2027-01-05T03:20:00Z":           `"field":"time"`,
		"/v1/air/hours":                                    fmt.Sprintf(`"stations":%d`, livetest.Monitors),
		"/v1/air/hours?x=1":                                `"field":"x"`,
	} {
		if w := get(t, a, path); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
