package collector

import (
	"context"

	"nhip/collector/remind"
)

// openReminders makes what decides the reminders of riders, which begins with Start.
func (c *Collector) openReminders(o Options) {
	c.reminders = remind.New(remind.Options{
		Collector: o.ID, Clock: o.Clock, Zone: o.Air.Zone, Documents: c.documents, State: c.state,
		History: o.Reminders.History, Lean: o.Reminders.Lean, Reach: o.Reminders.Reach,
		Secrets: o.Reminders.Secrets, Client: o.Reminders.Client, Publish: c.publisher.Send,
		CaughtUp: func(ctx context.Context) error { return c.dedup.caughtUp(ctx, &c.dedup.done) },
		Guard:    c.guard, Logger: c.log, Registry: o.Registry,
	})
	if c.arrivals != nil {
		c.arrivals.Listen(c.reminders.Arrival)
	}
}
