package air

import (
	"context"
	"math"

	"nhip"
	"nhip/geo/qc"
)

// hoursWithNeighbours returns the hours of a station that are to be compared with those of its neighbours.
func (p *Processor) hoursWithNeighbours(s *setup, w *window, hours spans) (out []quantityHour) {
	if len(hours) == 0 {
		return nil
	}
	for _, q := range w.quantities() {
		if !p.hasNeighbours(s, q) {
			continue
		}
		for _, x := range hours {
			for h := x.From; h < x.To; h++ {
				out = append(out, quantityHour{q, h})
			}
		}
	}
	return out
}

// checkNeighbours compares low-cost monitors with each other in the recent hours that changed, and marks the readings
// of those whose flag changed to be assessed again. Older hours are left to backfillNeighbours. The lock is not held
// while it compares.
func (p *Processor) checkNeighbours(ctx context.Context) {
	for ctx.Err() == nil {
		n, ok := p.takeUnchecked()
		if !ok {
			return
		}
		p.guard("neighbours", "", func() { p.checkRecentHour(n) }, func() { delete(p.checking, n) })
		wake(p.wakeRecent)
	}
}

// checkRecentHour compares low-cost monitors in an hour that is in memory.
func (p *Processor) checkRecentHour(n quantityHour) {
	sites, members, medians := p.neighbourhood(func(s *station) float64 {
		if m, ok := s.medians[n]; ok && s.loaded {
			return m
		}
		return math.NaN()
	})
	flags := p.neighbourFlags(n.quantity, sites, medians)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, f := range flags {
		s := members[i]
		if f == nhip.FlagNotEvaluated {
			f = 0
		}
		if s.neighbourFlags[n] != f {
			s.neighbourFlags[n] = f
			s.assessFrom = min(s.assessFrom, startOf(n.hour))
			s.dirty = s.dirty.add(n.hour, n.hour+1)
		}
	}
	delete(p.checking, n)
}

// takeUnchecked takes a recent hour that waits for a neighbour check.
func (p *Processor) takeUnchecked() (quantityHour, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := p.recentHour()
	for n := range p.uncheckedHours {
		if n.hour >= first {
			delete(p.uncheckedHours, n)
			p.checking[n] = true
			return n, true
		}
	}
	return quantityHour{}, false
}

// neighbourFlags returns the flag of each site from the comparison with its neighbours and with monitors at the same
// place.
func (p *Processor) neighbourFlags(q nhip.Quantity, sites []qc.Site, medians []float64) []nhip.Flag {
	flags := p.rules.CompareNeighbours(q, sites, medians)
	for i, f := range p.rules.CompareCollocated(q, sites, medians) {
		if f != nhip.FlagGood {
			flags[i] = max(flags[i], f)
		}
	}
	return flags
}

// neighbourhood returns the low-cost monitors with a known position, and value of each of them. value is called
// with p.mu held.
func (p *Processor) neighbourhood(
	value func(*station) float64,
) (sites []qc.Site, members []*station, values []float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.stations {
		at, ok := s.position()
		if s.class != qc.ClassLowCost || !ok {
			continue
		}
		sites = append(sites, qc.Site{Lat: at.Lat(), Lon: at.Lon(), Elevation: math.NaN()})
		members = append(members, s)
		values = append(values, value(s))
	}
	return sites, members, values
}

// hasNeighbours reports whether a low-cost monitor has other low-cost monitors within the radius of the check.
func (p *Processor) hasNeighbours(s *setup, q nhip.Quantity) bool {
	limits := p.rules.Params(q, qc.ClassLowCost, qc.CheckNeighbours)
	if s.class != qc.ClassLowCost || limits.Count < 1 {
		return false
	}
	at, ok := p.places.Get(s.id)
	return ok && len(p.places.Nearest(nil, at, 2, limits.Radius, nil)) > 1
}
