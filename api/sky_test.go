package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/geo/air"
	"nhip/geo/aqi"
	"nhip/geo/surface"
	"nhip/geo/zone"
	"nhip/internal/fleet"
	"nhip/internal/influx"
	"nhip/internal/mqtt"

	"github.com/andybalholm/brotli"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
)

// skyPoint is where monitor i of these tests stands, around Hồ Gươm.
func skyPoint(i int) orb.Point {
	sin, cos := math.Sincos(float64(i) * 2.4)
	r := 0.01 + 0.006*float64(i)
	return orb.Point{105.852 + r*cos, 21.028 + r*sin}
}

// skyStation is monitor i, which says the same of each of its last hours.
func skyStation(i int, end time.Time, pm25 float64) nhip.Station {
	p := skyPoint(i)
	means := make([]nhip.Opt[float64], 12)
	for k := range means {
		means[k] = nhip.Some(pm25)
	}
	return nhip.Station{
		ID: fmt.Sprintf("m%02d", i), Time: end, Lat: nhip.Some(p[1]), Lon: nhip.Some(p[0]),
		Values: map[nhip.Quantity]nhip.LiveValue{nhip.PM25: {Value: pm25, Time: end, Period: 3600, Flag: nhip.Good}},
		Hours:  &nhip.AirHours{End: end, Means: map[nhip.Quantity][]nhip.Opt[float64]{nhip.PM25: means}},
	}
}

// underSky is an api of 12 monitors at noon, the foulest in the east.
func underSky(t testing.TB, change ...func(*Options)) *API {
	t.Helper()
	a := newAPI(t, change...)
	for i := range 12 {
		hear(t, a, mqtt.LiveAirTopic(fmt.Sprintf("m%02d", i)), skyStation(i, noon, 60+400*(skyPoint(i)[0]-105.852)))
	}
	return a
}

// then is a history of the same monitors, whose air was by the hour; it counts how often it is asked.
type then struct {
	absentHistory
	air   func(i int, end time.Time) float64
	asked atomic.Int64
	now   atomic.Int64
	most  atomic.Int64
	hold  chan struct{} // nil: answers at once
}

func (h *then) Rollups(ctx context.Context, q influx.RollupQuery, yield func(influx.Rolled) error) error {
	h.asked.Add(1)
	h.most.Store(max(h.most.Load(), h.now.Add(1)))
	defer h.now.Add(-1)
	if h.hold != nil {
		<-h.hold
	}
	for end := q.From.Truncate(time.Hour).Add(time.Hour); !end.After(q.To); end = end.Add(time.Hour) {
		for i := range 12 {
			r := influx.Rolled{Rollup: nhip.Rollup{
				Station: fmt.Sprintf("m%02d", i), Quantity: nhip.PM25, Period: nhip.HourPeriod, Time: end,
				Stats: nhip.Stats{Mean: h.air(i, end), Count: 12, Capture: 100, Flag: nhip.Good},
			}}
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *then) Readings(context.Context, influx.ReadingQuery, func(nhip.Judged) error) error {
	return nil
}

func withHistory(h History) func(*Options) { return func(o *Options) { o.History = h } }

// airOf reads an answer of /v1/air.
func airOf(t *testing.T, a *API, query string) placeAnswer {
	t.Helper()
	w := get(t, a, "/v1/air?at="+query)
	var out placeAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s %v", query, w.Code, w.Body, err)
	}
	return out
}

func TestTheAirAtAPlace(t *testing.T) {
	a := underSky(t)
	middle := airOf(t, a, "21.028,105.852")
	if middle.AQI == nil || middle.State != nhip.Live || !middle.Time.Equal(noon) || middle.Advice == nil || len(middle.Nearest) != 3 {
		t.Fatalf("%+v", middle)
	}
	pm := middle.AQI.Sub[0]
	if math.Abs(pm.Concentration-60) > 6 || pm.Method != "idw" || pm.Sites != 12 || pm.Low.Known() || middle.AQI.Dominant != nhip.PM25 {
		t.Errorf("60 µg/m³ are told as %+v", pm)
	}
	east := airOf(t, a, "21.028,105.89")
	if east.AQI == nil || east.AQI.Value <= middle.AQI.Value {
		t.Errorf("the east is no fouler: %+v", east.AQI)
	}
	far := airOf(t, a, "20.0,104.0")
	if far.AQI != nil || far.Why == nil || far.Why.Vi == "" || len(far.Nearest) != 3 {
		t.Errorf("far away: %+v", far)
	}
	if who := airOf(t, a, "21.028,105.852&index=WHO"); who.AQI != nil {
		t.Errorf("a mean of 24 hours is made of 12: %+v", who.AQI)
	}
	for query, field := range map[string]string{
		"": "at", "at=1": "at", "at=21,105&index=AQI": "index", "at=21,105&time=soon": "time", "at=21,105&time=2026-02-16T12:30:00Z": "time", "at=21,105&near=1": "near",
	} {
		w := get(t, a, "/v1/air?"+query)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"field":"`+field+`"`) {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	}
}

// TestAirTiles: bands, stations and pictures, as they are asked for.
func TestAirTiles(t *testing.T) {
	a := underSky(t)
	const path = "/tiles/air/11/1626/901"
	layers := layersOf(t, get(t, a, path+".mvt").Body.Bytes())
	if layers["isobands"] == nil || len(layers["stations"].Features) < 5 || layers["stations"].Features[0].Properties["aqi"] == nil {
		t.Errorf("%v", layers)
	}
	for _, c := range []struct {
		path   string
		pixels int
	}{{".png", 256}, {"@2x.png", 512}, {".png?index=US_EPA&quantity=pm25&v=7", 256}} {
		w := get(t, a, path+c.path)
		img, err := png.Decode(w.Body)
		if err != nil || img.Bounds().Dx() != c.pixels || w.Header().Get("Content-Type") != pngType || w.Header().Get("ETag") == "" {
			t.Errorf("%s: %d %v %v", c.path, w.Code, w.Header(), err)
		}
	}
	if w := get(t, a, path+".png?quantity=so2"); w.Code != http.StatusNoContent {
		t.Errorf("of what nobody measures: %d", w.Code)
	}
	if w := get(t, a, "/tiles/air/11/5/5.mvt"); w.Code != http.StatusNoContent {
		t.Errorf("far away: %d", w.Code)
	}
	for path, code := range map[string]int{
		"/tiles/air/99/0/0.mvt": 404, "/tiles/air/1/2/0.png": 404, "/tiles/air/11/-1/902.mvt": 404, "/tiles/air/11/x/902.png": 404, "/tiles/air/11/01626/902.mvt": 404,
		"/tiles/air/11/1626/901.mvt?quantity=pm99": 400, "/tiles/air/11/1626/901.png?quantity=temperature": 400, "/tiles/air/11/1626/901.mvt?index=x": 400,
		"/tiles/air/11/1626/901.mvt?time=2026-02-16T12:10:00Z": 400, "/tiles/air/11/1626/901.png?time=yesterday": 400, "/tiles/transit/11/1626/901.mvt?time=2030-01-01T00:00:00Z": 400,
	} {
		if w := get(t, a, path); w.Code != code || !strings.Contains(w.Body.String(), `"detail"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func layersOf(t *testing.T, body []byte) map[string]*mvt.Layer {
	t.Helper()
	layers, err := mvt.Unmarshal(body)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]*mvt.Layer)
	for _, l := range layers {
		out[l.Name] = l
	}
	return out
}

// TestAnotherHour: what the monitors said then is answered by the same code, and stays in caches.
func TestAnotherHour(t *testing.T) {
	h := &then{air: func(i int, end time.Time) float64 { return 10 + float64(end.Hour()) }}
	a := underSky(t, withHistory(h))
	at := airOf(t, a, "21.028,105.852&time=2026-01-05T03:20:00Z")
	if at.AQI == nil || !at.Time.Equal(time.Date(2026, 1, 5, 3, 0, 0, 0, time.UTC)) || at.State != nhip.Live {
		t.Fatalf("%+v", at)
	}
	// The NowCast of 13, 12, 11, 10, 33, 32 … is far below 33 and above 13.
	if c := at.AQI.Sub[0].Concentration; c < 13 || c > 24 {
		t.Errorf("the concentration then was %v", c)
	}
	a.sky.learned.Store(&learned{Models: air.Models{nhip.PM25: {Variogram: surface.Variogram{Kind: surface.Spherical, Sill: 1, Range: 20_000}}}, version: 1})
	a.sky.past.clear()
	const path = "/tiles/air/11/1626/901.mvt?time="
	for when, caching := range map[string]string{
		"2026-01-05T03:00:00Z": settledCaching, "2026-02-16T09:00:00Z": recentCaching, "2026-02-16T12:00:00Z": airCaching,
	} {
		w := get(t, a, path+when)
		if got := w.Header().Get("Cache-Control"); got != caching || w.Code != http.StatusOK {
			t.Errorf("%s: %d, %q, want %q", when, w.Code, got, caching)
		}
	}
	stations := layersOf(t, get(t, a, path+"2026-01-05T03:00:00Z").Body.Bytes())["stations"]
	if p := stations.Features[0].Properties; p["pm25"] != 13.0 || p["time"] != "2026-01-05T03:00:00Z" || p["state"] != "live" {
		t.Errorf("a monitor then: %v", p)
	}
	if w := get(t, underSky(t), path+"2026-01-05T03:00:00Z"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a history: %d", w.Code)
	}
}

// TestAMillionHours are no way to fill the memory or to keep the history busy.
func TestAMillionHours(t *testing.T) {
	h := &then{air: func(int, time.Time) float64 { return 20 }}
	a := underSky(t, withHistory(h))
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
	if n := len(a.sky.past.all); n > mostPast {
		t.Errorf("%d hours are in memory", n)
	}
	if n := h.most.Load(); n > mostReading {
		t.Errorf("%d hours were read at once", n)
	}
	before := h.asked.Load()
	for k := range 1000 {
		get(t, a, fmt.Sprintf("/tiles/air/11/1626/901.mvt?time=2026-01-05T03:%02d:%02d.%03dZ", k%60, k%59, k))
	}
	if n := h.asked.Load() - before; n > 1 {
		t.Errorf("one hour was read %d times", n)
	}
	if bytes := a.tiles.bytes; bytes > tileCacheBytes {
		t.Errorf("%d bytes of tiles are kept", bytes)
	}
}

// TestOneReadingForAll: who asks for an hour that is being read waits for it.
func TestOneReadingForAll(t *testing.T) {
	h := &then{air: func(int, time.Time) float64 { return 20 }, hold: make(chan struct{})}
	a := underSky(t, withHistory(h))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if w := get(t, a, "/v1/air?at=21.028,105.852&time=2026-01-05T03:00:00Z"); w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	close(h.hold)
	wg.Wait()
	if n := h.asked.Load(); n != 1 {
		t.Errorf("the hour was read %d times", n)
	}
}

// TestAReadingIsBrokenOff at the end, and one that panics is an answer, not an end.
func TestAReadingIsBrokenOff(t *testing.T) {
	m := newMemo[int](3, 1)
	if _, err := m.get(t.Context(), noon, time.Hour, func(context.Context) (int, error) { panic("a fault") }); nhip.ErrorCode(err) != nhip.Internal {
		t.Errorf("%v", err)
	}
	if v, err := m.get(t.Context(), noon, time.Hour, func(context.Context) (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Errorf("%d %v", v, err)
	}
	began, answer := make(chan struct{}), make(chan error)
	go func() {
		_, err := m.get(t.Context(), noon.Add(time.Hour), time.Hour, func(ctx context.Context) (int, error) {
			close(began)
			<-ctx.Done()
			return 0, ctx.Err()
		})
		answer <- err
	}()
	<-began
	m.close()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := m.get(t.Context(), noon.Add(2*time.Hour), time.Hour, nil); nhip.ErrorCode(err) != nhip.Unavailable {
		t.Errorf("after the end: %v", err)
	}
}

// TestLearning: after it has read the last weeks, the sky krigs and says how sure it is.
func TestLearning(t *testing.T) {
	wave := func(i int, end time.Time) float64 {
		p := skyPoint(i)
		day := float64(end.Unix()/3600) / 9
		return 50 + 300*math.Sin(day)*(p[0]-105.852) + 300*math.Cos(day*1.7)*(p[1]-21.028) + float64(i%3)
	}
	a := underSky(t, withHistory(&then{air: wave}))
	newLearning(a.sky).step(t.Context())
	m := a.sky.learned.Load().Models[nhip.PM25]
	if m == nil || m.Rounds < 150 {
		t.Fatalf("%+v", m)
	}
	at := airOf(t, a, "21.028,105.852")
	pm := at.AQI.Sub[0]
	if low, high := pm.Low.Or(0), pm.High.Or(0); pm.Method != "kriging" || !(low < pm.Concentration && pm.Concentration < high) || !at.AQI.Low.Known() {
		t.Errorf("%+v", pm)
	}
	if who := airOf(t, a, "21.028,105.852&index=WHO"); who.AQI == nil {
		t.Error("the hours before the live ones are not there: no mean of 24 hours")
	}
}

// TestLearningWaitsForThePast: what comes into the history after the start is learned as well.
func TestLearningWaitsForThePast(t *testing.T) {
	empty := true
	h := &then{air: func(i int, end time.Time) float64 {
		return 30 + float64(i)*math.Sin(float64(end.Unix()/3600)) + float64(end.Hour())
	}}
	a := underSky(t, withHistory(&lateHistory{h, &empty}))
	l := newLearning(a.sky)
	l.step(t.Context())
	if len(a.sky.learned.Load().Models) > 0 {
		t.Fatal("something is learned of nothing")
	}
	empty = false
	l.step(t.Context())
	if m := a.sky.learned.Load().Models[nhip.PM25]; m == nil || m.Rounds < 40 {
		t.Errorf("%+v", m)
	}
	asked := h.asked.Load()
	l.step(t.Context())
	if h.asked.Load() != asked {
		t.Error("the history is asked although no hour has passed")
	}
}

// lateHistory is one that holds nothing yet.
type lateHistory struct {
	*then
	empty *bool
}

func (h *lateHistory) Rollups(ctx context.Context, q influx.RollupQuery, yield func(influx.Rolled) error) error {
	if *h.empty {
		return nil
	}
	return h.then.Rollups(ctx, q, yield)
}

// TestSuspectAndSilentMonitors make no surface, nor do those that are private or far behind.
func TestSuspectAndSilentMonitors(t *testing.T) {
	a := newAPI(t)
	suspect := skyStation(0, noon, 500)
	suspect.Hours.Suspect = true
	suspect.Hours.Means[nhip.PM25] = suspect.Hours.Means[nhip.PM25][:1]
	old := skyStation(1, noon.Add(-4*time.Hour), 500)
	hear(t, a, mqtt.LiveAirTopic("m00"), suspect)
	hear(t, a, mqtt.LiveAirTopic("m01"), old)
	hear(t, a, mqtt.LiveAirTopic("m02"), skyStation(2, noon, 500))
	hear(t, a, mqtt.FleetStationTopic("m02"), fleet.Station{ID: "m02", Position: fleet.Private})
	if got := airOf(t, a, "21.028,105.852"); got.AQI != nil {
		t.Errorf("%+v", got.AQI)
	}
	hear(t, a, mqtt.LiveAirTopic("m03"), skyStation(3, noon, 40))
	if got := airOf(t, a, "21.028,105.852"); got.AQI == nil || got.AQI.Sub[0].Concentration != 40 || got.AQI.Sub[0].Sites != 1 {
		t.Errorf("%+v", got.AQI)
	}
}

// TestAMonitorOnABus counts where it was, not where it is.
func TestAMonitorOnABus(t *testing.T) {
	a := underSky(t)
	hear(t, a, mqtt.FleetStationTopic("bus-32"), fleet.Station{ID: "bus-32", Position: fleet.Public, Mobile: true, Kind: fleet.LowCost})
	before := airOf(t, a, "21.06,105.80").AQI.Sub[0]
	for minute, p := range []orb.Point{{105.80, 21.06}, {105.83, 21.05}, {105.86, 21.04}} {
		end := noon.Add(time.Duration(minute-10) * time.Minute)
		hear(t, a, mqtt.LiveAirTopic("bus-32"), nhip.Station{
			ID: "bus-32", Time: end, Lat: nhip.Some(p[1]), Lon: nhip.Some(p[0]),
			Values: map[nhip.Quantity]nhip.LiveValue{nhip.PM25: {Value: 200, Time: end, Period: 60, Flag: nhip.Good}, nhip.PM10: {Value: 1, Time: end, Period: 60, Flag: nhip.Fail}},
		})
	}
	after := airOf(t, a, "21.06,105.80").AQI.Sub[0]
	if after.Sites != 15 || after.Concentration < before.Concentration+30 {
		t.Errorf("%+v, before the bus %+v", after, before)
	}
	for _, n := range airOf(t, a, "21.06,105.80").Nearest {
		if n.ID == "bus-32" {
			t.Error("the bus is told as a monitor that stands here")
		}
	}
}

// TestTilesAreSqueezedOnce, by gzip at first and by brotli when they are asked for again.
func TestTilesAreSqueezedOnce(t *testing.T) {
	a := underSky(t)
	const path = "/tiles/air/11/1626/901.mvt"
	plain := get(t, a, path)
	var seen []string
	for range 4 {
		w := get(t, a, path, "Accept-Encoding", "gzip, deflate, br, zstd")
		seen = append(seen, w.Header().Get("Content-Encoding"))
		if w.Header().Get("Content-Encoding") == "br" {
			body, err := io.ReadAll(brotli.NewReader(w.Body))
			if err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
				t.Errorf("brotli holds other bytes: %v", err)
			}
		}
	}
	if seen[0] != "gzip" || seen[3] != "br" {
		t.Errorf("encodings %v", seen)
	}
	if w := get(t, a, path, "Accept-Encoding", "br"); w.Header().Get("Content-Encoding") != "br" {
		t.Errorf("br alone: %q", w.Header().Get("Content-Encoding"))
	}
	if n := a.tiles.order.Len(); n != 1 {
		t.Errorf("%d tiles are kept", n)
	}
}

func TestTheWayOfARoute(t *testing.T) {
	a, _ := newTransitAPI(t)
	for i := range 12 {
		hear(t, a, mqtt.LiveAirTopic(fmt.Sprintf("m%02d", i)), skyStation(i, noon, 60))
	}
	id := a.city.transit.Load().net.Feed.Routes[0].ID
	w := get(t, a, "/v1/routes/"+id+"/air")
	var got struct {
		Line string
		Ways []wayAnswer
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || len(got.Ways) == 0 {
		t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	if way := got.Ways[0]; len(way.Steps) < 2 || way.Steps[0].Metres != 0 {
		t.Errorf("%+v", way)
	}
	if w := get(t, a, "/v1/routes/none/air"); w.Code != http.StatusNotFound {
		t.Errorf("no such route: %d", w.Code)
	}
}

func TestLegendAndStyle(t *testing.T) {
	a := underSky(t)
	for path, want := range map[string]string{
		"/v1/legend":                                    `"number":6`,
		"/v1/legend?index=WHO":                          `"from":1.01`,
		"/styles/nhip.json":                             `"circle-color"`,
		"/styles/nhip.json?theme=dark&index=WHO":        `air.json?index=WHO`,
		"/styles/nhip.json?time=2026-02-01T00:00:00Z":   `transit.json?time=2026-02-01T00%3A00%3A00Z`,
		"/tiles/air.json?quantity=pm25":                 `{y}.mvt?quantity=pm25`,
		"/tiles/air.png.json?time=2026-02-01T00:00:00Z": `{y}.png?time=2026-02-01T00%3A00%3A00Z`,
		"/tiles/transit.json?time=2026-02-01T00:00:00Z": `{y}.mvt?time=`,
		"/tiles/air.json?index=US_EPA&v=1":              `"field":"v"`,
		"/styles/nhip.json?theme=blue":                  `"field":"theme"`,
		"/v1/legend?index=x":                            `"field":"index"`,
		"/tiles/air.png.json?time=2027-02-01T00:00:00Z": `"field":"time"`,
		"/styles/nhip.json?quantity=humidity&index=WHO": `"field":"quantity"`,
	} {
		if w := get(t, a, path); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// towns are two halves of the city, and what it was before.
func towns() *zone.Set {
	box := func(west, east float64) orb.MultiPolygon {
		return orb.MultiPolygon{{orb.Bound{Min: orb.Point{west, 20.95}, Max: orb.Point{east, 21.1}}.ToRing()}}
	}
	july := time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)
	return zone.New([]zone.Zone{
		{Kind: "district", ID: "old", Name: nhip.Name{Vi: "Quận cũ"}, To: july, Area: box(105.7, 106)},
		{Kind: "ward", ID: "east", Name: nhip.Name{Vi: "Phường Đông", En: "East"}, From: july, Area: box(105.852, 106)},
		{Kind: "ward", ID: "west", Name: nhip.Name{Vi: "Phường Tây"}, From: july, Area: box(105.7, 105.852)},
		{Kind: "ward", ID: "far", From: july, Area: box(107, 107.1)},
	})
}

func zonesOf(t *testing.T, a *API, query string) map[string]zoneRow {
	t.Helper()
	w := get(t, a, "/v1/zones"+query)
	var got struct{ Zones []zoneRow }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	out := make(map[string]zoneRow)
	for _, z := range got.Zones {
		out[z.ID] = z
	}
	return out
}

// TestZones: the air of each, who stands in it, and those that were valid then.
func TestZones(t *testing.T) {
	h := &then{air: func(i int, _ time.Time) float64 { return 10 + 10*float64(i) }}
	a := underSky(t, withHistory(h), func(o *Options) { o.Zones = towns() })
	now := zonesOf(t, a, "")
	if len(now) != 3 || now["east"].Air == nil || now["west"].Air == nil || now["far"].Air != nil {
		t.Fatalf("%+v", now)
	}
	east, west := now["east"], now["west"]
	if east.Air.AQI <= west.Air.AQI || east.Air.Max < east.Air.AQI || len(east.Stations)+len(west.Stations) < 8 || east.Air.Parts[0].Mean <= west.Air.Parts[0].Mean {
		t.Errorf("east %+v, west %+v", east.Air, west.Air)
	}
	// The foulest monitor in the east says 85 µg/m³: an index of 153 in each hour that has a NowCast, of the 12 that are known.
	if e := east.Exceed; e == nil || e.Hours < 9 || e.Hours != e.Known || now["far"].Exceed != nil {
		t.Errorf("%+v", e)
	}
	if got := zonesOf(t, a, "?kind=ward&at=21,105.9"); len(got) != 1 || got["east"].ID == "" {
		t.Errorf("here is %v", got)
	}
	if got := zonesOf(t, a, "?kind=district"); len(got) != 0 {
		t.Errorf("a district that is none any more: %v", got)
	}
	before := zonesOf(t, a, "?time=2025-06-30T12:00:00Z")
	if len(before) != 1 || before["old"].Air == nil || before["old"].Exceed.Known != 24 || before["old"].Exceed.Hours != 24 {
		t.Errorf("%+v", before)
	}
	w := get(t, a, "/v1/zones.geojson?kind=ward")
	var features struct {
		Features []struct {
			ID       string
			Geometry struct{ Type string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &features); err != nil || len(features.Features) != 3 || features.Features[0].ID != "ward/east" || w.Header().Get("Content-Type") != geoJSON {
		t.Errorf("%d %s %v", w.Code, w.Body, err)
	}
	layer := layersOf(t, get(t, a, "/tiles/air/11/1626/901.mvt").Body.Bytes())["zones"]
	if layer == nil || len(layer.Features) != 2 || layer.Features[0].Properties["aqi"] != east.Air.AQI {
		t.Errorf("%v", layer)
	}
	for query, field := range map[string]string{"?kind=": "kind", "?at=x": "at", "?time=2099-01-01T00:00:00Z": "time", "?near=1,1": "near"} {
		if w := get(t, a, "/v1/zones"+query); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

// busesThen is a history of buses.
type busesThen struct {
	absentHistory
	asked atomic.Int64
}

func (h *busesThen) Fleet(_ context.Context, from, to time.Time, yield func(nhip.Position) error) error {
	h.asked.Add(1)
	for i, at := range []orb.Point{{105.85, 21.03}, {105.80, 21.0}} {
		p := nhip.Position{Agency: "hanoi", Vehicle: fmt.Sprint(i), Time: to.Add(-time.Duration(i*5) * time.Minute), Point: nhip.Some(at), Line: "32"}
		if err := yield(p); err != nil {
			return err
		}
	}
	return nil
}

// TestBusesThen: near a place, and on tiles, as they were.
func TestBusesThen(t *testing.T) {
	h := &busesThen{}
	a := newAPI(t, withHistory(h))
	addBus(t, a, nhip.Bus{ID: "now", Lon: 105.85, Lat: 21.03})
	ids, props := features(t, get(t, a, "/v1/buses?near=21.03,105.85&time=2026-02-01T00:00:03Z"))
	if fmt.Sprint(ids) != "[0 1]" || props[0]["state"] != "live" || props[0]["age_s"] != 0.0 || props[1]["state"] != "stale" || props[0]["line"] != "32" {
		t.Errorf("%v %v", ids, props)
	}
	tile := get(t, a, "/tiles/transit/12/3252/1803.mvt?time=2026-02-01T00:00:09Z")
	if l := layersOf(t, tile.Body.Bytes())["buses"]; l == nil || len(l.Features) != 1 || tile.Header().Get("Cache-Control") != settledCaching {
		t.Errorf("%d %v %v", tile.Code, tile.Header(), l)
	}
	if h.asked.Load() != 1 {
		t.Errorf("one moment was read %d times", h.asked.Load())
	}
	if ids, _ := features(t, get(t, a, "/v1/buses")); fmt.Sprint(ids) != "[now]" {
		t.Errorf("now there are %v", ids)
	}
	if l := layersOf(t, get(t, a, "/tiles/transit/12/3252/1803.mvt").Body.Bytes())["buses"]; l == nil || l.Features[0].Properties["id"] != "now" {
		t.Errorf("now: %v", l)
	}
	if w := get(t, newAPI(t), "/v1/buses?time=2026-02-01T00:00:00Z"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a history: %d", w.Code)
	}
	if w := get(t, a, "/v1/buses?time=2027-02-01T00:00:00Z"); w.Code != http.StatusBadRequest {
		t.Errorf("in the future: %d", w.Code)
	}
}

// TestClocksAndPlacesThatAreWrong: a monitor ahead of the others, one in Berlin and a second city are no reason to fail.
func TestClocksAndPlacesThatAreWrong(t *testing.T) {
	a := underSky(t)
	hear(t, a, mqtt.LiveAirTopic("m00"), skyStation(0, noon.Add(3*time.Hour), 60))
	far := skyStation(1, noon, 500)
	far.ID, far.Lon, far.Lat = "berlin", nhip.Some(13.4), nhip.Some(52.5)
	hear(t, a, mqtt.LiveAirTopic("berlin"), far)
	for i := range 5 {
		there := skyStation(i, noon, 500)
		there.ID, there.Lat = fmt.Sprint("da-nang-", i), nhip.Some(16.05+0.01*float64(i))
		hear(t, a, mqtt.LiveAirTopic(there.ID), there)
	}
	a.sky.learned.Store(&learned{Models: air.Models{nhip.PM25: {Variogram: surface.Variogram{Kind: surface.Spherical, Sill: 1, Range: 20_000}}}, version: 1})
	if got := airOf(t, a, "21.028,105.852"); got.AQI == nil || got.AQI.Sub[0].Sites != 12 || got.AQI.Sub[0].Concentration > 75 || !got.Time.Equal(noon) {
		t.Errorf("%+v", got.AQI)
	}
	if w := get(t, a, "/tiles/air/11/1626/901.png"); w.Code != http.StatusOK {
		t.Errorf("%d", w.Code)
	}
}

// TestASuspectHourStaysOut, an hour later, too.
func TestASuspectHourStaysOut(t *testing.T) {
	a := newAPI(t)
	a.sky.before.Store(&stationHours{end: noon, by: map[string]aqi.Hours{"m00": {nhip.PM25: append([]float64{40, math.NaN()}, make([]float64, 10)...)}}})
	for i := 2; i < 12; i++ {
		a.sky.before.Load().by["m00"][nhip.PM25][i] = 40
	}
	s := skyStation(0, noon, 40)
	s.Hours.Means[nhip.PM25][1] = nhip.Some(500.0) // at 11:00, and the history says that it is suspect
	hear(t, a, mqtt.LiveAirTopic("m00"), s)
	if got := airOf(t, a, "21.028,105.862"); got.AQI == nil || got.AQI.Sub[0].Concentration != 40 {
		t.Errorf("%+v", got.AQI)
	}
}

// TestABusThatIsJudged: what fails when it is judged, and what becomes private, leaves the surface.
func TestABusThatIsJudged(t *testing.T) {
	a := underSky(t)
	station := fleet.Station{ID: "bus", Position: fleet.Public, Mobile: true, Kind: fleet.LowCost}
	hear(t, a, mqtt.FleetStationTopic("bus"), station)
	say := func(flag nhip.Flag) {
		hear(t, a, mqtt.LiveAirTopic("bus"), nhip.Station{ID: "bus", Time: noon, Lat: nhip.Some(21.06), Lon: nhip.Some(105.80), Values: map[nhip.Quantity]nhip.LiveValue{
			nhip.PM25: {Value: 900, Time: noon, Period: 60, Flag: flag}, nhip.Temperature: {Value: 20, Time: noon, Period: 60, Flag: nhip.Good},
		}})
	}
	for _, step := range []struct {
		what string
		do   func()
		want int
	}{
		{"not judged", func() { say(nhip.NotEvaluated) }, 1},
		{"judged good", func() { say(nhip.Good) }, 1},
		{"failed", func() { say(nhip.Fail) }, 0},
		{"good", func() { say(nhip.Good) }, 1},
		{"private", func() {
			station.Position = fleet.Private
			hear(t, a, mqtt.FleetStationTopic("bus"), station)
		}, 0},
	} {
		if step.do(); len(a.sky.rovers.since(time.Time{})) != step.want {
			t.Errorf("%s: %v", step.what, a.sky.rovers.since(time.Time{}))
		}
	}
}

// TestAnUnchangedTileCostsNothing, in whatever encoding the client has it.
func TestAnUnchangedTileCostsNothing(t *testing.T) {
	a := underSky(t)
	const path = "/tiles/air/11/1626/901.mvt"
	tag := ""
	for i := range 6 {
		w := get(t, a, path, "Accept-Encoding", "gzip, br", "If-None-Match", tag)
		if tag = w.Header().Get("ETag"); (w.Code == http.StatusNotModified) != (i > 0) {
			t.Errorf("asked for the %d. time: %d", i+1, w.Code)
		}
	}
}
