package air

import (
	"math"

	"nhip"
	"nhip/internal/fleet"
)

// Observe adds readings that are neither duplicates nor rejected. record is the record of the outbox up to which they
// are stored there.
func (p *Processor) Observe(readings []nhip.Reading, record uint64) {
	if len(readings) == 0 {
		return
	}
	p.observeAll(readings, record)
	p.signal()
}

func (p *Processor) observeAll(readings []nhip.Reading, record uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	window, recent, now := startOf(p.windowHour()), startOf(p.recentHour()), p.o.Clock.Now().UnixMilli()
	hours := make(map[*station][]int64)
	for i := range readings {
		p.observe(&readings[i], hours, window, recent, now)
	}
	for s, all := range hours {
		changed := spansOf(all)
		s.dirty, s.compared = s.dirty.addAll(changed), s.compared.without(changed)
	}
	p.lastRecord = max(p.lastRecord, record)
}

// observe adds one reading, and its hour to hours. A panic costs this reading its assessment. The times are in ms since
// 1970. p.mu must be held.
func (p *Processor) observe(r *nhip.Reading, hours map[*station][]int64, window, recent, now int64) {
	defer p.o.Guard.Recover(partAir, func() { p.metrics.unassessed.Inc() })
	s := p.station(r.Station)
	if r.Point.Known() && s.reportedPosition != r.Point {
		s.reportedPosition = r.Point
	}
	s.heard = now
	at := r.Time.UnixMilli()
	if at > window {
		p.receive(s, r)
	}
	s.markUnassessed(at, recent)
	if h, all := hourOf(at), hours[s]; len(all) == 0 || all[len(all)-1] != h {
		hours[s] = append(all, h)
	}
}

// maxInbox is the number of readings of a station that may wait. More come only from a station that sends faster than
// it can be assessed; the assessment of the rest is left to Recompute.
const maxInbox = 50_000

// receive queues a reading for processRecent. p.mu must be held.
func (p *Processor) receive(s *station, r *nhip.Reading) {
	if len(s.inbox) >= maxInbox {
		p.metrics.unassessed.Inc()
		return
	}
	s.inbox = append(s.inbox, *r)
}

// UpdateStation applies the configuration of a station from the fleet, or the zero Station if it was removed. A new
// calibration applies to all readings since it is valid.
func (p *Processor) UpdateStation(id string, f fleet.Station) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.station(id)
	before := s.fleetPosition
	s.fleet = f
	p.reconfigure(s)
	if s.movedFrom(before) {
		s.moved = hourOf(p.o.Clock.Now().UnixMilli())
		p.log.Info("station moved; its comparison with other monitors begins anew", "station", id)
	}
}

// reconfigure applies the configuration of a station, and marks the readings whose assessment it changes. p.mu must be
// held.
func (p *Processor) reconfigure(s *station) {
	from := s.configure(p.o.Zone)
	if from == math.MaxInt64 || s.last == 0 {
		return
	}
	p.markForReassessment(s, from, endOf(s.last))
	p.log.Info("station configuration changed; readings are assessed again", "station", s.id)
	p.signal()
}
