package config

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/geo/alert"
	"nhip/geo/qc"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// load reads a text as a file with a short path, so that a test can compare whole faults.
func load(t *testing.T, text string, more Sources) *Effective {
	t.Helper()
	t.Chdir(t.TempDir())
	more.Path = "nhip.yaml"
	if err := os.WriteFile(more.Path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(more)
}

// fields visits every field of a struct except lists of structs.
func fields(path string, v reflect.Value, visit func(path string, to any)) {
	for i := range v.NumField() {
		field, name := v.Field(i), path+"."+v.Type().Field(i).Name
		switch list := field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.Struct; {
		case field.Kind() == reflect.Struct && field.Type() != reflect.TypeFor[time.Time]():
			fields(name, field, visit)
		case !list:
			visit(name, field.Addr().Interface())
		}
	}
}

func TestEveryConfigFieldHasKey(t *testing.T) {
	var c Config
	var f Feed
	var p Pull
	var so Source
	var z Zones
	var ch Check
	var al Alert
	var ru AccessRule
	settings := slices.Concat(c.settings(), f.settings(prefix(feedsKey, 0)), p.settings(prefix(pullsKey, 0)),
		so.settings(prefix(sourcesKey, 0)),
		z.settings(prefix(zonesKey, 0)), ch.settings(prefix(checksKey, 0)), al.settings(prefix(alertsKey, 0)),
		ru.settings(prefix(rulesKey, 0)))
	keys := make(map[any]string)
	for _, s := range settings {
		keys[s.Value.Target()] = s.Key
	}
	walked := 0
	visit := func(path string, to any) {
		walked++
		if keys[to] == "" {
			t.Errorf("%s has no key in settings.go", path)
		}
	}
	fields("Config", reflect.ValueOf(&c).Elem(), visit)
	fields("Feed", reflect.ValueOf(&f).Elem(), visit)
	fields("Pull", reflect.ValueOf(&p).Elem(), visit)
	fields("Source", reflect.ValueOf(&so).Elem(), visit)
	fields("Zones", reflect.ValueOf(&z).Elem(), visit)
	fields("Check", reflect.ValueOf(&ch).Elem(), visit)
	fields("Alert", reflect.ValueOf(&al).Elem(), visit)
	fields("AccessRule", reflect.ValueOf(&ru).Elem(), visit)
	if walked != len(keys) || walked != len(settings) {
		t.Errorf("%d fields, %d settings, which write to %d fields", walked, len(settings), len(keys))
	}
}

// samples returns a value for each key that differs from its default.
func samples() map[string]string {
	return map[string]string{
		"http.streams.max": "77", "http.streams.per_address": "33",
		"http.trusted_proxies": "10.0.0.5, fd00::/8", "http.metrics": "public", "http.limits.connections": "100",
		"http.limits.per_address": "20", "http.limits.bodies": "3", "http.limits.history": "2",
		"data.license": "CC-BY-4.0", "data.license_url": "https://example.org/license", "data.source": "Hà Nội",
		"http.limits.client_rate": "7", "http.limits.key_rate": "8", "http.limits.spare_rate": "9",
		"http.plain": "true", "http.tls.cert": "api.pem", "http.tls.key": "api.key", "mqtt.plain": "true",
		"mqtt.tls.cert": "mqtt.pem", "mqtt.tls.key": "mqtt.key", "mqtt.tls.client_ca": "ca.pem", "mqtt.tls.crl": "crl.pem",
		"mqtt.limits.connections": "10", "mqtt.limits.per_address": "9", "mqtt.limits.connect_rate": "8",
		"mqtt.limits.message_rate": "7", "mqtt.limits.byte_rate": "6000",
		"http.listen": "0.0.0.0:80", "http.public_url": "https://nhip.example", "mqtt.listen": ":1884",
		"broker.url": "tcp://broker:1883", "broker.ca": "ca.pem", "broker.username": "nhip-api", "broker.password": "s3cret",
		"collector.id":          "west",
		"forward.journal_bytes": "3GB", "forward.min_free": "64MB", "public.listen": ":8443", "public.anonymous": "true",
		"public.mqtt": ":1884", "public.mqtts": ":8884",
		"collector.hfp": "true", "stations.unknown": "private", "collector.new_devices": "500",
		"collector.new_feed_devices": "5000", "collector.row_rate": "50",
		"push.listen": "0.0.0.0:8081", "files.root": "/srv/stations",
		"health.listen":           "0.0.0.0:9100",
		"collector.journal_bytes": "2GB", "collector.min_free": "1GB", "collector.dead_bytes": "512MB",
		"collector.photo_bytes": "64MB", "collector.photo_keep": "30d", "reports.per_address": "7", "reports.per_hour": "77",
		"reminders.per_address": "8", "reminders.per_key": "88",
		"reports.keep_contact": "10d", "reports.form_secret": "0123456789abcdef0123456789abcdef",
		"access.oidc.issuer": "https://id.example/city/", "access.oidc.client_id": "nhip",
		"access.oidc.client_secret": "s3cret", "access.oidc.client_secret_file": "oidc.secret",
		"access.oidc.redirect": "https://nhip.example/back", "access.oidc.scopes": "groups, email",
		"access.oidc.session":   "8h",
		"collector.late_window": "36h", "influx.backlog_rate": "5000",
		"influx.url": "http://db:8086", "influx.listen": "127.0.0.1:8086", "influx.token": "s3cret", "influx.org": "city",
		"influx.bucket":    "air",
		"gtfs_agency.name": "Transerco", "gtfs_agency.zone": "Asia/Bangkok",
		"gtfs": "hanoi.zip", "fleet": "hanoi.yaml", "places": "places.geojson",
		"air.zone": "Asia/Bangkok", "air.reach": "5000", "air.completeness": "80",
		"air.review_reasons": "Mưa | Rain, Khói | Smoke", "retention.position": "400d",
		"retention.reading": "800d", "retention.arrival": "30d",
		"outgoing.allow": "10.0.0.0/8, ::1", "outgoing.proxy": "http://proxy.example:3128",
		"air.webhook.url": "https://hook.example/x", "air.webhook.secret": "s3cret", "air.mail.host": "mail.example",
		"air.mail.port":     "25",
		"air.mail.username": "u", "air.mail.password": "s3cret", "air.mail.from": "a@b.example", "air.mail.to": "c@d.example",
		"air.mail.plain": "true",
		"map.style":      "https://tiles.example/style.json", "map.pmtiles": "hanoi.pmtiles", "map.center": "105, 21.5",
		"predict.lean": "0.5",
		"map.zoom":     "10.5", "map.attribution": "© us",
		"feeds[0].name": "sensors", "feeds[0].topic": "a/+", "feeds[0].format": "mine", "feeds[0].agency": "hn",
		"feeds[0].latency": "2m", "feeds[0].timetable": "hanoi.zip",
		"feeds[0].predictions": "better",
		"feeds[0].zone":        "Asia/Bangkok", "feeds[0].period": "5m", "feeds[0].speed_unit": "m/s",
		"feeds[0].fields": "air.pm=pm25, t=temperature °F",
	}
}

func TestConfigKeysHaveEffectThroughTheEnvironment(t *testing.T) {
	var c Config
	for _, s := range c.settings() {
		given := samples()[s.Key]
		e := Load(Sources{Environ: []string{Variable(s.Key) + "=" + given}})
		checkOnly(t, e, s.Key, given, Variable(s.Key))
	}
}

func TestConfigKeysHaveEffectThroughTheFile(t *testing.T) {
	var c Config
	for _, s := range c.settings() {
		given := samples()[s.Key]
		e := load(t, "# a line before\n"+nested(s.Key, given), Sources{})
		checkOnly(t, e, s.Key, given, fmt.Sprintf("nhip.yaml:%d", 2+strings.Count(s.Key, ".")))
	}
}

// nested returns the YAML of a.b: v.
func nested(key, v string) string {
	if section, rest, below := strings.Cut(key, "."); below {
		return section + ":\n  " + strings.ReplaceAll(nested(rest, v), "\n", "\n  ")
	}
	return fmt.Sprintf("%s: %q\n", key, v)
}

// checkOnly checks that a configuration differs from the default in one key only.
func checkOnly(t *testing.T, e *Effective, key, want, origin string) {
	t.Helper()
	if err := e.Err(); err != nil {
		t.Errorf("%s: %v", key, err)
		return
	}
	before := Default()
	all := e.all()
	for i, s := range before.all() {
		got := all[i].Value.String()
		switch {
		case s.Key == key && (got != want || got == s.Value.String() || e.positions[key].Origin() != origin):
			t.Errorf("%s is %q from %s, want %q from %s", key, got, e.positions[key].Origin(), want, origin)
		case s.Key != key && (got != s.Value.String() || e.positions[s.Key].Origin() != "default"):
			t.Errorf("%s: %s changed to %q", key, s.Key, got)
		}
	}
	if cmp.Equal(before, e.Config) {
		t.Errorf("%s changed nothing", key)
	}
}

func TestConfigKeysOfPullHaveEffect(t *testing.T) {
	e := load(t, "pulls:\n- name: city\n  url: https://city.example/vp.pb\n  every: 20s\n  header: 'X-Key: s3cret'\n"+
		"  timetable: bus.zip\n  predictions: theirs\n", Sources{})
	want := []Pull{{
		Name: "city", URL: "https://city.example/vp.pb", Every: 20 * time.Second, Header: "X-Key: s3cret",
		Timetable: "bus.zip", Predictions: "theirs",
	}}
	if diff := cmp.Diff(want, e.Pulls); diff != "" || e.Err() != nil {
		t.Errorf("%v\n%s", e.Err(), diff)
	}
	for _, entry := range e.Entries() {
		if entry.Key == "pulls[0].header" && entry.Value != redacted {
			t.Errorf("the header is displayed as %s", entry.Value)
		}
	}
	if e := load(t, "pulls: [{name: a, url: 'http://a'}, {name: a, url: ftp://a, every: 0s}, {}]",
		Sources{}); len(e.faults) != 5 {
		t.Errorf("faults:\n%v", e.Err())
	}
}

func TestConfigKeysOfSourceHaveEffect(t *testing.T) {
	const file = `sources:
- {name: city.boxes, url: "amqps://u:s3c,ret@q.example/%2Fbus", queue: way points, format: ufms-bus, ca: ca.pem}
- {name: more, url: amqp://q.example, queue: q, format: ufms-bus, password: s3cret}
`
	e := load(t, file, Sources{Environ: []string{"NHIP_SOURCES_CITY_BOXES_PASSWORD=s3cret-2"}})
	want := []Source{
		{
			Name: "city.boxes", URL: "amqps://u:s3c,ret@q.example/%2Fbus", Password: "s3cret-2", CA: "ca.pem",
			Queue: "way points", Format: "ufms-bus",
		},
		{Name: "more", URL: "amqp://q.example", Password: "s3cret", Queue: "q", Format: "ufms-bus"},
	}
	if diff := cmp.Diff(want, e.Sources); diff != "" || e.Err() != nil {
		t.Errorf("%v\n%s", e.Err(), diff)
	}
	shown := make(map[string]Entry)
	for _, entry := range e.Entries() {
		shown[entry.Key] = entry
		if strings.Contains(entry.Value, "s3c") || strings.Contains(entry.Value, "ret@") {
			t.Errorf("%s is displayed as %s", entry.Key, entry.Value)
		}
	}
	if o := shown["sources[0].password"].Origin; o != "NHIP_SOURCES_CITY_BOXES_PASSWORD" {
		t.Errorf("the password is from %s", o)
	}
	if v := shown["sources[0].url"].Value; v != "amqps://u:xxxxx@q.example/%2Fbus" {
		t.Errorf("the address is displayed as %s", v)
	}
}

func TestInvalidSourcesAreRefused(t *testing.T) {
	source := func(more string) string {
		return "sources: [{name: a, url: 'amqp://u@h/v', queue: q, format: f" + more + "}]"
	}
	withURL := func(url string) string {
		return "sources: [{name: a, url: '" + url + "', queue: q, format: f}]"
	}
	for text, want := range map[string]string{
		source(", ca: x.pem"):    "sources[0].ca: has no effect without amqps:// in url",
		source(", vhost: x"):     "sources[0].vhost: is not a known key",
		"sources: [{name: a}]":   "sources[0].url: is required",
		"sources: [{queue: ''}]": "sources[0].queue: must not be empty",
		"sources: [{name: a-b, url: 'amqp://h', queue: q, format: f}, " +
			"{name: a.b, url: 'amqp://h', queue: q, format: f}]": "sources[1].name: " +
			"must differ from the name of sources[0] in letters or digits",
		withURL("http://h"):                      "sources[0].url: must be an address as in amqp",
		withURL("amqp://u:s3cret@h?heartbeat=1"): "sources[0].url: must be an address as in amqp",
		withURL("amqp://u:s3c/ret@h"):            "sources[0].url: must be an address as in amqp",
		"sources: [{name: a, url: 'amqp://h', format: f, queue: " + strings.Repeat("q", 256) + "}]": "sources[0].queue: " +
			"must be at most 255 bytes",
	} {
		err := load(t, text, Sources{}).Err()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3c") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if err := Load(Sources{Environ: []string{"NHIP_SOURCES_A_PASSWORD=x"}}).Err(); err == nil {
		t.Error("the password of a source that is not in the file is accepted")
	}
}

func TestConfigKeysOfCheckHaveEffect(t *testing.T) {
	e := load(t, `air:
  checks:
  - {check: humidity, quantity: pm25, kind: low-cost, suspect: 90}
  - {check: flat_line, fail: 24}
  - {check: spike, quantity: o3, off: true}
`, Sources{})
	if err := e.Err(); err != nil {
		t.Fatal(err)
	}
	rules, defaults := e.Air.Rules(), qc.NewRules()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"a limit of one class", rules.Params(nhip.PM25, qc.ClassLowCost, qc.CheckHumidity).Suspect, 90},
		{"another quantity", rules.Params(nhip.PM10, qc.ClassLowCost, qc.CheckHumidity).Suspect, 95},
		{"a limit of all", rules.Params(nhip.NO2, qc.ClassReference, qc.CheckFlatLine).Fail, 24},
		{
			"a limit that is not set", rules.Params(nhip.NO2, qc.ClassReference, qc.CheckFlatLine).Suspect,
			defaults.Params(nhip.NO2, qc.ClassReference, qc.CheckFlatLine).Suspect,
		},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
	}
	if got := rules.Params(nhip.O3, qc.ClassLowCost, qc.CheckSpike).Suspect; !math.IsNaN(got) {
		t.Errorf("a check that is off has the limit %v", got)
	}
	bad := "air: {checks: [{check: humid}, {check: spike}, {check: humidity, radius: 5}, {check: spike, kind: cheap, " +
		"suspect: x}]}"
	if e := load(t, bad, Sources{}); len(e.faults) != 6 {
		t.Errorf("faults:\n%v", e.Err())
	}
}

func TestConfigKeysOfAlertHaveEffect(t *testing.T) {
	e := load(t, `air:
  alerts:
  - {name: dust, measure: pm25, area: Ba Đình, tendency: 50, exceed: 150, hysteresis: 5, hold: 2h}
  - {name: low, measure: capture, station: hn-01, tendency: 90, preparing: 75}
`, Sources{})
	if err := e.Err(); err != nil {
		t.Fatal(err)
	}
	got := e.Air.AlertRules()
	want := []alert.Rule{
		{
			Name: "dust", Measure: "pm25", Area: "Ba Đình", Thresholds: [3]float64{50, math.NaN(), 150}, Hysteresis: 5,
			Hold: 2 * time.Hour,
		},
		{Name: "low", Measure: "capture", Station: "hn-01", Thresholds: [3]float64{90, 75, math.NaN()}},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
	bad := "air: {alerts: [{name: a, measure: gold, exceed: 1}, {name: b, measure: pm25}, {name: b, measure: pm25, " +
		"tendency: 9, exceed: 8}, {name: c, measure: capture, tendency: 50, exceed: 60}]}"
	if e := load(t, bad, Sources{}); len(e.faults) != 5 {
		t.Errorf("faults:\n%v", e.Err())
	}
}

func TestConfigKeysOfFeedHaveEffect(t *testing.T) {
	of := func(key string) string { return samples()["feeds[0]."+key] }
	e := load(t, fmt.Sprintf("feeds:\n- name: %s\n  topic: %s\n  format: %s\n  agency: %s\n  latency: %s\n  "+
		"timetable: %s\n  predictions: %s\n  "+
		"zone: %s\n  period: %s\n  speed_unit: %s\n  fields: %s\n",
		of("name"), of("topic"), of("format"), of("agency"), of("latency"), of("timetable"), of("predictions"), of("zone"),
		of("period"), of("speed_unit"), of("fields")), Sources{})
	if err := e.Err(); err != nil || len(e.Feeds) != 1 {
		t.Fatalf("%+v, %v", e.Feeds, err)
	}
	for i, s := range e.Feeds[0].settings(prefix(feedsKey, 0)) {
		if s.Value.String() != samples()[s.Key] || e.positions[s.Key].Origin() != fmt.Sprintf("nhip.yaml:%d", i+2) {
			t.Errorf("%s is %s from %s", s.Key, s.Value, e.positions[s.Key].Origin())
		}
	}
}

// example returns the text of nhip.example.yaml, which lists every key.
func example(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "nhip.example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestExampleSetsNothing(t *testing.T) {
	e := load(t, example(t), Sources{})
	if diff := cmp.Diff(Default(), e.Config); diff != "" || e.Err() != nil || len(e.positions) != 0 {
		t.Errorf("%v, places %v\n%s", e.Err(), e.positions, diff)
	}
}

// TestExampleListsEveryDefault removes the # before each key. The # of a key has no space behind it.
func TestExampleListsEveryDefault(t *testing.T) {
	lines := strings.SplitAfter(example(t), "\n")
	for i, line := range lines {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if rest, ok := strings.CutPrefix(line[indent:], "#"); ok && strings.TrimSpace(rest) != "" && rest[0] != ' ' {
			lines[i] = line[:indent] + rest
		}
	}
	e := load(t, strings.Join(lines, ""), Sources{})
	if err := e.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), e.Config); diff != "" {
		t.Errorf("the example differs from the defaults: %s", diff)
	}
	for _, s := range e.all() {
		at := e.positions[s.Key]
		if at.Path == "" {
			t.Errorf("%s is not in the example", s.Key)
		}
		if !strings.HasPrefix(s.Key, feedsKey) && !strings.HasPrefix(strings.TrimSpace(lines[at.Line-2]), "# ") {
			t.Errorf("%s on line %d has no comment", s.Key, at.Line)
		}
	}
}
