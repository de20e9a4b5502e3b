package main

import (
	"context"
	"fmt"

	"nhip/collector"
	"nhip/collector/air"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/internal/config"
	"nhip/internal/datadir"
	"nhip/internal/health"
	"nhip/internal/httpserver"
	"nhip/internal/influx"
	"nhip/internal/mqtt"
	"nhip/internal/notify"
)

// collectorCmd is nhip collector.
type collectorCmd struct {
	apartFlags

	Health   string `help:"Address of /livez, /readyz and /metrics (health.listen)." placeholder:"HOST:PORT"`
	GTFS     string `help:"Timetable to follow buses on (gtfs); a path or an address, several with commas between." placeholder:"ZIP"`
	ID       string `help:"The collector's name; two need two (collector.id)." placeholder:"ID"`
	DataDir  string `help:"Folder of everything that lasts." default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	Config   string `help:"Configuration file (YAML)." type:"path" placeholder:"FILE"`
	Clock    string `help:"Start the city's clock at T with the first message and run it N times as fast." placeholder:"T[*N]"`
	Simulate bool   `help:"Take in simulated facts too, on a data folder of their own."`
}

// apartFlags are those of roles that run apart and know the history.
type apartFlags struct {
	Broker    string `help:"The MQTT broker that the roles share (broker.url)." placeholder:"URL"`
	InfluxURL string `help:"The InfluxDB that the roles share (influx.url); its token is influx.token of the configuration or NHIP_INFLUX_TOKEN." placeholder:"URL"`
}

func (f *apartFlags) flags() []config.Flag {
	return []config.Flag{
		{Name: "--broker", Key: "broker.url", Value: f.Broker},
		{Name: "--influx-url", Key: "influx.url", Value: f.InfluxURL},
	}
}

func (c *collectorCmd) flags() []config.Flag {
	return append(c.apartFlags.flags(),
		config.Flag{Name: "--health", Key: "health.listen", Value: c.Health},
		config.Flag{Name: "--gtfs", Key: "gtfs", Value: c.GTFS},
		config.Flag{Name: "--id", Key: "collector.id", Value: c.ID})
}

// intake is a running nhip collector.
type intake struct {
	*process
	cmd       *collectorCmd
	db        *influx.Late
	collector *collector.Collector
	intake    *mqtt.Source
	ready     *health.Readiness
	numbers   *httpserver.Server
}

// Run takes in what the broker has, for as long as it runs, with or without a database.
func (c *collectorCmd) Run(e *env) error {
	i := &intake{process: newProcess(e), cmd: c}
	return i.live(i.prepare, i.make, i.start, i.announce)
}

func (i *intake) prepare() error {
	if err := i.configure(i.cmd.Config, i.cmd.flags(), i.cmd.Clock); err != nil {
		return err
	}
	if err := i.needShared(); err != nil {
		return err
	}
	if err := i.openDataDir(i.cmd.DataDir, datadir.Collector); err != nil {
		return err
	}
	if err := i.markDataDir(i.cmd.Simulate); err != nil {
		return err
	}
	var err error
	i.db, err = i.openHistory()
	return err
}

// make brings the parts together; none of them speaks yet.
func (i *intake) make() error {
	id := "nhip-collector-" + i.conf.Collector.ID
	feed, err := i.timetable()
	if err != nil {
		return err
	}
	if feed != nil {
		i.followed = network.New(feed)
	}
	i.collector, err = collector.New(collector.Options{
		ID: i.conf.Collector.ID, Dir: i.dir.Path("collector"), Feeds: i.feeds(), Clock: i.clock, Simulated: i.cmd.Simulate,
		Store: i.db, Broker: i.outside(unique(id)), Logger: i.log, Registry: i.registry,
		Network:   i.followed,
		Air:       i.air(i.db),
		Retention: collector.Retention(i.conf.Retention), Keeping: i.db,
		HFP:          i.conf.Collector.HFP,
		JournalBytes: i.conf.Collector.JournalBytes, MinFree: i.conf.Collector.MinFree, DeadBytes: i.conf.Collector.DeadBytes, Late: i.conf.Collector.LateWindow, BacklogRate: int(i.conf.Influx.BacklogRate),
	})
	if err != nil {
		return err
	}
	i.cleanup.Push("the collector", i.collector.Stop)
	i.intake, err = mqtt.NewSource(mqtt.SourceOptions{
		Options: i.outside(id), Filters: i.filters(), Clock: i.clock, Door: i.collector, Registry: i.registry,
	})
	if err != nil {
		return err
	}
	history := i.watch("the history", i.db.Ping)
	i.ready = health.NewReadiness(
		health.Check{Name: "broker", OK: func() bool { return i.intake.Connected() && i.collector.Publishing() }},
		health.Check{Name: "history", OK: history.OK},
		health.Check{Name: "intake", OK: i.collector.Taking},
	)
	i.numbers, err = i.answer(i.ready)
	return err
}

// air says how a collector keeps the air.
func (p *process) air(history air.History) collector.Air {
	return collector.Air{History: history, Zone: location(p.conf.Air.Zone), Completeness: p.conf.Air.Completeness / percent, Rules: p.conf.Air.Rules(), Alerts: p.conf.Air.AlertRules(), Deliver: p.deliverers()}
}

// deliverers are who brings alerts to those who are to know.
func (p *process) deliverers() []air.Deliverer {
	var out []air.Deliverer
	if h := p.conf.Air.Webhook; h.URL != "" {
		out = append(out, &notify.Hook{URL: h.URL, Secret: h.Secret})
	}
	if m := p.conf.Air.Mail; m.Host != "" && len(m.To) > 0 {
		out = append(out, &notify.Mail{
			Host: m.Host, Port: int(m.Port), Username: m.Username, Password: m.Password, From: m.From, To: m.To, Plain: m.Plain,
			Zone: location(p.conf.Air.Zone),
		})
	}
	return out
}

const percent = 100

// follow lets a collector follow buses on a new timetable.
func (p *process) follow(c *collector.Collector, n *network.Network) {
	if err := c.UseTimetable(n); err != nil {
		p.log.Error("can't follow buses on the new timetable", "error", err)
	}
}

// filters are the topics of all feeds.
func (i *intake) filters() []string {
	var all []string
	for _, f := range i.feeds() {
		all = append(all, f.Topic)
	}
	return all
}

// start waits for the broker: what is taken in must be seen, so the way out opens before the way in.
func (i *intake) start() error {
	if err := i.collector.Start(i.ctx); err != nil {
		return err
	}
	i.intake.Start()
	i.cleanup.Push("the intake", i.intake.Stop)
	i.watchTimetable(func(f *gtfs.Feed) { i.follow(i.collector, network.New(f)) })
	return i.awaitReady(i.ctx, func() []string { return i.ready.Now().Waiting })
}

func (i *intake) announce() error {
	_, err := fmt.Fprintf(i.stdout, "ready health=%s broker=%s influx=%s\n", i.numbers.URL(), i.conf.Broker.URL, i.conf.Influx.URL)
	return err
}

// needShared refuses to run apart without the two things that tie the roles together.
func (p *process) needShared() error {
	if err := need("broker.url", p.conf.Broker.URL, "--broker"); err != nil {
		return err
	}
	return need("influx.url", p.conf.Influx.URL, "--influx-url")
}

// openHistory opens the database that the roles share, now or as soon as it is there.
func (p *process) openHistory() (*influx.Late, error) {
	ctx, cancel := context.WithTimeout(p.ctx, connectTimeout)
	defer cancel()
	db, err := influx.OpenLate(ctx, influx.Options{
		URL: p.conf.Influx.URL, Token: p.conf.Influx.Token, Org: p.conf.Influx.Org, Bucket: p.conf.Influx.Bucket,
		Logger: p.log, Registerer: p.registry,
	})
	if err != nil {
		return nil, err
	}
	p.cleanup.Push("the database client", func(context.Context) error { db.Close(); return nil })
	return db, nil
}
