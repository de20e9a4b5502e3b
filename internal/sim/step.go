package sim

import (
	"time"

	"nhip"
)

// round calls a row of devices in turn, over and over: device i is due at start + offset(i), and
// again after every interval.
type round struct {
	start    time.Time // of the present turn
	interval time.Duration
	n, next  int
	offset   func(i int) time.Duration // never falling, within the interval
}

// due returns when the next device has its turn; without devices, never.
func (r *round) due() (time.Time, bool) {
	if r.n == 0 {
		return time.Time{}, false
	}
	return r.start.Add(r.offset(r.next)), true
}

// pass moves on to the next device.
func (r *round) pass() {
	if r.next++; r.next == r.n {
		r.next, r.start = 0, r.start.Add(r.interval)
	}
}

// skip leaves out whole turns, so that the next due is at most keep behind now.
func (r *round) skip(now time.Time, keep time.Duration) {
	if due, ok := r.due(); ok && now.Sub(due) > keep {
		turns := (now.Sub(due) - keep + r.interval - 1) / r.interval
		r.start = r.start.Add(turns * r.interval)
	}
}

// How far behind the clock devices may fall before they leave out what they had to say. Boxes on
// buses send what is now; monitors keep their reports for an hour.
const (
	fixesKept   = 2 // intervals
	reportsKept = time.Hour
)

// Step returns, in order, what the devices have to say up to now. The first Step begins the city:
// every monitor reports its last whole period, and every bus is put where it would be. Received is
// the moment at which the device sends.
func (s *Simulator) Step(now time.Time) []nhip.Message {
	var out []nhip.Message
	if !s.begun {
		out = s.begin(now)
	}
	s.fixes.skip(now, fixesKept*s.opt.Interval)
	s.reports.skip(now, reportsKept)
	for {
		fix, ok1 := s.fixes.due()
		report, ok2 := s.reports.due()
		switch {
		case ok1 && !fix.After(now) && (!ok2 || !report.Before(fix)):
			out = s.appendFix(out, fix)
			s.fixes.pass()
		case ok2 && !report.After(now):
			out = appendReport(out, s.stations[s.reports.next], s.sky, s.reports.start, report)
			s.reports.pass()
		default:
			return out
		}
	}
}

// Next returns when the next device has something to say; the zero time asks to be stepped at once.
func (s *Simulator) Next() time.Time {
	fix, ok1 := s.fixes.due()
	report, ok2 := s.reports.due()
	if !ok1 || ok2 && report.Before(fix) {
		return report
	}
	return fix
}

// begin sets everything going. Monitors whose delay has not passed yet report at once all the same:
// a map that is empty for two minutes looks broken.
func (s *Simulator) begin(now time.Time) []nhip.Message {
	s.begun = true
	s.buses = newBuses(s.opt.Buses, s.opt.Seed, now.Unix())
	if len(s.buses) > 0 {
		s.world.dispatch.place(s.buses, now.Unix())
	}
	s.stations = newStations(s.opt.Stations, s.opt.Seed)
	nBuses, nStations := len(s.buses), len(s.stations)
	s.fixes = round{start: now, interval: s.opt.Interval, n: nBuses, offset: func(i int) time.Duration {
		return s.opt.Interval * time.Duration(i) / time.Duration(nBuses)
	}}
	whole := now.Truncate(period)
	s.reports = round{start: whole.Add(period), interval: period, n: nStations, offset: func(i int) time.Duration {
		return s.stations[i].delay
	}}
	s.past = backlog{end: firstPast(whole, s.opt.History), until: whole}
	var out []nhip.Message
	for _, st := range s.stations {
		out = appendReport(out, st, s.sky, whole, now)
	}
	return out
}

// appendFix moves the bus whose turn it is and lets it speak.
func (s *Simulator) appendFix(out []nhip.Message, due time.Time) []nhip.Message {
	b := s.buses[s.fixes.next]
	b.advance(s.world, due.Unix())
	if !b.inService() || b.receiver.muted(b.rng, b.now) {
		return out
	}
	return append(out, nhip.Message{Topic: b.topic, Payload: b.positionPayload(s.world), Received: due})
}

func appendReport(out []nhip.Message, st *station, sky *sky, end, due time.Time) []nhip.Message {
	payload := st.report(sky, end)
	if payload == nil {
		return out
	}
	return append(out, nhip.Message{Topic: st.topic, Payload: payload, Received: due})
}

// backlog walks through the stations' past, oldest first.
type backlog struct {
	end, until time.Time // the next period's end, and the first that is not past
	next       int       // station
}

// firstPast returns the end of the first whole period of a history that ends at whole.
func firstPast(whole time.Time, history time.Duration) time.Time {
	return whole.Add(-history.Truncate(period))
}

// Backlog returns up to about n more of the monitors' reports from before the first Step, oldest
// first; none when all are told or Step has not begun.
func (s *Simulator) Backlog(n int) []nhip.Message {
	var out []nhip.Message
	for p := &s.past; len(out) < n && p.end.Before(p.until) && len(s.stations) > 0; {
		st := s.stations[p.next]
		out = appendReport(out, st, s.sky, p.end, p.end.Add(st.delay))
		if p.next++; p.next == len(s.stations) {
			p.next, p.end = 0, p.end.Add(period)
		}
	}
	return out
}
