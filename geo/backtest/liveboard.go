package backtest

import (
	"time"

	"nhip/geo/board"
	"nhip/geo/network"
	"nhip/geo/predict"
)

// Limits of the promises that await their arrivals.
const (
	maxPromises  = 200_000 // later ones are not recorded; 24 bytes each
	ghostAfter   = 30 * time.Minute
	settlesEvery = time.Minute
)

// LiveBoard scores what the boards of a running platform told, by route: against the arrivals that its own tracker
// sees, trip by trip. It is not safe for concurrent use.
type LiveBoard struct {
	settled time.Time
	trips   map[instanceKey]*tripPromises
	count   int
	routes  map[string]*boardScore
	total   boardScore
}

// tripPromises are the promises of one trip.
type tripPromises struct {
	route string
	all   []promise
}

// promise is what a board told at a time, both in Unix ms.
type promise struct {
	at, told int64
	stop     int32
	part     int8
}

// NewLiveBoard returns an empty score.
func NewLiveBoard() *LiveBoard {
	return &LiveBoard{trips: make(map[instanceKey]*tripPromises), routes: make(map[string]*boardScore)}
}

// Told records what a board tells of a trip at a stop. The basis is "" if it tells nothing; waits says that its bus has
// not left its first stop.
func (l *LiveBoard) Told(trip *network.TripInstance, stop int, now, told time.Time, basis board.Basis, waits bool) {
	l.settle(now)
	if l.count >= maxPromises {
		return
	}
	key := keyOf(trip)
	t := l.trips[key]
	if t == nil {
		t = &tripPromises{route: trip.Pattern.Route.ID}
		l.trips[key] = t
	}
	t.all = append(t.all, promise{now.UnixMilli(), told.UnixMilli(), int32(stop), partOf(basis, waits)})
	l.count++
}

func partOf(basis board.Basis, waits bool) int8 {
	switch {
	case basis == "":
		return boardNothing
	case basis == board.BasisNextTrip:
		return boardNext
	case basis != board.BasisPosition:
		return boardTimetable
	case waits:
		return boardWaiting
	}
	return boardLive
}

// Arrived compares an arrival with what was told of it. What was told of the stops before is not known to be right or
// wrong: the bus has passed them unseen.
func (l *LiveBoard) Arrived(a *predict.Arrival) {
	if a.Arrived.IsZero() || a.Instance == nil {
		return
	}
	key := keyOf(a.Instance)
	t := l.trips[key]
	if t == nil {
		return
	}
	line := l.line(t.route)
	kept := t.all[:0]
	for _, p := range t.all {
		now, told := time.UnixMilli(p.at), time.UnixMilli(p.told)
		switch {
		case int(p.stop) > a.Stop:
			kept = append(kept, p)
		case int(p.stop) == a.Stop && a.Arrived.After(now):
			for _, s := range [...]*boardScore{line, &l.total} {
				s.add(int(p.part), now, told, a.Arrived)
				if p.promises() {
					s.ghosts[p.part].add(false)
				}
			}
		}
	}
	l.keep(key, t, kept)
}

// promises reports whether the board said that a bus comes within the time in which boards are scored.
func (p *promise) promises() bool {
	return p.part != boardNothing && p.told-p.at <= boardAhead.Milliseconds()
}

// settle counts the promises whose bus has not come as ghosts.
func (l *LiveBoard) settle(now time.Time) {
	if d := now.Sub(l.settled); d >= 0 && d < settlesEvery { // it is negative after the clock was set back
		return
	}
	l.settled = now
	before := now.Add(-ghostAfter).UnixMilli()
	for key, t := range l.trips {
		kept := t.all[:0]
		for _, p := range t.all {
			if max(p.at, p.told) >= before {
				kept = append(kept, p)
				continue
			}
			if p.promises() {
				l.line(t.route).ghosts[p.part].add(true)
				l.total.ghosts[p.part].add(true)
			}
		}
		l.keep(key, t, kept)
	}
}

func (l *LiveBoard) keep(key instanceKey, t *tripPromises, kept []promise) {
	l.count -= len(t.all) - len(kept)
	if t.all = kept; len(kept) == 0 {
		delete(l.trips, key)
	}
}

func (l *LiveBoard) line(route string) *boardScore {
	s := l.routes[route]
	if s == nil {
		s = &boardScore{}
		l.routes[route] = s
	}
	return s
}

// Total returns the score over all routes.
func (l *LiveBoard) Total() BoardReport { return l.total.report() }

// Routes returns the score of each route of which something was told, by route_id.
func (l *LiveBoard) Routes() map[string]BoardReport {
	out := make(map[string]BoardReport, len(l.routes))
	for id, s := range l.routes {
		if r := s.report(); r.Minutes > 0 || r.Ghosts.Promises > 0 {
			out[id] = r
		}
	}
	return out
}
