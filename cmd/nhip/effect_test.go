package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/internal/await"
	"nhip/internal/config"
	"nhip/internal/datadir"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
)

// effects collects the keys whose effect was seen.
type effects map[string]bool

// see notes that a key did what it says.
func (e effects) see(t *testing.T, key string, ok bool) {
	t.Helper()
	e[key] = true
	if !ok {
		t.Errorf("%s has no effect", key)
	}
}

var feedNumber = regexp.MustCompile(`^feeds\[\d+\]`)

// TestNoKeyIsWithoutEffect sets every key of the configuration and looks for what it does in a
// running nhip. A key that is not looked for fails the test.
func TestNoKeyIsWithoutEffect(t *testing.T) {
	seen := make(effects)
	seeOneProcess(t, seen)
	seeFormats(t, seen)
	seeCollector(t, seen)
	seeAlerts(t, seen)
	seeRetention(t, seen)
	seeFullDisk(t, seen)
	seeRefusals(t, seen)
	seeGateway(t, seen)
	for _, entry := range config.Load(config.Sources{}).Entries() {
		if key := feedNumber.ReplaceAllString(entry.Key, "feeds[]"); !seen[key] {
			t.Errorf("the effect of %s is not tested", key)
		}
	}
}

// zoneFile is a file of one zone, with an odd ending.
func zoneFile(t *testing.T, ending string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "zones.geojson")
	text := `{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","properties":{"name":"Sân"},"geometry":{"type":"Polygon","coordinates":[[[105,21],[106,21],[106,22],[105,21]]]}}]}` + ending
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// basemapFile is a file with the head of a base map.
func basemapFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "base.pmtiles")
	head := append([]byte("PMTiles\x03\x7f"), make([]byte, 200)...)
	if err := os.WriteFile(path, head, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func writeYAML(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nhip.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func seeOneProcess(t *testing.T, seen effects) {
	t.Helper()
	influxd(t)
	database := influxtest.ChildIn(t, filepath.Join(t.TempDir(), "influx"))
	dir := t.TempDir()
	p, at := launch(t, dir, "up", "--data-dir", dir, "--config", writeYAML(t, fmt.Sprintf(`
http: {listen: 127.0.0.1:0, public_url: "https://probe.example"}
mqtt: {listen: 127.0.0.1:0}
public: {listen: 127.0.0.1:0, anonymous: true}
influx: {url: %q, token: %q, bucket: probe, backlog_rate: 12345}
collector: {journal_bytes: 80MB, late_window: 2h, dead_bytes: 3MB}
feeds: [{topic: probe/+, format: position, agency: probed, latency: 1h}]
air: {zone: Asia/Bangkok, completeness: 80, reach: 4321}
zones: [{file: %q, kind: yard}]
map: {pmtiles: %q, style: "https://probe.example/style.json", center: [100.5, 13.7], zoom: 7.5, attribution: probe's own}
`, database.URL(), database.Token(), zoneFile(t, ""), basemapFile(t))))
	p.Addresses = datadir.Addresses{HTTP: at["http"], MQTT: at["mqtt"]}
	defaults := config.Default()
	seen.see(t, "http.listen", !strings.HasSuffix(at["http"], defaults.HTTP.Listen))
	seen.see(t, "mqtt.listen", !strings.HasSuffix(at["mqtt"], defaults.MQTT.Listen))
	seen.see(t, "influx.url", at["influx"] == database.URL())

	c := apitest.New(t, p.HTTP)
	seen.see(t, "http.public_url", bytes.Contains(c.Get(t, "/tiles/air.json").Body, []byte("https://probe.example/tiles/")))
	var m struct {
		Style, Attribution string
		Center             []float64
		Zoom               float64
	}
	answerInto(t, c.Get(t, "/v1/map"), &m)
	seen.see(t, "map.pmtiles", bytes.HasPrefix(c.Get(t, "/basemap.pmtiles").Body, []byte("PMTiles")))
	seen.see(t, "air.reach", bytes.Contains(c.Get(t, "/v1/legend").Body, []byte(`"reach_m":4321`)))
	seen.see(t, "zones[]", bytes.Contains(c.Get(t, "/v1/zones").Body, []byte(`"id":"a"`)))
	seen.see(t, "map.style", m.Style == "https://probe.example/style.json")
	seen.see(t, "map.center", fmt.Sprint(m.Center) == "[100.5 13.7]")
	seen.see(t, "map.zoom", m.Zoom == 7.5)
	seen.see(t, "map.attribution", m.Attribution == "probe's own")

	numbers := string(c.Get(t, "/metrics").Body)
	for key, line := range map[string]string{
		"collector.journal_bytes": "\nnhip_collector_outbox_max_bytes 6.291456e+07\n", // the intake has the other quarter
		"collector.dead_bytes":    "\nnhip_collector_dead_max_bytes 3.145728e+06\n",
		"influx.backlog_rate":     "\nnhip_collector_backlog_max_rows_per_second 12345\n",
	} {
		seen.see(t, key, strings.Contains(numbers, line))
	}
	rules := `nhip_air_rules{completeness="80",zone="Asia/Bangkok"} 1`
	seen.see(t, "air.zone", strings.Contains(numbers, rules))
	seen.see(t, "air.completeness", strings.Contains(numbers, rules))
	p.publish(t, [2]string{"probe/old", position("", time.Now().Add(-3*time.Hour), 13.7, 100.5)[1]})
	await.True(t, "an old fix is turned away", func() bool { return strings.Contains(p.succeed(t, "dead", "list"), "too_old") })
	seen.see(t, "collector.late_window", true)

	hears := guest(t, at["public"])
	late := time.Now().Add(-50 * time.Minute) // live with the feed's hour, stale without
	p.publish(t, [2]string{"probe/1", position("1", late, 13.7, 100.5)[1]})
	var buses collection
	await.True(t, "the bus is live", func() bool {
		answerInto(t, c.Get(t, "/v1/buses"), &buses)
		return len(buses.Features) == 1
	})
	bus := buses.Features[0].Properties
	seen.see(t, "feeds[].topic", bus["id"] == "1")
	seen.see(t, "feeds[].format", bus["route"] == "32")
	seen.see(t, "feeds[].agency", bus["agency"] == "probed")
	seen.see(t, "feeds[].latency", bus["state"] == "live")
	heard := hears("/hfp/v2/journey/ongoing/vp/bus/probed/1/32/")
	seen.see(t, "public.listen", heard)
	seen.see(t, "public.anonymous", heard)
	db := influxtest.Open(t, database, "probe")
	await.True(t, "the bus is in the bucket", func() bool {
		n, err := db.Count(t.Context(), influx.PositionMeasurement, late.Add(-time.Minute), late.Add(time.Minute))
		return err == nil && n == 1
	})
	seen.see(t, "influx.bucket", true)
}

// seeFormats speaks formats that leave something to the feed.
func seeFormats(t *testing.T, seen effects) {
	t.Helper()
	p := up(t, t.TempDir(), "--clock", "2026-02-16T16:00:00Z", "--config", writeYAML(t, `
feeds:
- {topic: tele/+/SENSOR, format: tasmota, agency: a, zone: Asia/Ho_Chi_Minh, period: 7m}
- {topic: ufms/+, format: ufms, agency: a, speed_unit: m/s}
- {topic: v3/+/devices/+/up, format: tts, agency: a, fields: "air.t=temperature °F"}
`))
	box, err := os.ReadFile("../../collector/decode/ufms/testdata/way-point/payload.bin")
	if err != nil {
		t.Fatal(err)
	}
	p.publish(t,
		[2]string{"tele/balcony/SENSOR", `{"Time":"2026-02-16T22:58:02","PMS5003":{"PM2.5":52}}`},
		[2]string{"ufms/box", string(box)},
		[2]string{"v3/probe@ttn/devices/lamp/up", `{"end_device_ids":{"device_id":"lamp","application_ids":{"application_id":"probe"}},"uplink_message":{"received_at":"2026-02-16T15:58:00Z","frm_payload":"AQ==","decoded_payload":{"air":{"t":86}}}}`})
	c := apitest.New(t, p.HTTP)
	var stations, buses collection
	await.True(t, "the monitors and the bus are live", func() bool {
		answerInto(t, c.Get(t, "/v1/stations"), &stations)
		answerInto(t, c.Get(t, "/v1/buses"), &buses)
		return len(stations.Features) == 2 && len(buses.Features) == 1
	})
	monitor, lamp, bus := fmt.Sprint(stations.Features[0].Properties), fmt.Sprint(stations.Features[1].Properties), buses.Features[0].Properties
	seen.see(t, "feeds[].fields", strings.Contains(lamp, "value:30]")) // °C
	seen.see(t, "feeds[].zone", strings.Contains(monitor, "2026-02-16T15:58:02Z"))
	seen.see(t, "feeds[].period", strings.Contains(monitor, "7m"))
	seen.see(t, "feeds[].speed_unit", bus["speed"] == 31.5) // 8.75 where it is taken for km/h
}

func seeCollector(t *testing.T, seen effects) {
	t.Helper()
	broker := mqtttest.Mosquitto(t)
	o := broker.Options(mqtttest.Collector)
	database := influxtest.ChildIn(t, filepath.Join(t.TempDir(), "influx"))
	dir := t.TempDir()
	_, at := launch(t, dir, "collector", "--data-dir", dir, "--config", writeYAML(t, fmt.Sprintf(`
broker: {url: %q, username: %q, password: %q}
collector: {id: west, hfp: true}
health: {listen: "127.0.0.2:0"}
influx: {url: %q, token: %q}
`, o.URL, o.Username, o.Password, database.URL(), database.Token())))
	seen.see(t, "broker.url", at["broker"] == o.URL)
	seen.see(t, "broker.username", true) // Mosquitto lets nobody in without
	seen.see(t, "broker.password", true)
	seen.see(t, "health.listen", strings.HasPrefix(at["health"], "http://127.0.0.2:"))
	resp, err := http.Get(at["health"] + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var ready struct{ Ready bool }
	if err := json.NewDecoder(resp.Body).Decode(&ready); err != nil || !ready.Ready {
		t.Errorf("a collector that says that it is ready is not: %v", err)
	}
	o.ClientID = "test-census"
	mqtttest.Listen(t, o, mqtt.Live).Wait(t, "the collector's census", func(m mqtttest.Message) bool {
		return m.Topic == mqtt.CensusTopic("west")
	})
	seen.see(t, "collector.id", true)
	o.ClientID = "test-hfp"
	l := mqtttest.Listen(t, o, mqtt.LiveHFP+"#")
	say, err := mqtt.Dial(t.Context(), broker.Options(mqtttest.Gateway))
	if err != nil {
		t.Fatal(err)
	}
	defer say.Close()
	m := position("1", time.Now(), 21, 105.8)
	say.Publish(m[0], 1, false, []byte(m[1]))
	l.Wait(t, "the bus as HFP", func(m mqtttest.Message) bool { return strings.Contains(m.Payload, `"VP"`) })
	seen.see(t, "collector.hfp", true)
}

// seeFullDisk leaves more of the disk alone than there is.
func seeFullDisk(t *testing.T, seen effects) {
	t.Helper()
	p := up(t, t.TempDir(), "--config", writeYAML(t, "collector: {min_free: 900TB}"))
	fan, err := mqtt.DialFan(t.Context(), mqtt.FanOptions{Options: p.operator(t, "device"), Lanes: 1})
	if err != nil {
		t.Fatal(err)
	}
	m := position("1", time.Now(), 21, 105.8)
	if err := fan.Publish(t.Context(), m[0], []byte(m[1])); err != nil {
		t.Fatal(err)
	}
	c := apitest.New(t, p.HTTP)
	await.True(t, "the intake says that it is full", func() bool {
		return bytes.Contains(c.Get(t, "/readyz").Body, []byte(`"degraded":["intake"]`))
	})
	seen.see(t, "collector.min_free", fan.Acked() == 0)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_ = fan.Close(gone) // nothing will be acknowledged
}

// seeRefusals shows keys whose effect is what happens when they are wrong.
func seeRefusals(t *testing.T, seen effects) {
	t.Helper()
	second := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Influxdb-Version", "v2.7.11")
		if r.URL.Path == "/ping" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"code":"not found","message":"organization name \"%s\" not found for %s"}`, r.FormValue("org"), r.Header.Get("Authorization"))
	}))
	defer second.Close()
	told := refused(t, fmt.Sprintf("influx: {url: %q, token: s3cret, org: probe-city}", second.URL))
	seen.see(t, "influx.org", strings.Contains(told, `no organisation "probe-city"`))
	database := influxtest.ChildIn(t, filepath.Join(t.TempDir(), "influx"))
	told = refused(t, fmt.Sprintf("influx: {url: %q, token: 'nhip:wrong'}", database.URL()))
	seen.see(t, "influx.token", strings.Contains(told, "does not know the token"))
	seen.see(t, "gtfs", strings.Contains(refused(t, "gtfs: /nowhere/probe.zip"), "/nowhere/probe.zip"))
}

// refused starts nhip up with a configuration that can't work and returns what it says.
func refused(t *testing.T, yaml string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	var stdout, stderr bytes.Buffer
	args := []string{"up", "--data-dir", t.TempDir(), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--config", writeYAML(t, yaml)}
	if execute(ctx, args, &stdout, &stderr) != 1 {
		t.Errorf("%s is not refused", yaml)
	}
	return stderr.String()
}
