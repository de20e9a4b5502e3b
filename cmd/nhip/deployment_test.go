package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/influx/influxtest"
	"nhip/internal/influxd"
	"nhip/internal/mqtt/mqtttest"
)

// deployment is a way to run the platform as processes.
type deployment struct {
	name  string
	start func(t *testing.T) *system
}

func deployments() []deployment {
	return []deployment{
		{"one process", startUp},
		{"roles apart on Mosquitto", startApart},
	}
}

// system is a running platform: the addresses of all its roles, and the data folder with the operator's token.
type system struct {
	*apptest.Platform
	processes []*process // in the order of their start
	faults    []fault
}

// fault is something that happens to a system, which runs again when happen returns.
type fault struct {
	name   string
	happen func(t *testing.T)
}

// kill ends every process at once with SIGKILL. It does not wait for the databases that they started: a start must
// cope with a database that is still ending.
func (s *system) kill() {
	for _, p := range s.processes {
		_ = p.cmd.Process.Kill() // it may have ended
	}
}

// fixedAddress returns an address for the embedded broker or the gateway, which stays the same after a restart: the
// devices of a load use one address only.
func fixedAddress(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", mqtttest.FreePort(t))
}

func startUp(t *testing.T) *system {
	t.Helper()
	dir, address := t.TempDir(), fixedAddress(t)
	s := &system{}
	start := func(t *testing.T) {
		p := launchUp(t, dir, "--mqtt", address)
		s.Platform, s.processes = p.Platform, []*process{p}
	}
	start(t)
	s.faults = []fault{
		{"nhip is killed", func(t *testing.T) {
			s.kill()
			before := s.Influx
			start(t)
			checkDatabaseEnds(t, before)
		}},
		{"the database is killed", func(t *testing.T) { killProcess(t, s.processes[0].databasePID(t)) }},
	}
	return s
}

// checkDatabaseEnds waits until the database of a killed nhip does not answer any more.
func checkDatabaseEnds(t *testing.T, url string) {
	t.Helper()
	awaittest.True(t, "the database of the killed nhip ends", func() bool {
		resp, err := http.Get(url + "/ping")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err != nil
	})
}

// startApart runs a gateway, a collector and an api on one data folder.
func startApart(t *testing.T) *system {
	t.Helper()
	e := newEnvironment(t)
	s := &system{}
	e.start(t, s)
	restart := func(i int, role func(testing.TB) *process) func(*testing.T) {
		return func(t *testing.T) {
			killProcess(t, s.processes[i].cmd.Process.Pid)
			s.processes[i] = role(t)
		}
	}
	s.faults = []fault{
		{"the gateway is killed", restart(0, e.gateway)},
		{"the collector is killed", restart(1, e.collector)},
		{"all roles are killed", func(t *testing.T) { s.kill(); e.start(t, s) }},
		{"the database is killed", func(t *testing.T) { killProcess(t, e.database.PID()) }},
		{"the broker is restarted", func(t *testing.T) { e.broker.Stop(t); e.broker.Start(t) }},
	}
	return s
}

// environment is what roles that run apart share.
type environment struct {
	dir      string
	address  string // of the gateway
	broker   *mqtttest.Broker
	database *influxd.Server
}

func newEnvironment(t testing.TB) *environment {
	t.Helper()
	e := &environment{
		dir: t.TempDir(), address: fixedAddress(t), broker: mqtttest.Mosquitto(t),
		database: influxtest.ServerIn(t, filepath.Join(t.TempDir(), "influx")),
	}
	t.Setenv("NHIP_INFLUX_URL", e.database.URL())
	t.Setenv("NHIP_INFLUX_TOKEN", e.database.Token())
	return e
}

// start starts the three roles.
func (e *environment) start(t *testing.T, s *system) {
	t.Helper()
	s.processes = []*process{e.gateway(t), e.collector(t), e.api(t)}
	s.Platform = &apptest.Platform{
		Addresses: app.Addresses{HTTP: s.processes[2].HTTP, MQTT: "tcp://" + e.address}, Dir: e.dir,
	}
}

func (e *environment) gateway(t testing.TB) *process {
	t.Helper()
	return e.role(t, "gateway", mqtttest.Gateway, "--mqtt", e.address)
}

func (e *environment) collector(t testing.TB) *process {
	t.Helper()
	return e.role(t, "collector", mqtttest.Collector)
}

// second starts another collector, on a data folder of its own.
func (e *environment) second(t testing.TB, id, dir string) *process {
	t.Helper()
	return e.role(t, "collector", mqtttest.Collector, "--id", id, "--data-dir", dir) // the last value of a flag counts
}

func (e *environment) api(t testing.TB) *process {
	t.Helper()
	return e.role(t, "api", mqtttest.API, "--http", "127.0.0.1:0")
}

func (e *environment) role(t testing.TB, name, account string, args ...string) *process {
	t.Helper()
	o := e.broker.Options(account)
	t.Setenv("NHIP_BROKER_URL", o.URL)
	t.Setenv("NHIP_BROKER_USERNAME", o.Username)
	t.Setenv("NHIP_BROKER_PASSWORD", o.Password)
	return launch(t, e.dir, append([]string{name, "--data-dir", e.dir}, args...)...)
}
