package air

import (
	"context"
	"fmt"
	"math"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// neighbourHours is the number of old hours that one neighbour check covers.
const neighbourHours = 24

// stationHour is one hour of one station.
type stationHour struct {
	station string
	hour    int64
}

// backfillNeighbours is checkNeighbours for hours that are not in memory. It reads the medians from the database. It
// runs when no old hour is left to be summed up, so that a network that is imported station by station is compared as
// a whole.
func (p *Processor) backfillNeighbours(ctx context.Context) error {
	hours := p.takeUncheckedOld()
	if len(hours) == 0 {
		return nil
	}
	q, from := hours[0].quantity, hours[0].hour
	stored := make(map[stationHour]influx.RollupRow)
	rq := influx.RollupQuery{
		Quantity: q, Period: nhip.PeriodHour, Quality: nhip.QualityAutomatic,
		From: time.UnixMilli(startOf(from)).UTC(), To: time.UnixMilli(endOf(from + neighbourHours - 1)).UTC(),
	}
	err := p.o.History.Rollups(ctx, rq, func(r influx.RollupRow) error {
		stored[stationHour{r.Station, hourOf(r.Time.UnixMilli())}] = r
		return nil
	})
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, n := range hours {
			delete(p.checking, n)
			p.uncheckedHours[n] = true
		}
		return fmt.Errorf("can't read the hours of neighbouring stations: %w", err)
	}
	for _, n := range hours {
		p.guard("old neighbours", "", func() { p.checkStoredHour(n, stored) }, func() { delete(p.checking, n) })
	}
	return nil
}

// checkStoredHour compares low-cost monitors in an hour that is not in memory, and marks the hour of those whose flag
// changed to be processed again.
func (p *Processor) checkStoredHour(n quantityHour, stored map[stationHour]influx.RollupRow) {
	sites, members, medians := p.neighbourhood(func(s *station) float64 {
		r, ok := stored[stationHour{s.id, n.hour}]
		if !ok || r.Count == 0 && r.Neighbours != nhip.FlagFail {
			return math.NaN()
		}
		return r.Median
	})
	flags := p.neighbourFlags(n.quantity, sites, medians)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.checking, n)
	for i, f := range flags {
		s := members[i]
		old, ok := stored[stationHour{s.id, n.hour}]
		unchanged := max(old.Neighbours, nhip.FlagGood) == max(f, nhip.FlagGood)
		if !ok || unchanged || f == nhip.FlagNotEvaluated {
			continue
		}
		s.neighbourFlags[n] = f
		s.dirty = s.dirty.add(n.hour, n.hour+1)
	}
}

// takeUncheckedOld takes the old hours of one quantity that wait for a neighbour check, from the first one on.
func (p *Processor) takeUncheckedOld() []quantityHour {
	p.mu.Lock()
	defer p.mu.Unlock()
	recent := p.recentHour()
	var first quantityHour
	for n := range p.uncheckedHours {
		if n.hour < recent && (first.hour == 0 || n.hour < first.hour) {
			first = n
		}
	}
	if first.hour == 0 {
		return nil
	}
	var out []quantityHour
	for h := first.hour; h < min(first.hour+neighbourHours, recent); h++ {
		if n := (quantityHour{first.quantity, h}); p.uncheckedHours[n] {
			delete(p.uncheckedHours, n)
			p.checking[n] = true
			out = append(out, n)
		}
	}
	return out
}
