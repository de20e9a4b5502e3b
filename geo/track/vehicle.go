package track

import (
	"math"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// What a bus and its receiver can do.
const (
	maxSpeed      = 33.0 // m/s, of a bus on a motorway
	noise         = 20.0 // m, the standard deviation of a fix from its line in a street of houses
	onRoute       = 60.0 // m from the line: three times the noise
	standing      = 15.0 // m: less is the receiver's noise, not a movement
	headingSpeed  = 1.5  // m/s, below which a receiver's bearing is noise
	headingMetres = 25.0 // m, after which two fixes tell a heading
	terminal      = 80.0 // m around a terminal's stop in which a bus waits
	departed      = 60.0 // m behind its first stop at which a bus has left it
	teleportSlack = 300.0
)

// Times after which things are said of a silent or standing bus.
const (
	forgetTrip  = 30 * time.Minute // without a fix
	stuckAfter  = 10 * time.Minute
	sittingGrow = 3 * time.Minute // how far a lost bus may have come
)

// vehicle is one bus.
type vehicle struct {
	id      string
	time    time.Time // of the last fix that was used
	point   orb.Point
	heading network.Heading
	moved   float64 // m since the fix before

	stillSince time.Time // since when it has not moved
	stillAt    orb.Point
	jumps      int // fixes in a row that were too far away

	said    saying // what it said last
	pattern *network.Pattern
	run     *network.Run
	along   float64
	matched time.Time // of the last fix on the line
	off     int       // moved fixes in a row away from the line
	started bool      // it has left the first stop
	ended   bool      // it has reached the last stop
	passed  int       // stops passed; the next is the one with this index
	at      int       // the stop whose departure is still to come, or -1

	inferred   bool
	wrong      saying // a sign-on that its way disproved
	hypotheses []hypothesis
	astray     float64 // log likelihood of being on no pattern
	inferredAt orb.Point
	confidence float64
	last       *network.Run // the run before, whose block may go on
}

// saying is the trip that a bus names.
type saying struct {
	trip, route, date, start string
	direction                nhip.Opt[int]
}

func sayingOf(p *nhip.Position) saying {
	return saying{trip: p.Trip, route: p.Route, date: p.StartDate, start: p.StartTime, direction: p.Direction}
}

// Fix takes in where a bus is. usual is the line or route_id that it says or usually runs, if anybody knows;
// it only tips the scales. A fix that is not newer than the last, or that does not move the bus, changes nothing.
func (t *Tracker) Fix(id string, p *nhip.Position, usual string) State {
	point, ok := p.Point.Get()
	v := t.vehicles[id]
	if !ok || v != nil && !p.Time.After(v.time) {
		if v == nil {
			return State{Time: p.Time, Status: Unknown}
		}
		return v.state(nil)
	}
	if v == nil {
		v = &vehicle{id: id, stillSince: p.Time, stillAt: point, at: -1}
		t.vehicles[id] = v
	} else if p.Time.Sub(v.time) > forgetTrip {
		v.lose(t)
	}
	if v.teleports(p.Time, point) {
		s := v.state(nil)
		s.Flags = append(s.Flags, Teleport)
		return s
	}
	v.move(p, point)
	f := network.From(point)
	passed := t.follow(v, &f, p, usual)
	v.time = p.Time
	return v.state(passed)
}

// teleports reports whether a fix is out of reach. When the bus stays out of reach, it is the fixes
// before that were wrong.
func (v *vehicle) teleports(at time.Time, point orb.Point) bool {
	if v.time.IsZero() {
		return false
	}
	reach := maxSpeed*at.Sub(v.time).Seconds() + teleportSlack
	if geo.DistanceHaversine(v.point, point) <= reach {
		v.jumps = 0
		return false
	}
	v.jumps++
	return v.jumps < 3
}

// move notes how the bus came here.
func (v *vehicle) move(p *nhip.Position, point orb.Point) {
	v.moved = 0
	if !v.time.IsZero() {
		v.moved = geo.DistanceHaversine(v.point, point)
	}
	speed, measured := p.Speed.Get()
	bearing, ok := p.Bearing.Get()
	switch {
	case ok && (!measured || speed >= headingSpeed):
		v.heading = network.HeadingOf(bearing)
	case v.moved >= headingMetres:
		v.heading = network.HeadingOf(geo.Bearing(v.point, point))
	case v.moved > standing/2:
		v.heading = network.Heading{}
	}
	if geo.DistanceHaversine(v.stillAt, point) > 3*standing {
		v.stillAt, v.stillSince = point, p.Time
	}
	v.point = point
}

// follow finds where on its way the bus is, and returns the stops that it passed.
func (t *Tracker) follow(v *vehicle, f *network.Place, p *nhip.Position, usual string) []Passing {
	said := sayingOf(p)
	if run, pattern := t.named(v, said, p.Time); pattern != nil {
		if v.inferred || pattern != v.pattern || run != v.run {
			t.assign(v, pattern, run, f, p.Time)
			v.inferred, v.confidence = false, 1
		}
		v.said = said
		passed := t.advance(v, f, p.Time)
		if v.off >= doubtAfter && v.started {
			t.doubt(v, f, p.Time, usual)
		} else if v.off == 0 {
			v.hypotheses = v.hypotheses[:0]
		}
		return passed
	}
	if v.said != said {
		v.said = said
		if !v.inferred && v.wrong == (saying{}) {
			v.lose(t)
		}
	}
	v.inferred = true
	return t.infer(v, f, p.Time, usual)
}

// named returns the run and pattern that a bus says it runs; without a trip there is neither, and what
// its way has disproved is not believed again.
func (t *Tracker) named(v *vehicle, said saying, now time.Time) (*network.Run, *network.Pattern) {
	if said.trip == "" || said == v.wrong {
		return nil, nil
	}
	v.wrong = saying{}
	trip := t.net.Feed.Trip(said.trip)
	if trip == nil {
		return nil, nil
	}
	pattern := t.net.PatternOf(trip)
	if pattern == nil {
		return nil, nil
	}
	if v.run != nil && v.run.Trip == trip && said == v.said {
		return v.run, pattern
	}
	return t.runOf(trip, said, now), pattern
}

// runOf returns the run of a trip that is meant: on the day that is said, else the one nearest to now.
func (t *Tracker) runOf(trip *gtfs.Trip, said saying, now time.Time) *network.Run {
	var runs []*network.Run
	if date, err := gtfs.ParseDate(said.date); err == nil && t.serves(date, now) {
		runs = t.net.Day(date).RunsOfTrip(trip)
	} else {
		for _, d := range t.net.DaysAt(now) {
			runs = append(runs, d.RunsOfTrip(trip)...)
		}
	}
	start, starts := gtfs.Time(0), false
	if s, err := gtfs.ParseTime(withSeconds(said.start)); err == nil {
		start, starts = s, true
	}
	var best *network.Run
	off := math.Inf(1)
	for _, r := range runs {
		d := math.Abs(float64(now.Unix() - (r.Departs(0)+r.Arrives(r.Pattern.Last()))/2))
		if starts && r.Start == start {
			return r
		}
		if d < off {
			best, off = r, d
		}
	}
	return best
}

// serves reports whether a service day may have runs under way at a time. What a box says of any other day is
// not believed: each day that is asked for costs memory.
func (t *Tracker) serves(date gtfs.Date, now time.Time) bool {
	today := gtfs.DateOf(now.In(t.net.Location()))
	return today.Add(-2) <= date && date <= today.Add(1)
}

func withSeconds(s string) string {
	if len(s) == 5 || len(s) == 4 {
		return s + ":00"
	}
	return s
}

// lose forgets what the bus ran.
func (v *vehicle) lose(t *Tracker) {
	v.release(t)
	v.pattern, v.run, v.along, v.off, v.at = nil, nil, 0, 0, -1
	v.started, v.ended, v.confidence, v.last = false, false, 0, nil
	v.hypotheses = v.hypotheses[:0]
}

// release gives a run free.
func (v *vehicle) release(t *Tracker) {
	if v.run != nil && t.held[v.run] == v {
		delete(t.held, v.run)
	}
}

// hold takes a run.
func (v *vehicle) hold(t *Tracker, r *network.Run) {
	if v.run == r {
		return
	}
	v.release(t)
	v.run = r
	if r == nil {
		return
	}
	if other := t.held[r]; other != nil && other.inferred {
		other.run = nil // it finds another, or none
	}
	t.held[r] = v
}

// state is what is known now.
func (v *vehicle) state(passed []Passing) State {
	s := State{
		Time: v.time, Status: Unknown, Pattern: v.pattern, Run: v.run, Along: v.along, Next: v.passed,
		Confidence: v.confidence, Inferred: v.inferred, Passed: passed,
	}
	if v.run != nil && v.started {
		s.Deviation = float64(v.time.UnixMilli())/1000 - v.run.Scheduled(v.along)
	}
	switch {
	case v.pattern == nil:
		s.Next = 0
	case !v.started || v.ended:
		s.Status = Layover
	case v.off >= detourAfter:
		s.Status = OffRoute
	default:
		s.Status = InService
	}
	if v.wrong != (saying{}) {
		s.Flags = append(s.Flags, WrongSignOn)
	}
	if s.Status == InService && v.time.Sub(v.stillSince) >= stuckAfter {
		s.Flags = append(s.Flags, Stuck)
	}
	return s
}
