package air

import (
	"time"

	"nhip"
)

// Recompute marks the readings of a station, or of all stations, to be assessed and summed up again. It returns the
// number of hours that this takes.
func (p *Processor) Recompute(q nhip.RecomputeQuery) (nhip.RecomputeProgress, error) {
	if err := q.Validate(); err != nil {
		return nhip.RecomputeProgress{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	known := false
	for id, s := range p.stations {
		if (q.Station == "" || q.Station == id) && s.last != 0 {
			known = true
			s.first = min(s.first, hourOf(q.From.UnixMilli()+1)) // the database may hold earlier readings
			p.markForReassessment(s, q.From.UnixMilli(), min(q.To.UnixMilli(), endOf(s.last)))
		}
	}
	if !known {
		return nhip.RecomputeProgress{}, nhip.Errorf(nhip.CodeNotFound, "station", "%q has no readings", q.Station)
	}
	p.signal()
	return p.remaining(q.Station), nil
}

// markForReassessment marks the readings of a station between from, exclusive, and to, inclusive, in ms since 1970.
func (p *Processor) markForReassessment(s *station, from, to int64) {
	from = max(from, startOf(s.first))
	if to <= from {
		return
	}
	s.dirty = s.dirty.add(hourOf(from+1), hourOf(to)+1)
	s.compared = s.compared.remove(hourOf(from+1), hourOf(to)+1)
	if recent := startOf(p.recentHour()); to > recent {
		s.assessFrom = min(s.assessFrom, max(from, recent))
	}
}

// Progress returns the work that remains for a station, or for all stations.
func (p *Processor) Progress(q nhip.RecomputeStatusQuery) (nhip.RecomputeProgress, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.remaining(q.Station), nil
}

// totalRemaining returns the work that remained for all stations when it was counted last, so that who reads the
// metrics waits for nothing.
func (p *Processor) totalRemaining() nhip.RecomputeProgress {
	if left := p.left.Load(); left != nil {
		return *left
	}
	return nhip.RecomputeProgress{}
}

// countRemaining counts the work that remains for all stations, at most once in tickEvery. It holds the lock for one
// station at a time.
func (p *Processor) countRemaining() {
	if time.Since(p.counted) < tickEvery {
		return
	}
	p.counted = time.Now()
	var left nhip.RecomputeProgress
	now := p.o.Clock.Now()
	for _, s := range p.stationList() {
		p.mu.Lock()
		s.addRemaining(&left, now)
		p.mu.Unlock()
	}
	p.mu.Lock()
	left.Hours += p.comparison.hours()
	p.mu.Unlock()
	p.left.Store(&left)
}

// addRemaining adds the work that remains for a station. Processor.mu must be held.
func (s *station) addRemaining(to *nhip.RecomputeProgress, now time.Time) {
	ended := now.UnixMilli()/hourMS + 1
	to.Hours += s.open().within(0, ended).hours()
	if s.firstDueHour(now) != 0 || len(s.summing.days)+len(s.summing.months) > 0 {
		days := s.days.addAll(s.summing.days).within(0, ended)
		to.Days += max((days.hours()+23)/24, 1) // at least 1: a due month counts as a day
	}
}

// remaining counts the hours that have ended and are still to be processed, and the days that are still to be summed
// up. p.mu must be held.
func (p *Processor) remaining(station string) nhip.RecomputeProgress {
	var out nhip.RecomputeProgress
	now := p.o.Clock.Now()
	for id, s := range p.stations {
		if station == "" || station == id {
			s.addRemaining(&out, now)
		}
	}
	if station == "" || p.stations[station] != nil {
		out.Hours += p.comparison.hours()
	}
	return out
}
