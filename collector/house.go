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

// keepHouse takes off the map what is long silent, saves snapshots and deletes old dead letters, until
// ctx ends.
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
			c.tidyDead()
		}
	}
}

// saveSnapshot saves the city, so that the journal before it can be released.
func (c *Collector) saveSnapshot() {
	if err := c.city.save(); err != nil {
		c.log.Error("can't save the live snapshot", "error", err)
	}
}

// tidyDead deletes dead letters that are older than what may still be said, or more than there is room for.
func (c *Collector) tidyDead() {
	deleted, err := tidyDead(c.deadDir, dayOf(c.clock.Now().Add(-c.late)), c.dead)
	if len(deleted) > 0 {
		c.log.Warn("deleted the dead letters of old days", "days", deleted, "most_bytes", c.dead)
	}
	if err != nil {
		c.log.Error("can't tidy up the dead letters", "error", err)
	}
}
