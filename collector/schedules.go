package collector

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"time"

	"nhip/collector/schedule"
	"nhip/internal/airreport"
)

// newSchedules returns what mails the scheduled reports.
func (c *Collector) newSchedules(o Options) (*schedule.Sender, error) {
	zone := cmp.Or(o.Air.Zone, time.UTC)
	s, err := schedule.New(schedule.Options{
		Path: filepath.Join(o.Dir, "schedules.json"), Clock: o.Clock, Zone: zone, Documents: c.documents,
		Mailer: o.Mails.Mailer, Scopes: o.Mails.Scopes, Stations: c.air.Stations,
		Reports: schedule.Reports{
			Reader: &airreport.Reader{History: o.Mails.History, Clock: o.Clock, Zone: c.air.ZoneOf},
			Zone:   zone, PublicURL: o.Mails.PublicURL, Simulated: o.Simulated,
		},
		Ready:  func(ctx context.Context) error { return c.dedup.caughtUp(ctx, &c.dedup.classified) },
		Damage: o.Damage, Guard: c.guard, Logger: c.log, Registry: o.Registry,
	})
	if err != nil {
		return nil, fmt.Errorf("can't open the states of schedules: %w", err)
	}
	return s, nil
}
