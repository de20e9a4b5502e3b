// Package collector knows what was said: it decodes messages, checks them, writes the outcome to
// its journal and only then lets the sender be acknowledged. From the journal the facts go to
// InfluxDB, and the city's current state to retained MQTT topics.
package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"nhip"
	"nhip/collector/decode"
	"nhip/internal/journal"
	"nhip/internal/mqtt"

	"github.com/prometheus/client_golang/prometheus"
)

// Store is the database the facts go to.
type Store interface {
	// Write stores rows of line protocol; see influx.WriteError for how it fails.
	Write(ctx context.Context, lines []byte) error
}

// Options say what a collector needs.
type Options struct {
	ID        string // its name in topics and in the ledger
	Dir       string // its folder: journal, snapshot, dead letters
	Feeds     []decode.Feed
	Simulated bool // simulated facts are taken in
	Clock     nhip.Clock
	Store     Store
	Broker    mqtt.Options // where live topics go; Logger, OnUp and OnDown are the collector's
	Logger    *slog.Logger
	Registry  prometheus.Registerer
}

// Collector is a running collector. Accept is its one door.
type Collector struct {
	id        string
	simulated bool
	clock     nhip.Clock
	begin     func() // sets a replayed clock going
	feeds     []feed
	log       *slog.Logger
	metrics   *metrics

	journal *journal.Journal
	city    *city
	drain   *drain
	out     *publisher

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// New opens the collector's journal and rebuilds the city from its snapshot and the journal. It
// does not need the broker or the database yet.
func New(o Options) (*Collector, error) {
	feeds, err := bindFeeds(o.Feeds)
	if err != nil {
		return nil, err
	}
	c := &Collector{
		id: o.ID, simulated: o.Simulated, clock: o.Clock, begin: func() {}, feeds: feeds,
		log: o.Logger.With("component", "collector"), metrics: newMetrics(o.Registry),
	}
	if replayed, ok := o.Clock.(*nhip.ReplayClock); ok {
		c.begin = replayed.Begin
	}
	c.journal, err = journal.Open(filepath.Join(o.Dir, "journal"), journal.Options{Logger: c.log})
	if err != nil {
		return nil, fmt.Errorf("can't open the journal: %w", err)
	}
	c.metrics.watch(o.Registry, c.journal)
	if err := c.open(o); err != nil {
		return nil, errors.Join(err, c.journal.Close())
	}
	return c, nil
}

func (c *Collector) open(o Options) error {
	var err error
	if c.city, err = restoreCity(filepath.Join(o.Dir, "live.json"), c.journal, o.Clock, latencies(o.Feeds), c.log); err != nil {
		return err
	}
	c.out = newPublisher(c.id, c.city, o.Broker, c.log, c.metrics)
	c.drain, err = newDrain(filepath.Join(o.Dir, "dead"), c.journal, o.Store, c.log, c.metrics)
	return err
}

// Start waits for the broker until ctx ends, publishes the city and starts feeding the database. A
// broker that refuses us is an error at once.
func (c *Collector) Start(ctx context.Context) error {
	if err := c.out.connect(ctx); err != nil {
		return err
	}
	run, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.wg.Go(func() { c.out.run(run) })
	c.wg.Go(func() { c.drain.run(run) })
	c.wg.Go(func() { c.keepHouse(run) })
	return nil
}

// Stop writes what is accepted to the database, as far as ctx leaves time for it, and closes the
// journal. What is left over stays in the journal for the next start. Nothing may be in Accept.
func (c *Collector) Stop(ctx context.Context) error {
	if c.cancel != nil {
		c.drain.finish(ctx)
		c.cancel()
		c.wg.Wait()
		c.out.close()
	}
	return errors.Join(c.city.save(), c.drain.close(), c.journal.Close())
}

// Pending returns how many journal records still have to reach the database.
func (c *Collector) Pending() uint64 { return c.drain.pending() }

// Publishing tells whether the live topics reach the broker now.
func (c *Collector) Publishing() bool { return c.out.up.Load() }
