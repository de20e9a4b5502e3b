package main

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"nhip/internal/datadir"
	"nhip/internal/influx"
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
	faults    []fault
}

// fault is something bad that happens to a city, which is whole again after it.
type fault struct {
	name   string
	strike func(t *testing.T)
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

// kill ends every process at one moment with SIGKILL. It does not wait for what they started: the next
// start must get along with a database that is still ending.
func (c *town) kill() {
	for _, p := range c.processes {
		_ = p.cmd.Process.Kill() // it may have ended
	}
}

// door is an address that a broker of ours has again after each start: devices do not look for another.
func door(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", mqtttest.FreePort(t))
}

func oneProcess(t *testing.T) func(t *testing.T) *town {
	dir, at := t.TempDir(), door(t)
	return func(t *testing.T) *town {
		t.Helper()
		p := up(t, dir, "--mqtt", at)
		c := &town{running: p, processes: []*running{p}}
		c.faults = []fault{
			{"nhip is killed", func(t *testing.T) {
				c.kill()
				before := c.Influx
				c.running = up(t, dir, "--mqtt", at)
				c.processes = []*running{c.running}
				checkNoOrphan(t, before)
			}},
			{"the database is killed", func(t *testing.T) { kill(t, c.database(t)) }},
		}
		return c
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// rolesApart runs a gateway, a collector and an api on one folder, around a broker and a database
// that go on when they stop.
func rolesApart(t *testing.T) func(t *testing.T) *town {
	s := newSurroundings(t)
	ears := s.broker.Options(mqtttest.Collector)
	return func(t *testing.T) *town {
		t.Helper()
		c := &town{ears: &ears}
		s.start(t, c)
		again := func(i int, role func(testing.TB) *running) func(*testing.T) {
			return func(t *testing.T) {
				kill(t, c.processes[i].cmd.Process.Pid)
				c.processes[i] = role(t)
			}
		}
		c.faults = []fault{
			{"the gateway is killed", again(0, s.gateway)},
			{"the collector is killed", again(1, s.collector)},
			{"all roles are killed", func(t *testing.T) { c.kill(); s.start(t, c) }},
			{"the database is killed", func(t *testing.T) { kill(t, s.database.PID()) }},
			{"the broker is restarted", func(t *testing.T) { s.broker.Stop(t); s.broker.Start(t) }},
		}
		return c
	}
}

// surroundings are what roles that run apart share, and where they run.
type surroundings struct {
	dir      string
	at       string // the gateway's door
	broker   *mqtttest.Broker
	database *influx.Child
}

func newSurroundings(t testing.TB) *surroundings {
	t.Helper()
	influxd(t) // skips where it is not built
	s := &surroundings{
		dir: t.TempDir(), at: door(t), broker: mqtttest.Mosquitto(t), database: influxtest.ChildIn(t, filepath.Join(t.TempDir(), "influx")),
	}
	t.Setenv("NHIP_INFLUX_URL", s.database.URL())
	t.Setenv("NHIP_INFLUX_TOKEN", s.database.Token())
	return s
}

func (s *surroundings) start(t *testing.T, c *town) {
	t.Helper()
	c.processes = []*running{s.gateway(t), s.collector(t), s.api(t)}
	c.running = &running{cmd: c.processes[0].cmd, dir: s.dir}
	c.Addresses = datadir.Addresses{HTTP: c.processes[2].HTTP, MQTT: "tcp://" + s.at}
}

func (s *surroundings) gateway(t testing.TB) *running {
	t.Helper()
	p, _ := s.role(t, "gateway", mqtttest.Gateway, "--mqtt", s.at)
	return p
}

func (s *surroundings) collector(t testing.TB) *running {
	t.Helper()
	p, _ := s.role(t, "collector", mqtttest.Collector)
	return p
}

// second is another collector, on a folder of its own.
func (s *surroundings) second(t testing.TB, id, dir string) *running {
	t.Helper()
	p, _ := s.role(t, "collector", mqtttest.Collector, "--id", id, "--data-dir", dir) // the last of a flag counts
	return p
}

func (s *surroundings) api(t testing.TB) *running {
	t.Helper()
	p, at := s.role(t, "api", mqtttest.API, "--http", "127.0.0.1:0")
	p.HTTP = at["http"]
	return p
}

func (s *surroundings) role(t testing.TB, name, account string, args ...string) (*running, map[string]string) {
	t.Helper()
	o := s.broker.Options(account)
	t.Setenv("NHIP_BROKER_URL", o.URL)
	t.Setenv("NHIP_BROKER_USERNAME", o.Username)
	t.Setenv("NHIP_BROKER_PASSWORD", o.Password)
	return launch(t, s.dir, append([]string{name, "--data-dir", s.dir}, args...)...)
}
