package app_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhip"
	"nhip/api/apitest"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/client"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/internal/awaittest"
	"nhip/internal/config"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/mqtt/publish"
	"nhip/internal/openid/openidtest"
	"nhip/internal/topics"
)

// effects collects the configuration keys whose effect a test has checked.
type effects map[string]bool

// check records that a key was checked, and fails the test unless the key had its effect.
func (e effects) check(t *testing.T, key string, ok bool) {
	t.Helper()
	e[key] = true
	if !ok {
		t.Errorf("%s has no effect", key)
	}
}

var feedNumber = regexp.MustCompile(`^feeds\[\d+\]`)

// TestEveryKeyHasAnEffect sets every key of the configuration and checks its effect in a running role. It fails for a
// key that it does not check.
func TestEveryKeyHasAnEffect(t *testing.T) {
	checked := make(effects)
	checkUp(t, checked)
	checkFormats(t, checked)
	checkCollector(t, checked)
	checkAlerts(t, checked)
	checkRetention(t, checked)
	checkFullDisk(t, checked)
	checkRefusals(t, checked)
	checkGateway(t, checked)
	checkHTTP(t, checked)
	checkTimetables(t, checked)
	checkLean(t, checked)
	checkPredictions(t, checked)
	for _, entry := range config.Load(config.Sources{}).Entries() {
		if key := feedNumber.ReplaceAllString(entry.Key, "feeds[]"); !checked[key] {
			t.Errorf("the effect of %s is not tested", key)
		}
	}
}

func checkUp(t *testing.T, checked effects) {
	t.Helper()
	database := influxtest.ServerIn(t, filepath.Join(t.TempDir(), "influx"))
	issuer := openidtest.Start(t)
	p := apptest.Start(t, app.Up, app.Options{DataDir: t.TempDir(), Config: apptest.LoadConfig(t, fmt.Sprintf(`
http: {listen: 127.0.0.1:0, public_url: "https://probe.example", streams: {max: 77, per_address: 33}}
mqtt: {listen: 127.0.0.1:0}
public: {listen: 127.0.0.1:0, mqtt: 127.0.0.1:0, anonymous: true}
influx: {url: %q, token: %q, bucket: probe, backlog_rate: 12345}
collector:
  {journal_bytes: 80MB, late_window: 2h, dead_bytes: 3MB, new_devices: 321, new_feed_devices: 4321, row_rate: 54321,
   photo_bytes: 5MB, photo_keep: 50h}
reminders: {per_address: 18, per_key: 181}
reports: {per_address: 17, per_hour: 171, keep_contact: 30h, form_secret: "the secret of the probe's own form"}
feeds: [{topic: probe/+, format: position, agency: probed, latency: 1h}]
air: {zone: Asia/Bangkok, completeness: 80, reach: 4321, review_reasons: ["Mưa | Rain"]}
zones: [{file: %q, kind: yard}]
places: %q
map:
  {pmtiles: %q, style: "https://probe.example/style.json", center: [100.5, 13.7], zoom: 7.5, attribution: probe's own}
`, database.URL(), database.Token(), apptest.ZoneFile(t, ""), apptest.PlacesFile(t),
		apptest.BasemapFile(t))+probeIssuer(t, issuer))})
	defaults := config.Default()
	checked.check(t, "http.listen", !strings.HasSuffix(p.HTTP, defaults.HTTP.Listen))
	checked.check(t, "mqtt.listen", !strings.HasSuffix(p.MQTT, defaults.MQTT.Listen))
	checked.check(t, "influx.url", p.Influx == database.URL())
	c := p.API(t)
	checkMapKeys(t, checked, c, p.Token(t))
	checkMetricKeys(t, checked, c)
	checkFormSecret(t, checked, c)
	checkIssuer(t, checked, c, issuer)
	p.Publish(t, apptest.Message{
		Topic: "probe/old", Payload: apptest.Position("", time.Now().Add(-3*time.Hour), 13.7, 100.5).Payload,
	})
	awaittest.True(t, "an old position is rejected", func() bool {
		page, err := p.Client(t).DeadLetters(t.Context(), client.DeadLetterQuery{Code: nhip.CodeTooOld})
		return err == nil && len(page.Letters) == 1
	})
	checked.check(t, "collector.late_window", true)
	late := time.Now().Add(-50 * time.Minute) // live with the feed's hour, stale without
	checkFeedKeys(t, checked, p, late)
	db := influxtest.Open(t, database, "probe")
	awaittest.True(t, "the bus is in the bucket", func() bool {
		n, err := db.Count(t.Context(), influx.PositionMeasurement, late.Add(-time.Minute), late.Add(time.Minute))
		return err == nil && n == 1
	})
	checked.check(t, "influx.bucket", true)
}

func checkMapKeys(t *testing.T, checked effects, c *apitest.Client, token string) {
	t.Helper()
	contains := func(path, text string) bool { return bytes.Contains(c.Get(t, path).Body, []byte(text)) }
	checked.check(t, "http.public_url", contains("/tiles/air.json", "https://probe.example/tiles/"))
	checked.check(t, "map.pmtiles", bytes.HasPrefix(c.Get(t, "/basemap.pmtiles").Body, []byte("PMTiles")))
	checked.check(t, "air.reach", contains("/v1/legend", `"reach_m":4321`))
	checked.check(t, "zones[]", contains("/v1/zones", `"id":"a"`))
	reasons := c.Get(t, "/v1/reviews/reasons", "Authorization", "Bearer "+token).Body
	checked.check(t, "air.review_reasons", string(reasons) == `{"reasons":[{"vi":"Mưa","en":"Rain"}]}`+"\n")
	checked.check(t, "places", contains("/v1/search?q=bv+bach+mai&kind=place,station", `"id":"bm"`))
	var m struct {
		Style, Attribution string
		Center             []float64
		Zoom               float64
	}
	apptest.Decode(t, c.Get(t, "/v1/map"), &m)
	checked.check(t, "map.style", m.Style == "https://probe.example/style.json")
	checked.check(t, "map.center", fmt.Sprint(m.Center) == "[100.5 13.7]")
	checked.check(t, "map.zoom", m.Zoom == 7.5)
	checked.check(t, "map.attribution", m.Attribution == "probe's own")
}

func checkMetricKeys(t *testing.T, checked effects, c *apitest.Client) {
	t.Helper()
	metrics := string(c.Get(t, "/metrics").Body)
	for key, line := range map[string]string{
		"collector.journal_bytes":    "\nnhip_collector_outbox_max_bytes 6.291456e+07\n", // the intake has the other quarter
		"collector.dead_bytes":       "\nnhip_collector_dead_max_bytes 3.145728e+06\n",
		"collector.new_devices":      "\nnhip_collector_budget_sender 321\n",
		"collector.new_feed_devices": "\nnhip_collector_budget_feed 4321\n",
		"collector.row_rate":         "\nnhip_collector_budget_rows 54321\n",
		"collector.photo_bytes":      "\nnhip_collector_photos_max_bytes 5.24288e+06\n",
		"collector.photo_keep":       "\nnhip_collector_photos_keep_seconds 180000\n",
		"reports.per_address":        "\nnhip_api_reports_per_hour_max{of=\"address\"} 17\n",
		"reports.per_hour":           "\nnhip_api_reports_per_hour_max{of=\"all\"} 171\n",
		"reminders.per_address":      "\nnhip_api_reminders_max{of=\"address\"} 18\n",
		"reminders.per_key":          "\nnhip_api_reminders_max{of=\"key\"} 181\n",
		"reports.keep_contact":       "\nnhip_api_report_contact_keep_seconds 108000\n",
		"influx.backlog_rate":        "\nnhip_collector_backlog_max_rows_per_second 12345\n",
		"air.zone":                   `nhip_air_rules{completeness="80",zone="Asia/Bangkok"} 1`,
		"air.completeness":           `nhip_air_rules{completeness="80",zone="Asia/Bangkok"} 1`,
		"http.streams.max":           "\nnhip_api_streams_max 77\n",
		"http.streams.per_address":   "\nnhip_api_streams_per_address_max 33\n",
	} {
		checked.check(t, key, strings.Contains(metrics, line))
	}
}

// checkFeedKeys publishes a position of the feed at a time that only the feed's latency makes live.
func checkFeedKeys(t *testing.T, checked effects, p *apptest.Platform, at time.Time) {
	t.Helper()
	guestReceives, plainReceives := subscribeGuest(t, p.Public), subscribeGuest(t, p.PublicMQTT)
	p.Publish(t, apptest.Message{Topic: "probe/1", Payload: apptest.Position("1", at, 13.7, 100.5).Payload})
	c := p.API(t)
	var buses apptest.Features
	awaittest.True(t, "the bus is live", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/buses"), &buses)
		return len(buses.Features) == 1
	})
	bus := buses.Features[0].Properties
	checked.check(t, "feeds[].topic", bus["id"] == "1")
	checked.check(t, "feeds[].format", bus["route"] == "32")
	checked.check(t, "feeds[].agency", bus["agency"] == "probed")
	checked.check(t, "feeds[].latency", bus["state"] == "live")
	const hfp = "/hfp/v2/journey/ongoing/vp/bus/probed/1/32/"
	received := guestReceives(hfp)
	checked.check(t, "public.mqtt", plainReceives(hfp))
	checked.check(t, "public.listen", received)
	checked.check(t, "public.anonymous", received)
}

// checkFormats publishes payloads of formats that need keys of their feed.
func checkFormats(t *testing.T, checked effects) {
	t.Helper()
	o := apptest.Options(t, t.TempDir(), `
feeds:
- {topic: tele/+/SENSOR, format: tasmota, agency: a, zone: Asia/Ho_Chi_Minh, period: 7m}
- {topic: ufms/+, format: ufms, agency: a, speed_unit: m/s}
- {topic: v3/+/devices/+/up, format: tts, agency: a, fields: "air.t=temperature °F"}
`)
	o.Clock = nhip.NewReplayClock(time.Date(2026, 2, 16, 16, 0, 0, 0, time.UTC), 1)
	p := apptest.Start(t, app.Up, o)
	waypoint, err := os.ReadFile("../collector/decode/ufms/testdata/way-point/payload.bin")
	if err != nil {
		t.Fatal(err)
	}
	p.Publish(t,
		apptest.Message{
			Topic: "tele/balcony/SENSOR", Payload: `{"Time":"2026-02-16T22:58:02","PMS5003":{"PM2.5":52}}`,
		},
		apptest.Message{Topic: "ufms/bus-1", Payload: string(waypoint)},
		apptest.Message{
			Topic: "v3/probe@ttn/devices/lamp/up",
			Payload: `{"end_device_ids":{"device_id":"lamp","application_ids":{"application_id":"probe"}},` +
				`"uplink_message":{"received_at":"2026-02-16T15:58:00Z","frm_payload":"AQ==",` +
				`"decoded_payload":{"air":{"t":86}}}}`,
		})
	c := p.API(t)
	var stations, buses apptest.Features
	awaittest.True(t, "the stations and the bus are live", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/stations"), &stations)
		apptest.Decode(t, c.Get(t, "/v1/buses"), &buses)
		return len(stations.Features) == 2 && len(buses.Features) == 1
	})
	balcony, lamp := fmt.Sprint(stations.Features[0].Properties), fmt.Sprint(stations.Features[1].Properties)
	checked.check(t, "feeds[].fields", strings.Contains(lamp, "value:30]")) // °C
	checked.check(t, "feeds[].zone", strings.Contains(balcony, "2026-02-16T15:58:02Z"))
	checked.check(t, "feeds[].period", strings.Contains(balcony, "7m"))
	// In km/h it would be 8.75 m/s.
	checked.check(t, "feeds[].speed_unit", buses.Features[0].Properties["speed"] == 31.5)
}

func checkCollector(t *testing.T, checked effects) {
	t.Helper()
	broker := mqtttest.Mosquitto(t)
	o := broker.Options(mqtttest.Collector)
	database := influxtest.ServerIn(t, filepath.Join(t.TempDir(), "influx"))
	p := apptest.Start(t, app.Collector, app.Options{DataDir: t.TempDir(), Config: apptest.LoadConfig(t, fmt.Sprintf(`
broker: {url: %q, username: %q, password: %q}
collector: {id: west, hfp: true}
stations: {unknown: private}
health: {listen: "127.0.0.2:0"}
influx: {url: %q, token: %q}
`, o.URL, o.Username, o.Password, database.URL(), database.Token()))})
	checked.check(t, "broker.url", p.Broker == o.URL)
	checked.check(t, "broker.username", true) // Mosquitto accepts nobody without
	checked.check(t, "broker.password", true)
	checked.check(t, "health.listen", strings.HasPrefix(p.Health, "http://127.0.0.2:"))
	resp, err := http.Get(p.Health + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var ready struct{ Ready bool }
	if err := json.NewDecoder(resp.Body).Decode(&ready); err != nil || !ready.Ready {
		t.Errorf("a started collector is not ready: %v", err)
	}
	o.ClientID = "test-census"
	mqtttest.Listen(t, o, topics.Live).Wait(t, "the collector's census", func(m mqtttest.Message) bool {
		return m.Topic == topics.CensusTopic("west")
	})
	checked.check(t, "collector.id", true)
	o.ClientID = "test-hfp"
	hfp := mqtttest.Listen(t, o, topics.LiveHFP+"#")
	device, err := mqtt.Dial(t.Context(), broker.Options(mqtttest.Gateway))
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	m := apptest.Position("1", time.Now(), 21, 105.8)
	device.Publish(m.Topic, 1, false, []byte(m.Payload))
	hfp.Wait(t, "the bus as HFP", func(m mqtttest.Message) bool { return strings.Contains(m.Payload, `"VP"`) })
	checked.check(t, "collector.hfp", true)
	o.ClientID = "test-air"
	stations := mqtttest.Listen(t, o, topics.LiveAir)
	m = apptest.Reading("unknown", time.Now(), 5)
	device.Publish(m.Topic, 1, false, []byte(m.Payload))
	state := stations.Wait(t, "the station", func(m mqtttest.Message) bool {
		return m.Topic == topics.LiveAirTopic("unknown")
	})
	checked.check(t, "stations.unknown", strings.Contains(state.Payload, `"private":true`))
}

// checkFullDisk reserves more of the disk than there is.
func checkFullDisk(t *testing.T, checked effects) {
	t.Helper()
	p := apptest.Up(t, t.TempDir(), "collector: {min_free: 900TB}")
	publisher, err := publish.Dial(t.Context(), publish.Options{
		Options: p.Operator(t, "device"), Connections: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	m := apptest.Position("1", time.Now(), 21, 105.8)
	if err := publisher.Publish(t.Context(), m.Topic, []byte(m.Payload)); err != nil {
		t.Fatal(err)
	}
	c := p.API(t)
	awaittest.True(t, "the intake is full", func() bool {
		return bytes.Contains(c.Get(t, "/readyz").Body, []byte(`"degraded":["intake"]`))
	})
	checked.check(t, "collector.min_free", publisher.Acked() == 0)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_ = publisher.Close(ended) // nothing will be acknowledged
}

// checkRefusals checks keys whose effect is the error for a wrong value.
func checkRefusals(t *testing.T, checked effects) {
	t.Helper()
	v2 := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Influxdb-Version", "v2.7.11")
		if r.URL.Path == "/ping" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"code":"not found","message":"organization name \"%s\" not found for %s"}`,
			r.FormValue("org"), r.Header.Get("Authorization"))
	}))
	defer v2.Close()
	err := startError(t, fmt.Sprintf("influx: {url: %q, token: s3cret, org: probe-city}", v2.URL))
	checked.check(t, "influx.org", strings.Contains(err.Error(), `no organisation "probe-city"`))
	database := influxtest.ServerIn(t, filepath.Join(t.TempDir(), "influx"))
	err = startError(t, fmt.Sprintf("influx: {url: %q, token: 'nhip:wrong'}", database.URL()))
	checked.check(t, "influx.token", strings.Contains(err.Error(), "does not accept the token"))
	err = startError(t, fmt.Sprintf("influx: {listen: %q}", strings.TrimPrefix(database.URL(), "http://")))
	checked.check(t, "influx.listen", errors.Is(err, syscall.EADDRINUSE))
	err = startError(t, fmt.Sprintf("influx: {listen: 127.0.0.1:0, url: %q}", database.URL()))
	checked.check(t, "influx.listen", strings.Contains(err.Error(), "influx.listen: has no effect with influx.url"))
	err = startError(t, "gtfs: /nowhere/probe.zip")
	checked.check(t, "gtfs", strings.Contains(err.Error(), "/nowhere/probe.zip"))
	checkAgency(t, checked)
}

// checkAgency checks a timetable without an agency.txt.
func checkAgency(t *testing.T, checked effects) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "feed.zip")
	without := withoutFile(t, geotest.Line(2, time.Hour), "agency.txt")
	if err := os.WriteFile(path, without, 0o600); err != nil {
		t.Fatal(err)
	}
	report := func(text string) app.TimetableReport {
		conf := filepath.Join(t.TempDir(), "nhip.yaml")
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		flags := []config.Flag{{Name: "--gtfs", Key: "gtfs", Value: path}}
		report, _ := app.CheckConfig(app.LoadConfig(config.Sources{Path: conf, Flags: flags}), t.TempDir())
		return report
	}
	if report("").Usable {
		t.Error("a timetable without an agency is used")
	}
	with := report("gtfs_agency: {name: Probe, zone: Asia/Tokyo}")
	done := fmt.Sprint(with.Findings)
	checked.check(t, "gtfs_agency.name", with.Usable && strings.Contains(done, `"Probe"`))
	checked.check(t, "gtfs_agency.zone", with.Usable && strings.Contains(done, "Asia/Tokyo"))
}

// withoutFile returns a timetable without one of its files.
func withoutFile(t *testing.T, f *gtfs.Feed, name string) []byte {
	t.Helper()
	var whole, rest bytes.Buffer
	if err := f.Write(&whole); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(whole.Bytes()), int64(whole.Len()))
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(&rest)
	for _, file := range archive.File {
		if file.Name != name {
			err = errors.Join(err, w.Copy(file))
		}
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return rest.Bytes()
}

// TestAgencyOfTheConfiguration checks the keys gtfs_agency alone.
func TestAgencyOfTheConfiguration(t *testing.T) { checkAgency(t, make(effects)) }

// startError starts all roles with a configuration that can't work, and returns the error.
func startError(t *testing.T, yaml string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), awaittest.Timeout)
	defer cancel()
	o := apptest.Options(t, t.TempDir(), yaml)
	o.Influxd = influxtest.Binary(t)
	role := app.Up(o)
	err := role.Start(ctx)
	if err == nil {
		t.Fatalf("started with %s: %v", yaml, role.Stop(ctx))
	}
	return err
}
