package collector

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"time"

	"nhip"
	"nhip/collector/schedule"
	"nhip/internal/airreport"
)

// Mails configure the mailing of scheduled reports.
type Mails struct {
	Mailer    schedule.Mailer
	Scopes    schedule.Scopes
	History   airreport.History
	PublicURL string // of the api, for links; "": none
}

// newSchedules returns what mails the scheduled reports.
func (c *Collector) newSchedules(o Options) (*schedule.Sender, error) {
	zone := cmp.Or(o.Air.Zone, time.UTC)
	s, err := schedule.New(schedule.Options{
		Path: filepath.Join(o.Dir, "schedules.json"), Clock: o.Clock, Zone: zone, Documents: c.documents,
		Mailer: o.Mails.Mailer, Scopes: o.Mails.Scopes, Stations: c.stations,
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

// stations returns all stations with what the fleet says of them and, as the api knows it, the position.
func (c *Collector) stations() []*nhip.Station {
	live := make(map[string]*nhip.Station)
	for _, s := range c.state.Stations() {
		live[s.ID] = s
	}
	all := c.air.Stations()
	for _, s := range all {
		if known := live[s.ID]; known != nil && !s.Private {
			s.Lat, s.Lon, s.Private = known.Lat, known.Lon, known.Private
		}
	}
	return all
}
