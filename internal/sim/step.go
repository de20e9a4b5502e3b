package sim

import (
	"time"

	"nhip"
)

// roundRobin schedules n devices: device i is due at start + offset(i), and again after each interval.
type roundRobin struct {
	start    time.Time // of the current round
	interval time.Duration
	n, next  int
	offset   func(i int) time.Duration // ascending, less than the interval
}

// due returns when the next device is due, and false without devices.
func (r *roundRobin) due() (time.Time, bool) {
	if r.n == 0 {
		return time.Time{}, false
	}
	return r.start.Add(r.offset(r.next)), true
}

// advance selects the next device.
func (r *roundRobin) advance() {
	if r.next++; r.next == r.n {
		r.next, r.start = 0, r.start.Add(r.interval)
	}
}

// dropOverdue skips complete rounds so that the next due time is at most maxLag before now.
func (r *roundRobin) dropOverdue(now time.Time, maxLag time.Duration) {
	if due, ok := r.due(); ok && now.Sub(due) > maxLag {
		rounds := (now.Sub(due) - maxLag + r.interval - 1) / r.interval
		r.start = r.start.Add(rounds * r.interval)
	}
}

// The maximum lag behind the clock before devices skip messages. Buses send current positions only; stations keep their
// reports for an hour.
const (
	maxFixLag    = 2 // intervals
	maxReportLag = time.Hour
)

// Step returns the devices' messages up to now, in order. The first Step starts the simulation: each station reports
// its last complete period, and each bus is put where it would be. Received is the time at which the device sends.
func (s *Simulator) Step(now time.Time) []nhip.Message {
	var out []nhip.Message
	if !s.started {
		out = s.start(now)
	}
	s.fixes.dropOverdue(now, maxFixLag*s.opt.Interval)
	s.reports.dropOverdue(now, maxReportLag)
	for {
		fix, ok1 := s.fixes.due()
		report, ok2 := s.reports.due()
		switch {
		case ok1 && !fix.After(now) && (!ok2 || !report.Before(fix)):
			out = s.appendFix(out, s.buses[s.fixes.next], fix)
			s.fixes.advance()
		case ok2 && !report.After(now):
			out = appendReport(out, s.stations[s.reports.next], s.air, s.reports.start, report)
			s.reports.advance()
		default:
			return out
		}
	}
}

// Next returns when the next device is due. The zero time means that Step should be called at once.
func (s *Simulator) Next() time.Time {
	fix, ok1 := s.fixes.due()
	report, ok2 := s.reports.due()
	if !ok1 || ok2 && report.Before(fix) {
		return report
	}
	return fix
}

// start initialises the simulation. All stations report at once, even if their delay has not passed yet, because a map
// that is empty for two minutes looks broken.
func (s *Simulator) start(now time.Time) []nhip.Message {
	s.started = true
	first := now.Add(-s.opt.Lead)
	s.buses = newBuses(s.opt.Buses, s.opt.Seed, first.Unix())
	if len(s.buses) > 0 {
		s.world.dispatch.place(s.buses, first.Unix())
	}
	s.stations = newStations(s.opt.Stations, s.opt.Seed)
	nBuses, nStations := len(s.buses), len(s.stations)
	s.fixes = roundRobin{start: now, interval: s.opt.Interval, n: nBuses, offset: func(i int) time.Duration {
		return s.opt.Interval * time.Duration(i) / time.Duration(nBuses)
	}}
	whole := now.Truncate(reportPeriod)
	s.reports = roundRobin{
		start: whole.Add(reportPeriod), interval: reportPeriod, n: nStations,
		offset: func(i int) time.Duration { return s.stations[i].delay },
	}
	s.past = backlog{end: backlogStart(whole, s.opt.History), until: whole}
	var out []nhip.Message
	for _, st := range s.stations {
		out = appendReport(out, st, s.air, whole, now)
	}
	return s.appendLead(out, first, now)
}

// appendLead appends the positions of the buses every PastInterval from a time up to another, exclusive.
func (s *Simulator) appendLead(out []nhip.Message, first, now time.Time) []nhip.Message {
	for at := first; at.Before(now); at = at.Add(PastInterval) {
		for i, b := range s.buses {
			due := at.Add(PastInterval * time.Duration(i) / time.Duration(len(s.buses)))
			if due.Before(now) {
				out = s.appendFix(out, b, due)
			}
		}
	}
	return out
}

// appendFix moves a bus and appends its message.
func (s *Simulator) appendFix(out []nhip.Message, b *bus, due time.Time) []nhip.Message {
	b.advance(s.world, due.Unix())
	if !b.inService() || b.receiver.inOutage(b.rng, b.now) {
		return out
	}
	return append(out, nhip.Message{Topic: b.topic, Payload: b.positionPayload(s.world), Received: due})
}

func appendReport(out []nhip.Message, st *station, sky *airField, end, due time.Time) []nhip.Message {
	payload := st.report(sky, end)
	if payload == nil {
		return out
	}
	return append(out, nhip.Message{Topic: st.topic, Payload: payload, Received: due})
}

// backlog iterates over the stations' past reports, oldest first.
type backlog struct {
	end, until time.Time // end of the next period, and end of the first period that is not past
	next       int       // index of the next station
}

// backlogStart returns the end of the first complete period of a history that ends at end.
func backlogStart(end time.Time, history time.Duration) time.Time {
	return end.Add(-history.Truncate(reportPeriod))
}

// Backlog returns about n further reports of the stations from before the first Step, oldest first. It returns none
// after the last one, and before the first Step.
func (s *Simulator) Backlog(n int) []nhip.Message {
	var out []nhip.Message
	for p := &s.past; len(out) < n && p.end.Before(p.until) && len(s.stations) > 0; {
		st := s.stations[p.next]
		out = appendReport(out, st, s.air, p.end, p.end.Add(st.delay))
		if p.next++; p.next == len(s.stations) {
			p.next, p.end = 0, p.end.Add(reportPeriod)
		}
	}
	return out
}
