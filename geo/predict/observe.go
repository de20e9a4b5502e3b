package predict

import (
	"time"

	"nhip/geo/network"
	"nhip/geo/track"
)

// Arrival is an arrival of a bus at a stop, or its departure from the first one.
type Arrival struct {
	Vehicle  string
	Pattern  *network.Pattern
	Instance *network.TripInstance
	Stop     int
	Arrived  time.Time // zero at the first stop
	Departed time.Time // zero if unknown
}

// at returns the time from which segments are measured, in Unix s.
func (a *Arrival) at() float64 {
	t := a.Arrived
	if t.IsZero() {
		t = a.Departed
	}
	return unix(t)
}

// Observe updates the predictor with an arrival. The arrivals of one vehicle must come in order; stored ones may come
// after newer positions were shown.
func (p *Predictor) Observe(a *Arrival) {
	if a.Arrived.IsZero() && a.Stop > 0 || a.Arrived.IsZero() && a.Departed.IsZero() {
		return // a departure adds no information to the next arrival
	}
	now := a.at()
	v := p.observed(a.Vehicle, now)
	same := v.pattern == a.Pattern && v.instance == a.Instance
	if same && v.stop == a.Stop && v.time == now {
		return // two collectors that follow one bus both report it
	}
	v.sample(now)
	v.shown.passed = max(v.shown.passed, a.Stop)
	l := p.lines[a.Pattern.Index]
	early, earlyStop := 0.0, -1
	if same && a.Stop > v.stop && now >= v.time {
		if a.Instance != nil {
			early, earlyStop = float64(a.Instance.Departs(v.stop))-v.time, v.stop
		}
		p.observeSegments(v, l, a, now)
	}
	if a.Pattern != v.shown.pattern || v.pattern == a.Pattern && a.Stop <= v.stop {
		v.pending = v.pending[:0] // of another journey
	}
	p.settle(v, l, a.Stop, now)
	p.settlePlaces(v, a.Stop, now)
	p.observeStart(v, l, a, now)
	v.pattern, v.instance, v.stop, v.time = a.Pattern, a.Instance, a.Stop, now
	v.early, v.earlyStop = early, earlyStop
	if now-v.shown.from > shownFor || v.shown.derived {
		p.showFromStop(v, a)
	}
}

// observed returns the vehicle of an arrival. One that is older than what is on show belongs to an earlier time of the
// vehicle, which is followed apart.
func (p *Predictor) observed(id string, now float64) *vehicle {
	v := p.vehicle(id)
	if v.shown.derived || now >= v.shown.from-shownFor {
		delete(p.past, id)
		return v
	}
	if p.past[id] == nil {
		p.past[id] = newVehicle()
	}
	return p.past[id]
}

// showFromStop shows what is predicted at an arrival, for vehicles whose positions are unknown: after a restart all
// arrivals of the last hours are observed without them.
func (p *Predictor) showFromStop(v *vehicle, a *Arrival) {
	b := BusOf(a.Vehicle, &track.State{
		Pattern: a.Pattern, Instance: a.Instance, Along: a.Pattern.Along[a.Stop], Next: a.Stop + 1,
		Time: time.UnixMilli(int64(a.at() * 1000)), Status: track.StatusInService,
	})
	p.ahead = p.Predict(p.ahead[:0], b, maxHorizon*time.Second)
	v.show(b, p.ahead, a.at())
	v.shown.derived = true
}

// observeSegments distributes the time since the previous stop over the segments between, in proportion to their
// scheduled times.
func (p *Predictor) observeSegments(v *vehicle, l *line, a *Arrival, now float64) {
	whole, waited, clock := 0.0, 0.0, v.time
	holds := p.lineHolds(l)
	for i := v.stop; i < a.Stop; i++ {
		leaves, drive := clock, scheduled(a.Pattern, a.Instance, i)
		if waits(a.Pattern, a.Instance, i) {
			leaves = p.leaves(a.Pattern, a.Instance, i, &holds, clock)
		}
		waited, whole, clock = waited+leaves-clock, whole+drive, leaves+drive
	}
	took := now - v.time
	took = max(took-waited, min(took, whole/2)) // the bus may have left too early
	ratio := p.lineRatio(l, now)
	for i := v.stop; i < a.Stop; i++ {
		expected := scheduled(a.Pattern, a.Instance, i)
		x := min(took*expected/whole, maxRatio*expected+60)
		s := &p.segments[a.Pattern.Links[i]]
		all, _ := s.means(expected * ratio)
		free := x
		if a.Stop == v.stop+1 {
			free = x - p.observeHold(v, l, s, a, now, x, all)
		}
		if s.count >= 2 {
			v.pace.add(min(x, 3*all+30)/all, all, now, paceTime)
		}
		s.add(x, free, now)
		p.city.ratio.add(x/expected, expected, now, cityTime)
		l.ratio.add(x/expected, expected, now, lineTime)
	}
}

// observeHold learns from the time between two stops how far buses are held at the first of them. It returns how long
// the bus was held there, in s, of the time that it took without what the timetable lets it stand; mean is the mean.
func (p *Predictor) observeHold(v *vehicle, l *line, s *segment, a *Arrival, now, took, mean float64) float64 {
	class, ok := holdClass(a.Instance, v.stop)
	if !ok {
		return 0
	}
	early := earliness(a.Instance, v.stop, class, v.time)
	if v.earlyStop == v.stop-1 {
		h := s.holds[class]
		if h == nil {
			h = new(holding)
			s.holds[class] = h
		}
		limit := maxEarliness
		if class == holdWait {
			limit = maxWaitEarliness
		}
		zx, zy := h.add(min(max(v.early, 0), limit), early, min(now-v.time, 3*mean+60+early))
		l.holds[class].add(zx, zy)
		p.city.holds[class].add(zx, zy)
	}
	if class == holdWait || early <= minEarliness {
		return 0
	}
	held := s.share(class, p.lineHolds(l)[class]) * early
	return took - min(max(took-held, min(mean/2, took)), took)
}

// observeStart learns how late buses reach their second stop that were at their first one in time, and how long those
// stood that should have left.
func (p *Predictor) observeStart(v *vehicle, l *line, a *Arrival, now float64) {
	if a.Instance == nil || a.Instance.HeadwayBased {
		return
	}
	if a.Stop == 1 {
		run, _ := p.segments[a.Pattern.Links[0]].means(scheduled(a.Pattern, a.Instance, 0))
		p.settleStand(v, run, now)
		if v.inTime == a.Instance {
			l.starts.Add(now - float64(a.Instance.Arrives(1)))
		}
	}
	if a.Stop > 0 {
		v.stands = v.stands[:0] // of another trip
	}
	next := a.Instance.Next
	if a.Stop == a.Pattern.Last() && next != nil && now <= float64(next.Departs(0)) &&
		next.Pattern.Stops[0] == a.Pattern.Stops[a.Stop] {
		v.inTime = next
	}
}

// ArrivalOf converts a stop event of a tracker.
func ArrivalOf(vehicle string, p *track.StopEvent) *Arrival {
	return &Arrival{
		Vehicle: vehicle, Pattern: p.Pattern, Instance: p.Instance, Stop: p.Stop, Arrived: p.Arrived, Departed: p.Departed,
	}
}

// BusOf converts a state of a tracker.
func BusOf(vehicle string, s *track.State) *Bus {
	return &Bus{
		Vehicle: vehicle, Pattern: s.Pattern, Instance: s.Instance, Along: s.Along, Next: s.Next, Time: s.Time,
		Waiting: s.Status == track.StatusLayover || s.Status == track.StatusDeadhead, ToStart: s.ToStart,
	}
}
