package main

import (
	"context"
	"errors"
	"fmt"

	"nhip/api"
	"nhip/collector"
	"nhip/gateway"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/internal/datadir"
	"nhip/internal/fleet"
	"nhip/internal/health"
	"nhip/internal/influx"
	"nhip/internal/mqtt"
	"nhip/internal/sim"
)

// simulatedAttribution stands on a map whose streets, buses and air are all our own invention.
const simulatedAttribution = "Nhịp: thành phố mô phỏng / a simulated city"

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
	*process
	cmd *upCmd

	accounts gateway.Accounts
	influx   influxAddress
	db       *influx.DB
	gateway  *gateway.Gateway
	collect  *collector.Collector
	api      *api.API

	simulator  *sim.Simulator
	devices    *mqtt.Fan       // the simulated devices' connections
	simulating context.Context // ends with the simulator
}

// Run starts each part in the order in which they need one another, says where they are, and stops
// them in order when the context ends.
func (c *upCmd) Run(e *env) error {
	up := &city{process: newProcess(e), cmd: c}
	return up.live(up.prepare, up.bind, up.startHistory, up.startRoles, up.awaitCity, up.announce, up.startSimulator)
}

func (c *city) prepare() error {
	if err := c.configure(c.cmd.Config, c.cmd.flags(), c.cmd.Clock); err != nil {
		return err
	}
	if c.conf.Broker.URL != "" {
		return errors.New("broker.url: nhip up has its own broker; leave it out, or start nhip gateway, collector and api apart")
	}
	if err := c.openDataDir(c.cmd.DataDir, datadir.All); err != nil {
		return err
	}
	if err := c.markDataDir(c.cmd.Simulate); err != nil {
		return err
	}
	var err error
	c.accounts.Role = fleet.NewSecret()
	c.accounts.Operator, err = c.dir.Token(fleet.NewSecret)
	return err
}

// bind takes the broker's port first: a port in use must not cost the start of a database.
func (c *city) bind() error {
	public := gateway.PublicOptions{Addr: c.conf.Public.Listen, Anonymous: c.conf.Public.Anonymous}
	var err error
	if public.TLS, err = c.httpTLS(); err != nil {
		return err
	}
	if c.gateway, err = c.newGateway(c.accounts, public); err != nil {
		return err
	}
	drawn, err := c.loadNetwork()
	if err != nil {
		return err
	}
	o, err := c.apiOptions(c.broker("nhip-api"), (*history)(c), drawn, c.cmd.Simulate)
	if err != nil {
		return err
	}
	o.Checks = []health.Check{
		{Name: "intake", OK: func() bool { return c.collect.Taking() }}, // it is there before the api serves
		c.feedsCheck(),
	}
	o.Token = c.accounts.Operator
	o.In = c.gateway.Push()
	c.api, err = c.newAPI(o)
	return err
}

// broker says how a role of ours connects.
func (c *city) broker(id string) mqtt.Options {
	return mqtt.Options{URL: c.gateway.InsideURL(), ClientID: id, Username: id, Password: c.accounts.Role}
}

// startRoles starts the collector, opens the door and starts the api.
func (c *city) startRoles() error {
	var err error
	c.collect, err = collector.New(collector.Options{
		ID: c.conf.Collector.ID, Dir: c.dir.Path("collector"), Feeds: c.feeds(), Clock: c.clock,
		Simulated: c.cmd.Simulate, Store: c.db, Broker: c.broker("nhip-collector"), Logger: c.log, Registry: c.registry,
		Network:   c.followed,
		Air:       c.air(c.db),
		Retention: collector.Retention(c.conf.Retention), Keeping: c.db,
		HFP:          c.conf.Collector.HFP || c.conf.Public.Listen != "",
		JournalBytes: c.conf.Collector.JournalBytes, MinFree: c.conf.Collector.MinFree, DeadBytes: c.conf.Collector.DeadBytes, Late: c.conf.Collector.LateWindow, BacklogRate: int(c.conf.Influx.BacklogRate),
	})
	if err != nil {
		return err
	}
	c.cleanup.Push("the collector", c.collect.Stop)
	c.cleanup.Push("the intake", c.gateway.CloseDoor)
	if err := c.gateway.Start(c.collect); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, connectTimeout)
	defer cancel()
	if err := c.collect.Start(ctx); err != nil {
		return err
	}
	if err := c.startOtherIntakes(c.collect); err != nil {
		return err
	}
	if err := c.api.Start(ctx); err != nil {
		return err
	}
	if !c.cmd.Simulate { // which drives by the timetable that it began with
		c.watchTimetable(func(f *gtfs.Feed) {
			n := network.New(f)
			c.follow(c.collect, n)
			c.api.UseTimetable(n, drawing(f))
		})
	}
	return nil
}

// awaitCity waits until the api holds the city and the history answers.
func (c *city) awaitCity() error {
	ctx, cancel := context.WithTimeout(c.ctx, connectTimeout)
	defer cancel()
	return c.awaitReady(ctx, c.api.Waiting)
}

// announce prints where everything is and leaves it for local tools.
func (c *city) announce() error {
	at := datadir.Addresses{HTTP: c.api.InsideURL(), MQTT: c.gateway.InsideURL(), Influx: c.influx.url}
	if err := c.dir.Announce(at); err != nil {
		return err
	}
	public := ""
	if url := c.gateway.PublicURL(); url != "" {
		public = " public=" + url
	}
	_, err := fmt.Fprintf(c.stdout, "ready http=%s mqtt=%s influx=%s%s\nmap   %s/\n", c.api.URL(), c.gateway.URL(), at.Influx, public, c.api.URL())
	return err
}
