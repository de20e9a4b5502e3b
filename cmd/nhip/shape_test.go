package main

import (
	"path/filepath"
	"testing"

	"nhip/internal/datadir"
	"nhip/internal/influx/influxtest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
)

// shape is a way to run a city, to which the same questions have the same answers.
type shape struct {
	name       string
	everyTopic bool // what no feed reads reaches the collector, which turns it away
	// prepare makes what outlives a start; the function it returns starts the city, also again.
	prepare func(t *testing.T) func(t *testing.T) *town
}

func shapes() []shape {
	return []shape{
		{"one process", true, oneProcess},
		{"roles apart around Mosquitto", false, rolesApart},
	}
}

// town is a running city.
type town struct {
	*running             // with the addresses of all roles, and the folder of the operator's token
	processes []*running // in the order of their start
	ears      *mqtt.Options
}

// reader is a client that may hear everything that the roles say.
func (c *town) reader(t *testing.T, id string) mqtt.Options {
	if c.ears == nil {
		return c.operator(t, id)
	}
	o := *c.ears
	o.ClientID = id
	return o
}

// stop interrupts every process, the last first.
func (c *town) stop(t *testing.T) {
	t.Helper()
	for i := len(c.processes) - 1; i >= 0; i-- {
		if err := c.processes[i].stop(t); err != nil {
			t.Fatalf("an interrupt ends with %v\n%s", err, c.processes[i].stderr)
		}
	}
}

func oneProcess(t *testing.T) func(t *testing.T) *town {
	dir := t.TempDir()
	return func(t *testing.T) *town {
		p := up(t, dir)
		return &town{running: p, processes: []*running{p}}
	}
}

// rolesApart runs a gateway, a collector and an api on one folder, around a broker and a database
// that go on when they stop.
func rolesApart(t *testing.T) func(t *testing.T) *town {
	influxd(t) // skips where it is not built
	dir := t.TempDir()
	broker := mqtttest.Mosquitto(t)
	database := influxtest.ChildIn(t, filepath.Join(t.TempDir(), "influx"))
	t.Setenv("NHIP_INFLUX_URL", database.URL())
	t.Setenv("NHIP_INFLUX_TOKEN", database.Token())
	role := func(t *testing.T, name, account string, args ...string) (*running, map[string]string) {
		t.Helper()
		o := broker.Options(account)
		t.Setenv("NHIP_BROKER_URL", o.URL)
		t.Setenv("NHIP_BROKER_USERNAME", o.Username)
		t.Setenv("NHIP_BROKER_PASSWORD", o.Password)
		return launch(t, dir, append([]string{name, "--data-dir", dir}, args...)...)
	}
	ears := broker.Options(mqtttest.Collector)
	return func(t *testing.T) *town {
		t.Helper()
		gateway, gatewayAt := role(t, "gateway", mqtttest.Gateway, "--mqtt", "127.0.0.1:0")
		collector, _ := role(t, "collector", mqtttest.Collector)
		api, apiAt := role(t, "api", mqtttest.API, "--http", "127.0.0.1:0")
		gateway.Addresses = datadir.Addresses{HTTP: apiAt["http"], MQTT: gatewayAt["mqtt"]}
		return &town{running: gateway, processes: []*running{gateway, collector, api}, ears: &ears}
	}
}
