package transit

import (
	"reflect"
	"slices"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/geo/gtfs"
)

// StopBoard is what a stop tells its riders.
type StopBoard struct {
	Time     time.Time      `json:"time"`
	Stop     StopRef        `json:"stop"`
	Arrivals []Departure    `json:"arrivals"` // the soonest first
	Alerts   []ServiceAlert `json:"alerts"`
}

// StopBoard returns the board of a stop with the soonest arrivals, limit at most.
func (m *Model) StopBoard(t *Timetable, s *gtfs.Stop, q BoardQuery, limit int) *StopBoard {
	all := t.StopArrivals(s, q)
	all = all[:min(limit, len(all))]
	return &StopBoard{q.Now, t.StopRef(s), all, m.ServiceAlerts(t.StopScope(all, s), false)}
}

// Changes of a time that riders are told of: those by at least minShift, and for arrivals that are far ahead by a part
// of the time until then; the ends of a range may change twice as much. Times within due are all the same to riders.
const (
	minShift  = 15 * time.Second
	shiftPart = 0.1
	rangePart = 2
	due       = time.Minute

	confidenceSteps = 10 // of the confidence in a trip, from 0 to 1
)

// Differs reports whether riders who see a board should get this one instead: it has other arrivals, states or alerts,
// or its times have changed notably. Ages and the order of arrivals alone make no difference.
func (b *StopBoard) Differs(shown *StopBoard) bool {
	if b.Stop != shown.Stop || len(b.Arrivals) != len(shown.Arrivals) {
		return true
	}
	for i := range b.Arrivals {
		d := &b.Arrivals[i]
		at := slices.IndexFunc(shown.Arrivals, d.isSame)
		if at < 0 || d.differs(&shown.Arrivals[at], b.Time) {
			return true
		}
	}
	return !reflect.DeepEqual(b.Alerts, shown.Alerts)
}

// isSame reports whether a departure is of the same trip and vehicle.
func (d *Departure) isSame(other Departure) bool {
	return d.Trip == other.Trip && d.Vehicle == other.Vehicle && d.Agency == other.Agency && d.Route == other.Route &&
		sameTime(d.Scheduled, other.Scheduled)
}

func sameTime(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }

// differs reports whether riders who see a departure should get this one instead.
func (d *Departure) differs(shown *Departure, now time.Time) bool {
	if shifted(d.Expected, shown.Expected, now, 1) || shifted(d.Early, shown.Early, now, rangePart) ||
		shifted(d.Late, shown.Late, now, rangePart) {
		return true
	}
	if d.StopsAway.Known() != shown.StopsAway.Known() || moved(d.StopsAway.Or(0), shown.StopsAway.Or(0)) {
		return true
	}
	return !reflect.DeepEqual(d.settled(), shown.settled())
}

// near is the number of stops from which riders see a bus come stop by stop.
const near = 3

// moved reports whether a bus is notably closer than it was, in stops.
func moved(stops, shown int) bool {
	return stops != shown && (stops <= near || 4*stops <= 3*shown || stops > shown)
}

// settled returns a departure without what changes all the time.
func (d *Departure) settled() Departure {
	s := *d
	s.Expected, s.Early, s.Late, s.Time, s.at, s.Other = nil, nil, nil, nil, time.Time{}, nil
	s.Minutes, s.Age, s.StopsAway = 0, nhip.Opt[float64]{}, nhip.Opt[int]{}
	if c, ok := s.Confidence.Get(); ok {
		s.Confidence = nhip.Some(encode.Round(c, confidenceSteps))
	}
	return s
}

// shifted reports whether a time has changed notably. part is how much more than an expected time it may change.
func shifted(t, shown *time.Time, now time.Time, part float64) bool {
	if t == nil || shown == nil {
		return t != shown
	}
	if limit := now.Add(due); t.Before(limit) && shown.Before(limit) {
		return false
	}
	allowed := part * max(minShift.Seconds(), shiftPart*t.Sub(now).Seconds())
	return t.Sub(*shown).Abs().Seconds() >= allowed
}
