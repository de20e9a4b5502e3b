package air

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"nhip"
	"nhip/geo/qc"
	"nhip/internal/influx"
)

// loadBatch is the number of stations that one step loads, so that new readings do not wait for all.
const loadBatch = 20

// load reads the recent readings and hours of some stations that are not loaded yet.
func (p *Processor) load(ctx context.Context) error {
	p.mu.Lock()
	var unloaded []*station
	first := p.windowHour()
	for _, s := range p.stations {
		if !s.loading && s.last >= first {
			unloaded = append(unloaded, s)
		}
	}
	p.mu.Unlock()
	slices.SortFunc(unloaded, func(a, b *station) int { return cmp.Compare(a.id, b.id) })
	for _, s := range unloaded[:min(len(unloaded), loadBatch)] {
		var err error
		p.guard("stored readings", s.id, func() { err = p.loadStation(ctx, s) }, func() {
			s.stored, s.loading = new(window), true // what the database has can't be used
		})
		if err != nil {
			return fmt.Errorf("can't read the recent readings of station %s: %w", s.id, err)
		}
	}
	return nil
}

func (p *Processor) loadStation(ctx context.Context, s *station) error {
	p.mu.Lock()
	from := time.UnixMilli(startOf(p.windowHour())).UTC()
	p.mu.Unlock()
	to := p.o.Clock.Now().Add(nhip.FutureTolerance)
	var stored window
	rq := influx.ReadingQuery{Station: s.id, From: from, To: to}
	err := p.o.History.Readings(ctx, rq, func(r nhip.AssessedReading) error {
		stored.put(&r.Reading, r.Assessment)
		return nil
	})
	if err != nil {
		return err
	}
	var hours []influx.RollupRow
	hq := influx.RollupQuery{Station: s.id, Period: nhip.PeriodHour, Quality: nhip.QualityReviewed, From: from, To: to}
	err = p.o.History.Rollups(ctx, hq, func(r influx.RollupRow) error {
		hours = append(hours, r)
		return nil
	})
	if err != nil {
		return err
	}
	network := make(map[quantityHour]qc.Result)
	hq.Quality = nhip.QualityRaw
	err = p.o.History.Rollups(ctx, hq, func(r influx.RollupRow) error {
		if r.Network.Tests != "" {
			network[quantityHour{r.Quantity, hourOf(r.Time.UnixMilli())}] = networkResult(r.Network.Tests)
		}
		return nil
	})
	if err != nil {
		return err
	}
	stored.settle()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range hours {
		h := hourOf(r.Time.UnixMilli())
		s.extendRange(h)
		s.setHourly(r.Quantity, h, r.RollupStats)
	}
	for n, r := range network {
		if _, newer := s.networkResults[n]; !newer {
			s.networkResults[n] = r
		}
	}
	s.stored, s.loading = &stored, true
	wake(p.wakeRecent)
	return nil
}
