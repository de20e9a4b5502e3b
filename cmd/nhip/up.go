package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"nhip"
	"nhip/api"
	"nhip/api/web"
	"nhip/collector"
	"nhip/collector/decode"
	"nhip/gateway"
	"nhip/internal/cleanup"
	"nhip/internal/config"
	"nhip/internal/datadir"
	"nhip/internal/influx"
	"nhip/internal/mqtt"
	"nhip/internal/sim"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Bounds of starting, and of stopping each part.
const (
	connectTimeout = 8 * time.Second
	stopTimeout    = 10 * time.Second
	readyPoll      = 50 * time.Millisecond
)

// simulatedAttribution stands on a map whose streets, buses and air are all our own invention.
const simulatedAttribution = "Nhịp: thành phố mô phỏng / a simulated city"

// collectorID names the one collector of nhip up.
const collectorID = "main"

// upCmd is nhip up.
type upCmd struct {
	settingFlags

	DataDir  string `help:"Folder of everything that lasts." default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	Config   string `help:"Configuration file (YAML)." type:"path" placeholder:"FILE"`
	Influxd  string `help:"The embedded InfluxDB's program; default: influxd beside nhip." type:"path" placeholder:"FILE"`
	Clock    string `help:"Start the city's clock at T with the first message and run it N times as fast." placeholder:"T[*N]"`
	Simulate bool   `help:"Simulate a city, on a data folder of its own."`
	Buses    int    `help:"How many buses to simulate." default:"${sim_buses}"`
}

// city is a running nhip up: each role, and how to stop them.
type city struct {
	*env
	cmd     *upCmd
	conf    config.Config
	clock   nhip.Clock
	dir     *datadir.Dir
	cleanup cleanup.Stack

	registry *prometheus.Registry
	accounts gateway.Accounts
	influx   influxAddress
	db       *influx.DB
	gateway  *gateway.Gateway
	api      *api.API

	simulator  *sim.Simulator
	devices    *mqtt.Fan       // the simulated devices' connections
	simulating context.Context // ends with the simulator
}

// Run starts everything, says where it is, and stops it in order when the context ends.
func (c *upCmd) Run(e *env) (err error) {
	up := &city{env: e, cmd: c, registry: prometheus.NewRegistry()}
	defer func() { err = errors.Join(err, up.cleanup.Run(stopTimeout, e.log)) }()
	if err := up.start(); err != nil {
		if e.ctx.Err() != nil {
			return errStopped
		}
		return err
	}
	<-e.ctx.Done()
	e.log.Info("stopping")
	return nil
}

// start brings up each part in the order in which they need one another.
func (c *city) start() error {
	for _, step := range []func() error{
		c.configure, c.openDataDir, c.bind, c.startHistory, c.startRoles, c.awaitReady, c.announce, c.startSimulator,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (c *city) configure() error {
	set := effective(c.cmd.Config, c.cmd.flags())
	if err := set.Err(); err != nil {
		return err
	}
	c.conf = set.Config
	var err error
	c.clock, err = parseClock(c.cmd.Clock)
	c.registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return err
}

func (c *city) openDataDir() error {
	var err error
	if c.dir, err = datadir.Open(c.cmd.DataDir); err != nil {
		return err
	}
	c.cleanup.Push("the data folder", func(context.Context) error { return c.dir.Close() })
	if c.cmd.Simulate {
		err = c.dir.Simulate()
	} else {
		err = c.dir.Real()
	}
	if err != nil {
		return err
	}
	c.accounts.Role = gateway.NewSecret()
	c.accounts.Operator, err = c.dir.Token(gateway.NewSecret)
	return err
}

// bind takes the broker's port first: a port in use must not cost the start of a database.
func (c *city) bind() error {
	var err error
	c.gateway, err = gateway.New(gateway.Options{
		Addr: c.conf.MQTT.Listen, Accounts: c.accounts, Logger: c.log, Registry: c.registry,
	})
	if err != nil {
		return hint(err, "--mqtt")
	}
	c.cleanup.Push("the broker", c.gateway.Stop)
	network, err := c.loadNetwork()
	if err != nil {
		return err
	}
	c.api, err = api.New(api.Options{
		Addr: c.conf.HTTP.Listen, PublicURL: c.conf.HTTP.PublicURL, Clock: c.clock,
		Broker: c.broker("nhip-api"), History: (*history)(c), Network: network, Map: c.mapOptions(),
		Web: web.Files(), Simulated: c.cmd.Simulate, Logger: c.log, Registry: c.registry,
	})
	if err != nil {
		return hint(err, "--http")
	}
	c.cleanup.Push("the api", c.api.Stop)
	return nil
}

// broker says how a role of ours connects.
func (c *city) broker(id string) mqtt.Options {
	return mqtt.Options{URL: c.gateway.URL(), ClientID: id, Username: id, Password: c.accounts.Role}
}

func (c *city) mapOptions() api.Map {
	m := c.conf.Map
	attribution := m.Attribution
	if c.cmd.Simulate && attribution == "" {
		attribution = simulatedAttribution
	}
	return api.Map{
		Style: m.Style, Center: [2]float64(m.Center), Zoom: m.Zoom, Attribution: attribution,
	}
}

// startRoles starts the collector, opens the door and starts the api.
func (c *city) startRoles() error {
	collect, err := collector.New(collector.Options{
		ID: collectorID, Dir: c.dir.Path("collector"), Feeds: feeds(c.conf.Feeds), Clock: c.clock,
		Simulated: c.cmd.Simulate, Store: c.db, Broker: c.broker("nhip-collector"), Logger: c.log, Registry: c.registry,
	})
	if err != nil {
		return err
	}
	c.cleanup.Push("the collector", collect.Stop)
	c.cleanup.Push("the intake", c.gateway.CloseDoor)
	if err := c.gateway.Start(collect); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, connectTimeout)
	defer cancel()
	if err := collect.Start(ctx); err != nil {
		return err
	}
	return c.api.Start(ctx)
}

func feeds(configured []config.Feed) []decode.Feed {
	out := make([]decode.Feed, len(configured))
	for i, f := range configured {
		out[i] = decode.Feed{Topic: f.Topic, Format: f.Format, Agency: f.Agency, Latency: time.Duration(f.Latency)}
	}
	return out
}

// awaitReady waits until the api holds the city and the history answers.
func (c *city) awaitReady() error {
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	slow := time.After(connectTimeout)
	for {
		waiting := c.api.Waiting()
		if len(waiting) == 0 {
			return nil
		}
		select {
		case <-poll.C:
		case <-slow:
			return fmt.Errorf("not ready after %s: still waiting for %v", connectTimeout, waiting)
		case <-c.ctx.Done():
			return c.ctx.Err()
		}
	}
}

// announce prints where everything is and leaves it for local tools.
func (c *city) announce() error {
	at := datadir.Addresses{HTTP: c.api.URL(), MQTT: c.gateway.URL(), Influx: c.influx.url}
	if err := c.dir.Announce(at); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.stdout, "ready http=%s mqtt=%s influx=%s\nmap   %s/\n", at.HTTP, at.MQTT, at.Influx, at.HTTP)
	return err
}

// hint adds to a port in use which flag chooses another.
func hint(err error, flag string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; choose another with %s HOST:PORT", err, flag)
	}
	return err
}
