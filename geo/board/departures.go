package board

import (
	"slices"
	"time"

	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/predict"
)

// endKeptFor is how long the end of a trip tells when its bus can start the next one.
const endKeptFor = time.Hour

// departures are how late the buses of each line depart, how far the times without a bus are off, and when trips ended.
type departures struct {
	lines    map[*gtfs.Route]*predict.Starts // of all buses that did not end their trip before too late for this one
	vehicles map[string]passage
	ended    map[tripKey]time.Time
	errors   planErrors
	observed int
}

// passage is the last stop of a vehicle.
type passage struct {
	instance *network.TripInstance
	stop     int
	time     time.Time
	late     bool // the vehicle came from a trip that ended after the departure of this one
}

func newDepartures() *departures {
	return &departures{
		lines: make(map[*gtfs.Route]*predict.Starts), vehicles: make(map[string]passage),
		ended: make(map[tripKey]time.Time),
	}
}

// observe learns from an arrival before the predictor does.
func (d *departures) observe(f *Fleet, a *predict.Arrival) {
	at := a.Arrived
	if at.IsZero() {
		at = a.Departed
	}
	before := d.vehicles[a.Vehicle]
	same := a.Instance != nil && before.instance != nil && keyOf(before.instance) == keyOf(a.Instance)
	if at.IsZero() || same && before.stop >= a.Stop {
		return // a departure, or what another collector reported before
	}
	now := passage{instance: a.Instance, stop: a.Stop, time: at, late: before.late}
	if a.Instance != nil && !same {
		now.late = before.time.Unix() > a.Instance.Departs(0)
	}
	d.vehicles[a.Vehicle] = now
	d.observed++
	if a.Instance == nil || a.Instance.HeadwayBased || a.Arrived.IsZero() {
		return
	}
	last := a.Pattern.Last()
	if a.Stop == 1 && !now.late {
		d.add(a.Pattern.Route, at.Sub(time.Unix(a.Instance.Arrives(1), 0)).Seconds())
	}
	if a.Stop == 1 || a.Stop == last/2 || a.Stop == last {
		d.errors.add(unix(at) - f.plan(a.Instance)[a.Stop])
	}
	if a.Stop == last {
		d.ended[keyOf(a.Instance)] = at
	}
}

func (d *departures) add(line *gtfs.Route, late float64) {
	if d.lines[line] == nil {
		d.lines[line] = &predict.Starts{}
	}
	d.lines[line].Add(late)
}

// early returns by how much buses of a line reach their second stop before the timetable, in s: at most 0. Whether they
// are late depends on the bus, and a rider who is told a late time misses one that is not.
func (d *departures) early(line *gtfs.Route) float64 {
	if l := d.lines[line]; l != nil {
		return l.Early()
	}
	return 0
}

func (d *departures) sweep(now time.Time) {
	for key, at := range d.ended {
		if now.Sub(at) > endKeptFor {
			delete(d.ended, key)
		}
	}
	for id, p := range d.vehicles {
		if now.Sub(p.time) > forgetAfter {
			delete(d.vehicles, id)
		}
	}
}

// Size and use of the errors of times without a bus.
const (
	keptErrors = 600
	minErrors  = 40 // fewer tell no range
	// a few that are seen are more alike than those that are not
	lowQuantile, highQuantile = 0.08, 0.92
)

// planErrors are the latest errors of times without a bus (actual minus planned), in s.
type planErrors struct {
	values    []float64
	next      int
	fresh     int // added since the quantiles were computed
	low, high float64
}

func (e *planErrors) add(x float64) {
	if len(e.values) < keptErrors {
		e.values = append(e.values, x)
	} else {
		e.values[e.next] = x
		e.next = (e.next + 1) % keptErrors
	}
	if e.fresh++; e.fresh < 1+len(e.values)/16 {
		return
	}
	e.fresh = 0
	sorted := slices.Sorted(slices.Values(e.values))
	at := func(q float64) float64 { return sorted[int(q*float64(len(sorted)-1))] }
	e.low, e.high = at(lowQuantile), at(highQuantile)
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func timeOf(s float64) time.Time { return time.UnixMilli(int64(s * 1000)).UTC() }
