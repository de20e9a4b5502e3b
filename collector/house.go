package collector

import (
	"context"
	"time"
)

// How often the collector tidies up, by the machine's clock.
const (
	sweepEvery    = 5 * time.Second
	snapshotEvery = 30 * time.Second
)

// keepHouse takes off the map what is long silent, saves snapshots and gives back the journal's
// disk, until ctx ends.
func (c *Collector) keepHouse(ctx context.Context) {
	sweep, save := time.NewTicker(sweepEvery), time.NewTicker(snapshotEvery)
	defer sweep.Stop()
	defer save.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			c.city.sweep(c.clock.Now())
		case <-save.C:
			c.saveSnapshot()
		}
	}
}

// saveSnapshot saves the city and releases the part of the journal that neither it nor the
// database needs.
func (c *Collector) saveSnapshot() {
	seq := c.city.applied()
	if err := c.city.save(); err != nil {
		c.log.Error("can't save the live snapshot", "error", err)
		return
	}
	if err := c.journal.Release(min(seq, c.drain.stored.Load())); err != nil {
		c.log.Error("can't release journal segments", "error", err)
	}
}
