package app

import (
	"cmp"
	"context"
	"slices"

	"nhip/collector"
	"nhip/collector/decode"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/internal/datadir"
	"nhip/internal/health"
	"nhip/internal/httpserver"
	"nhip/internal/influx"
	"nhip/internal/mqtt/consume"
	"nhip/internal/topics"
)

// collectorApp is a collector alone, on the shared broker and database.
type collectorApp struct {
	*runtime
	db        *influx.LazyDB
	timetable transit
	collector *collector.Collector
	source    *consume.Source
	ready     *health.Readiness
	health    *httpserver.Server
}

// Collector returns a collector alone. It starts without the database and waits for the broker.
func Collector(o Options) *Role {
	c := &collectorApp{runtime: newRuntime(o)}
	return &Role{
		runtime:   c.runtime,
		steps:     []step{c.prepare, c.build, c.observe, c.start},
		addresses: c.addresses,
	}
}

func (c *collectorApp) prepare(ctx context.Context) error {
	if err := c.readBrokerCA(); err != nil {
		return err
	}
	if err := c.requireShared(); err != nil {
		return err
	}
	if err := c.openDataDir(datadir.Collector); err != nil {
		return err
	}
	if err := c.markDataDir(); err != nil {
		return err
	}
	if err := c.claimParts(collectorParts...); err != nil {
		return err
	}
	var err error
	if c.db, err = c.openSharedDatabase(ctx); err != nil {
		return err
	}
	c.timetable, err = c.loadTimetable(ctx)
	return err
}

// build makes the parts and starts none.
func (c *collectorApp) build(ctx context.Context) error {
	id := "nhip-collector-" + c.conf.Collector.ID
	o := c.collectorOptions(c.sharedBroker(unique(id)), c.db, c.timetable.network)
	o.PublishCensus = func() { c.source.PublishCensus() } // the collector runs when there is a source
	err := c.onDisk(ctx, "the collector's journals", func() (err error) {
		c.collector, err = c.newCollector(o)
		return err
	})
	if err != nil {
		return err
	}
	c.cleanup.Push("the collector", c.collector.Stop)
	c.source, err = consume.New(consume.Options{
		Options: c.sharedBroker(id), Filters: c.filters(), Clock: c.clock, Acceptor: c.collector, Registry: c.registry,
		Census: c.collector.Census,
	})
	return err
}

// filters returns the topic filters of all feeds. One that another covers is left out: a broker may send a message once
// for each subscription that matches it.
func (c *collectorApp) filters() []string {
	feeds := Feeds(&c.conf)
	var all []string
	for _, f := range feeds {
		covers := func(other decode.Feed) bool { return other.Topic != f.Topic && topics.Covers(other.Topic, f.Topic) }
		if !slices.ContainsFunc(feeds, covers) {
			all = append(all, f.Topic)
		}
	}
	return all
}

// observe serves the collector's health.
func (c *collectorApp) observe(context.Context) error {
	history := c.watchHealth("the history", c.db.Ping)
	c.ready = health.NewReadiness(append([]health.Check{
		{Name: "broker", OK: func() bool { return c.source.Connected() && c.publishing() }},
		{Name: health.BrokerConnection, Fault: c.connectionFault, Optional: true},
		{Name: "history", OK: history.OK, Optional: true},
		{Name: "intake", OK: c.collector.Taking, Optional: true},
		{Name: "journals", Optional: true, OK: func() bool { return c.collector.Intact() && c.dir.Intact() }},
		c.damaged.Check(), c.timetable.check(),
	}, storageChecks(func() *collector.Collector { return c.collector })...)...)
	var err error
	c.health, err = c.serveHealth(c.ready)
	return err
}

// publishing reports whether live topics can be published. A connection that is lost again and again, as when the
// broker refuses something that is published, is a fault of its own, and must not hold up the start.
func (c *collectorApp) publishing() bool {
	return c.collector.Publishing() || c.collector.ConnectionFault() != ""
}

func (c *collectorApp) connectionFault() string {
	return cmp.Or(c.source.Fault(), c.collector.ConnectionFault())
}

// start connects the collector's publisher before its source, so that no accepted message remains unpublished.
func (c *collectorApp) start(ctx context.Context) error {
	if err := c.collector.Start(ctx); err != nil {
		return err
	}
	c.source.Start()
	c.cleanup.Push("the intake", c.source.Stop)
	c.watchTimetable(c.timetable, func(f *gtfs.Feed) { c.trackOn(c.collector, network.New(f)) })
	return c.awaitReady(ctx, func() []string { return c.ready.Now().Waiting })
}

func (c *collectorApp) addresses() Addresses {
	return Addresses{Health: c.health.URL(), Broker: c.conf.Broker.URL, Influx: c.conf.Influx.URL}
}
