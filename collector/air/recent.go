package air

import (
	"math"

	"nhip"
)

// recentJob is the work that is due for the recent readings of one station.
type recentJob struct {
	station  *station
	loaded   bool
	readings []nhip.Reading // to add to the window
	stored   *window        // to merge with the window first
	from     int64          // ms since 1970: readings from here on are to be assessed; math.MaxInt64: none
	hours    spans          // to sum up
	results
}

// processRecent assesses the readings in memory, sums up hours that have ended, and publishes the results, one station
// after the other. It does not need the database. For a station that is not loaded yet, the assessments may be
// incomplete: they are published, but not written.
func (p *Processor) processRecent() {
	worked := false
	for _, s := range p.stationList() {
		worked = p.processRecentOf(s) || worked
	}
	if worked {
		wake(p.wakeDatabase)
		wake(p.wakeCompare)
	}
	for _, do := range []func(){p.limitRows, p.countRemaining, p.evaluateClockRules, p.publishAlerts} {
		p.guarded(do)
	}
}

// processRecentOf does the due work of a station, and reports whether there was any. A panic costs the readings of this
// work their assessment; the window keeps those that it has already.
func (p *Processor) processRecentOf(s *station) (worked bool) {
	var j *recentJob
	p.guard("recent", s.id, func() {
		var ok bool
		if j, ok = p.takeRecent(s); ok && j.stored != nil {
			p.mergeStored(j)
			j, ok = p.takeRecent(s)
		}
		if ok {
			worked = true
			p.processStation(j)
		}
	}, func() {
		s.working = nil
		if j == nil {
			return
		}
		p.metrics.unassessed.Add(float64(len(j.readings)))
		s.loaded = s.loaded || j.stored != nil // what the database has can't be used
	})
	return worked
}

// takeRecent takes the due work of a station, if there is any.
func (p *Processor) takeRecent(s *station) (*recentJob, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	assess := s.assessFrom != math.MaxInt64 && (s.loaded || s.unpublished)
	if !assess && s.stored == nil && len(s.inbox) == 0 && len(s.dirty) == 0 && !s.republish {
		return nil, false
	}
	now := p.o.Clock.Now()
	ended := now.UnixMilli() / hourMS                 // the last hour that has ended
	mayPublish := s.loaded || s.last < p.windowHour() // a silent station is never loaded
	j := &recentJob{station: s, loaded: s.loaded, stored: s.stored, readings: s.inbox, from: math.MaxInt64}
	if j.loaded {
		j.hours = s.dirty.within(p.recentHour(), ended+1)
	}
	if !assess && s.stored == nil && len(s.inbox) == 0 && len(j.hours) == 0 && !(s.republish && mayPublish) {
		return nil, false
	}
	j.view, j.now = s.view(), now
	s.inbox, s.stored = nil, nil
	if j.stored != nil {
		return j, true
	}
	s.unpublished, s.republish = false, false
	for _, x := range j.hours {
		s.dirty = s.dirty.remove(x.From, x.To)
	}
	s.working = j.hours
	for _, x := range j.hours {
		j.compared = j.compared.addAll(s.compared.within(x.From, x.To))
	}
	s.compared = s.compared.without(j.hours)
	if assess {
		j.from = s.assessFrom
	}
	if assess && j.loaded {
		s.assessFrom = math.MaxInt64
		// The assessment of earlier readings may change, too, see qc.Rules.EvaluateStation.
		s.working = s.working.add(hourOf(j.from)-1, max(hourOf(j.from), ended)+2)
	}
	return j, true
}

// mergeStored adds the readings from the database to the window of a station.
func (p *Processor) mergeStored(j *recentJob) {
	s := j.station
	s.addReadings(j.readings)
	s.window.merge(j.stored)
	recent := startOf(p.recentHour())
	from, hours := s.window.unassessed(recent)
	p.countDropped(&s.window)
	p.mu.Lock()
	defer p.mu.Unlock()
	s.loaded, s.assessFrom = true, min(s.assessFrom, from)
	s.dirty = s.dirty.addAll(hours)
	for _, x := range hours {
		s.extendRange(x.From)
		s.extendRange(x.To - 1)
	}
	s.unpublished = s.unpublished || len(hours) > 0
}

// addReadings adds readings that have no assessment yet.
func (w *window) addReadings(readings []nhip.Reading) {
	for i := range readings {
		w.put(&readings[i], nhip.Assessment{})
	}
	w.settle()
}

// countDropped counts the readings that a window left out.
func (p *Processor) countDropped(w *window) {
	p.metrics.unassessed.Add(float64(w.dropped))
	w.dropped = 0
}

// processStation does the work of one station, and publishes the result if there is any. The lock is not held while it
// computes.
func (p *Processor) processStation(j *recentJob) {
	w := &j.station.window
	w.addReadings(j.readings)
	if j.from != math.MaxInt64 {
		earliest := startOf(p.windowHour() + 1)
		p.assess(&j.results, w, min(earliest, j.from-1), j.from, math.MaxInt64, j.network)
	}
	if j.loaded {
		p.sumRecentHours(j)
	} else {
		j.results = results{view: j.view, now: j.now}
	}
	update := LiveUpdate{Station: j.id, Flags: w.liveFlags()}
	if !j.loaded {
		w.retractAssessments()
	}
	w.dropUntil(startOf(p.windowHour()))
	p.countDropped(w)
	p.keepRecent(j, &update)
	p.o.Publish(update)
}

// keepRecent adds the results of a job to the state of its station, and the station's hours and faults to update.
func (p *Processor) keepRecent(j *recentJob, update *LiveUpdate) {
	s := j.station
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(s, &j.results)
	s.working = nil
	s.dirty = s.dirty.addAll(j.changed.without(j.summed))
	if len(j.summed) > 0 {
		p.evaluateHour(s, j.now)
	}
	s.trim(p.windowHour())
	update.Hours, update.Faults, update.Unvouched = s.liveHours(), s.faults, s.unvouched
	update.FaultsKnown = p.faultsKnown || s.config.Mobile
}

// sumRecentHours sums up the hours of a job that have ended, and those whose assessments changed.
func (p *Processor) sumRecentHours(j *recentJob) {
	ended := j.now.UnixMilli() / hourMS
	for _, x := range j.hours.addAll(j.changed.within(p.recentHour(), ended+1)) {
		for h := x.From; h < x.To; h++ {
			p.sumHour(&j.results, &j.station.window, h, j.network)
		}
	}
}
