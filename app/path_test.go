package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/influx/influxtest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"
)

// deployment is a way to run the platform. Every deployment gives the same answers.
type deployment struct {
	name string

	// everyTopic means that messages on topics without a feed reach the collector, which rejects them.
	everyTopic bool

	// prepare makes what outlives a restart. The function that it returns starts the platform.
	prepare func(t *testing.T) func(t *testing.T) *system
}

func deployments() []deployment {
	return []deployment{
		{"all roles in one process", true, prepareUp},
		{"roles apart on Mosquitto", false, prepareApart},
	}
}

// system is a running platform.
type system struct {
	*apptest.Platform
	roles  []*apptest.Platform // in the order of their start
	reader mqtt.Options        // may read everything that the roles publish
}

// stop stops the roles, the last one first.
func (s *system) stop(t *testing.T) {
	t.Helper()
	for i := len(s.roles) - 1; i >= 0; i-- {
		s.roles[i].Stop(t)
	}
}

func (s *system) listen(t *testing.T, id, filter string) *mqtttest.Listener {
	t.Helper()
	o := s.reader
	o.ClientID = id
	return mqtttest.Listen(t, o, filter)
}

func prepareUp(t *testing.T) func(t *testing.T) *system {
	dir := t.TempDir()
	return func(t *testing.T) *system {
		t.Helper()
		p := apptest.Up(t, dir, "")
		return &system{Platform: p, roles: []*apptest.Platform{p}, reader: p.Operator(t, "")}
	}
}

// prepareApart starts the broker and the database that a gateway, a collector and an api share.
func prepareApart(t *testing.T) func(t *testing.T) *system {
	dir, broker, database := t.TempDir(), mqtttest.Mosquitto(t), influxtest.Server(t)
	options := func(t *testing.T, account string) app.Options {
		o := broker.Options(account)
		return apptest.Options(t, dir, fmt.Sprintf(
			"broker: {url: %q, username: %q, password: %q}\n%s",
			o.URL, o.Username, o.Password, database.YAML(t, "nhip", "")))
	}
	return func(t *testing.T) *system {
		t.Helper()
		gateway := apptest.Start(t, app.Gateway, options(t, mqtttest.Gateway))
		collector := apptest.Start(t, app.Collector, options(t, mqtttest.Collector))
		api := apptest.Start(t, app.API, options(t, mqtttest.API))
		p := &apptest.Platform{Addresses: app.Addresses{HTTP: api.HTTP, MQTT: gateway.MQTT}, Dir: dir}
		return &system{
			Platform: p, roles: []*apptest.Platform{gateway, collector, api},
			reader: broker.Options(mqtttest.Collector),
		}
	}
}

// TestWholePath follows messages from the broker to every answer, over a restart.
func TestWholePath(t *testing.T) {
	for _, d := range deployments() {
		t.Run(d.name, func(t *testing.T) {
			start := d.prepare(t)
			s := start(t)
			dead := s.listen(t, "test-dead", "nhip/dead/#")
			live := s.listen(t, "test-live", topics.Live)
			hour := time.Now().Truncate(time.Hour)
			s.Publish(t,
				apptest.Position("near", time.Now(), 21.031, 105.85),
				apptest.Position("far", time.Now(), 21.1, 105.85),
				apptest.Position("far", time.Now().Add(-time.Minute), 0.5, 100), // late: stored, not shown
				apptest.Reading("embassy", hour.Add(-time.Hour), 69.2),
				apptest.Reading("embassy", hour, 70.5),
				apptest.Position("bad", time.Now(), 91, 105.8),
				apptest.Message{Topic: "nhip/in/position/garbage/too/deep", Payload: `hello`},
			)
			checkDeadLetters(t, dead, d.everyTopic)
			live.Wait(t, "the census", func(m mqtttest.Message) bool {
				return m.Topic == topics.CensusTopic("main") && strings.HasPrefix(m.Payload, `{"buses":2,"stations":1,"filters":[`)
			})
			checkAnswers(t, s.API(t), hour)
			answered, pictured := sendReports(t, s.Platform)
			checkReports(t, s.Platform, answered, pictured)
			s.stop(t)
			s = start(t)
			checkAnswers(t, s.API(t), hour)
			checkReports(t, s.Platform, answered, pictured)
		})
	}
}

func checkDeadLetters(t *testing.T, dead *mqtttest.Listener, everyTopic bool) {
	t.Helper()
	m := dead.Wait(t, "the position out of range", func(m mqtttest.Message) bool {
		return m.Topic == "nhip/dead/main/out_of_range"
	})
	if !strings.Contains(m.Payload, `"field":"lat"`) || !strings.Contains(m.Payload, `"topic":"nhip/in/position/bad"`) {
		t.Errorf("dead letter %s", m.Payload)
	}
	if !everyTopic {
		return
	}
	dead.Wait(t, "the topic without a feed", func(m mqtttest.Message) bool { return m.Topic == "nhip/dead/main/no_feed" })
}

func checkAnswers(t *testing.T, c *apitest.Client, hour time.Time) {
	t.Helper()
	var buses apptest.Features
	awaittest.True(t, "two buses are live", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/buses?near=21.03,105.85"), &buses)
		return len(buses.Features) == 2
	})
	first := buses.Features[0]
	if first.Properties["id"] != "near" || first.Properties["route"] != "32" || first.Geometry.Coordinates[1] != 21.031 {
		t.Errorf("nearest bus: %+v", first)
	}
	if last := buses.Features[1]; last.Geometry.Coordinates[1] != 21.1 {
		t.Errorf("a late position moved the bus: %+v", last)
	}
	var stations apptest.Features
	apptest.Decode(t, c.Get(t, "/v1/stations"), &stations)
	if len(stations.Features) != 1 || stations.Features[0].Properties["id"] != "embassy" {
		t.Errorf("stations: %+v", stations)
	}
	checkReadings(t, c, hour)
	for _, path := range []string{
		"/v1/stations/embassy", "/v1/map", "/livez", "/readyz", "/metrics", "/openapi.yaml",
		"/tiles/air.json", "/tiles/transit.json", "/tiles/air/10/812/450.mvt",
	} {
		if a := c.Get(t, path); a.Status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
}

func checkReadings(t *testing.T, c *apitest.Client, hour time.Time) {
	t.Helper()
	var body struct {
		Readings []struct {
			Time  time.Time
			Value float64
		}
	}
	path := apitest.Query("/v1/stations/embassy/readings", "quantity", "pm25",
		"from", hour.Add(-2*time.Hour).Format(time.RFC3339), "to", hour.Format(time.RFC3339))
	awaittest.True(t, "the readings are in the database", func() bool {
		apptest.Decode(t, c.Get(t, path), &body)
		return len(body.Readings) == 2
	})
	if body.Readings[0].Value != 69.2 || !body.Readings[1].Time.Equal(hour) {
		t.Errorf("readings: %+v", body.Readings)
	}
	for _, more := range []string{
		"/v1/datasets", "/v1/readings?stations=embassy&levels=automatic,reviewed", "/v1/readings?format=csv&period=hour",
		"/v1/arrivals/" + hour.Format(time.DateOnly), "/v1/positions/" + hour.Format(time.DateOnly) + "?format=csv",
		"/v1/positions/" + hour.Format(time.DateOnly),
	} {
		if a := c.Get(t, more); a.Status != http.StatusOK {
			t.Errorf("%s: %d %s", more, a.Status, a.Body)
		}
	}
	csv := c.Get(t, path, "Accept", "text/csv")
	lines := strings.Split(strings.TrimSpace(string(csv.Body)), "\n")
	if len(lines) != 3 || !strings.Contains(lines[2], ",pm25,70.5,µg/m³,1h,,,") ||
		!strings.Contains(lines[2], ",+07:00,embassy,") {
		t.Errorf("CSV:\n%s", csv.Body)
	}
}
