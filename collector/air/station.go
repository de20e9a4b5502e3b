package air

import (
	"maps"
	"math"
	"time"

	"nhip"
	"nhip/geo/fault"
	"nhip/geo/qc"
	"nhip/internal/fleet"
	"nhip/internal/influx"

	"github.com/paulmach/orb"
	orbgeo "github.com/paulmach/orb/geo"
)

// station is the state of one station: its configuration, its recent readings, and the hours, days and months that
// are still to be processed.
//
// Processor.mu protects it, except for the window, which belongs to Processor.processRecent alone.
type station struct {
	setup
	fleet            fleet.Station       // as the fleet has it; zero for a station that is not in the fleet
	web              calibrations        // what staff have set over the web; replaced, never changed
	reportedPosition nhip.Opt[orb.Point] // from its readings

	inbox   []nhip.Reading // not in the window yet
	heard   int64          // when the last reading arrived, in ms since 1970; 0: unknown
	window                 // recent readings
	stored  *window        // readings from the database, to be added to the window
	loading bool           // the database was asked for the readings of the window
	loaded  bool           // the window holds all readings of its time that are in the database

	assessFrom int64 // ms since 1970: readings from here on are to be assessed; math.MaxInt64: none

	dirty       spans // hours to be assessed and summed up
	working     spans // hours that processRecent is at
	refilling   spans // hours that backfill is at
	sending     spans // hours with rows in the write buffer
	inFlight    spans // hours with rows that flush is writing
	days        spans // hours whose days are to be summed up
	months      spans // hours whose months are to be summed up
	summing     dueHours
	first       int64 // hour of the earliest reading; 0: no readings
	last        int64 // hour of the latest reading
	republish   bool  // hours that were published have been recomputed
	unpublished bool  // there are new readings that are not published yet

	hourly         map[nhip.Quantity]map[int64]nhip.RollupStats // hours of the window, at the best quality
	networkResults map[quantityHour]qc.Result                   // of the comparison: of recent hours, and not stored yet
	compared       spans                                        // hours that are dirty because of the comparison only
	moved          int64                                        // first hour at its place in the fleet; 0: always there
	faults         []nhip.MonitorFault                          // of the last weeks
	unvouched      []nhip.Quantity                              // see nhip.Station
}

// setup is how the readings of a station are assessed. Its values are replaced, never changed, so that a copy may be
// used without a lock.
type setup struct {
	id            string
	config        fleet.Station // in force: that of the fleet with the calibrations over the web; zero if there is neither
	class         qc.Class
	fleetPosition nhip.Opt[orb.Point] // from the fleet
	zone          *time.Location
	corrections   map[nhip.Quantity]*qc.Correction
	reviews       []nhip.Review // sorted by the time of the decision
}

// calibrations are what staff have set of a station over the web.
type calibrations map[nhip.Quantity]nhip.CalibrationChange

// dueHours are the hours whose days and months sumPeriods is at.
type dueHours struct{ days, months spans }

// view is what an assessment needs of a station besides its readings.
type view struct {
	setup
	networkResults map[quantityHour]qc.Result
}

// view returns a copy of what an assessment needs. Processor.mu must be held.
func (s *station) view() view { return view{s.setup, maps.Clone(s.networkResults)} }

// network returns the result of the last comparison of an hour with other monitors; the zero Result if there is none.
func (v *view) network(n quantityHour) qc.Result { return v.networkResults[n] }

func newStation(id string, zone *time.Location) *station {
	return &station{
		setup: setup{id: id, zone: zone}, assessFrom: math.MaxInt64,
		hourly:         make(map[nhip.Quantity]map[int64]nhip.RollupStats),
		networkResults: make(map[quantityHour]qc.Result),
	}
}

// open returns the hours that are not both processed and stored.
func (s *station) open() spans {
	return s.dirty.addAll(s.working).addAll(s.refilling).addAll(s.sending).addAll(s.inFlight)
}

// configure applies the configuration from the fleet with the calibrations over the web that are in force. It returns
// the time in ms since 1970 from which the assessment of readings changes: math.MaxInt64 for no change, math.MinInt64
// for all readings.
func (s *station) configure(zone *time.Location) int64 {
	f := s.fleet.WithCalibrations(s.web)
	oldCorrections, oldClass := s.corrections, s.class
	s.config, s.class, s.fleetPosition, s.zone = f, qc.ClassLowCost, nhip.Opt[orb.Point]{}, zone
	if f.Mobile && len(s.faults)+len(s.unvouched) > 0 { // it is not compared any more
		s.faults, s.unvouched, s.republish = nil, nil, true
	}
	if f.Kind == fleet.Reference {
		s.class = qc.ClassReference
	}
	if len(f.At) == 2 {
		s.fleetPosition = nhip.Some(orb.Point{f.At[0], f.At[1]})
	}
	if own, err := time.LoadLocation(f.Zone); f.Zone != "" && err == nil {
		s.zone = own
	}
	s.corrections = make(map[nhip.Quantity]*qc.Correction)
	for _, q := range f.Quantities {
		c := &qc.Correction{EPA2021: q.Correction == qc.EPA2021}
		for _, line := range q.Calibration {
			c.Calibrations = append(c.Calibrations, qc.LinearCorrection{
				From: line.From.UTC(), Slope: line.Slope, Offset: line.Offset, // in UTC, to be compared
			})
		}
		s.corrections[q.Name] = c
	}
	if s.class != oldClass {
		return math.MinInt64
	}
	return changedFrom(oldCorrections, s.corrections)
}

// movedMetres is the distance from which on a station of the fleet is at another place, with other sources around it.
const movedMetres = 100

// movedFrom reports whether the fleet file has another place for a station than before.
func (s *station) movedFrom(before nhip.Opt[orb.Point]) bool {
	from, known := before.Get()
	to, now := s.fleetPosition.Get()
	return known && now && orbgeo.Distance(from, to) > movedMetres
}

// changedFrom returns the time in ms since 1970 from which two sets of corrections differ.
func changedFrom(a, b map[nhip.Quantity]*qc.Correction) int64 {
	from := int64(math.MaxInt64)
	of := func(m map[nhip.Quantity]*qc.Correction, q nhip.Quantity) qc.Correction {
		if c := m[q]; c != nil {
			return *c
		}
		return qc.Correction{}
	}
	compare := func(q nhip.Quantity) {
		x, y := of(a, q), of(b, q)
		if x.EPA2021 != y.EPA2021 {
			from = math.MinInt64
		}
		i := 0
		for i < len(x.Calibrations) && i < len(y.Calibrations) && x.Calibrations[i] == y.Calibrations[i] {
			i++
		}
		for _, rest := range [][]qc.LinearCorrection{x.Calibrations[i:], y.Calibrations[i:]} {
			if len(rest) > 0 {
				from = min(from, rest[0].From.UnixMilli())
			}
		}
	}
	for q := range a {
		compare(q)
	}
	for q := range b {
		compare(q)
	}
	return from
}

// trim drops results of comparisons from before an hour that are stored.
func (s *station) trim(h int64) {
	for n := range s.networkResults {
		if n.hour < h && len(s.open().within(n.hour, n.hour+1)) == 0 {
			delete(s.networkResults, n)
		}
	}
}

// markUnassessed marks a reading to be assessed, and the readings after it whose assessment may depend on it. Both
// times are in ms since 1970. Its hour must be added to s.dirty.
func (s *station) markUnassessed(at, recent int64) {
	if at > recent {
		s.assessFrom = min(s.assessFrom, at)
	} else if at > recent-chunkMargin*hourMS {
		s.assessFrom = min(s.assessFrom, recent)
	}
	s.unpublished = true
	s.extendRange(hourOf(at))
}

// extendRange extends the range of hours with readings.
func (s *station) extendRange(h int64) {
	if s.first == 0 || h < s.first {
		s.first = h
	}
	s.last = max(s.last, h)
}

// position returns the position of the station: from the fleet if known, else from its readings.
func (s *station) position() (orb.Point, bool) {
	if at, ok := s.fleetPosition.Get(); ok {
		return at, true
	}
	return s.reportedPosition.Get()
}

// setHourly stores the statistics of a recent hour. The best quality must come last.
func (s *station) setHourly(q nhip.Quantity, h int64, stats nhip.RollupStats) {
	if h < s.last-liveHours {
		return
	}
	if s.hourly[q] == nil {
		s.hourly[q] = make(map[int64]nhip.RollupStats)
	}
	s.hourly[q][h] = stats
	for old := range s.hourly[q] {
		if old <= s.last-liveHours {
			delete(s.hourly[q], old)
		}
	}
}

// retractAssessments forgets assessments that were published but not written, so that they are made again.
func (w *window) retractAssessments() {
	for i := range w.assessments {
		clear(w.assessments[i])
	}
}

// networkHour returns what the comparison with other monitors needs of an hour: of the corrected values of a series
// that may be compared. result is that of the comparison.
func (w *window) networkHour(i int, samples [2]int, expected float64, result qc.Result) influx.NetworkHour {
	values := make([]float64, 0, samples[1]-samples[0])
	for j := samples[0]; j < samples[1]; j++ {
		if a := &w.assessments[i][j]; a.result.Comparable() {
			values = append(values, a.corrected)
		}
	}
	h := fault.NewHour(values, expected)
	out := influx.NetworkHour{Tests: result.Tests()}
	if !math.IsNaN(h.Value) {
		out.Typical = nhip.Some(h.Value)
	}
	if !math.IsNaN(h.Roughness) {
		out.Roughness = nhip.Some(h.Roughness)
	}
	return out
}

// networkResult returns the result that the tests of a NetworkHour stand for.
func networkResult(tests string) (r qc.Result) {
	if tests == "" {
		return r
	}
	r.Merge(qc.ParseTests(nhip.FlagGood, tests).Network())
	return r
}

// merge adds readings from the database. Readings that arrived in the meantime replace them.
func (w *window) merge(stored *window) {
	fresh := *w
	*w = *stored
	for i := range fresh.series {
		for _, x := range fresh.series[i].Samples {
			w.putSample(fresh.series[i].Quantity, fresh.series[i].Period, x, writtenAssessment{})
		}
	}
	w.dropped += fresh.dropped
	w.settle()
}

// unassessed returns the time of the earliest reading without an assessment in the database after a time, both in ms
// since 1970, and the hours of all of them. The time is math.MaxInt64 if there are none.
func (w *window) unassessed(after int64) (from int64, hours spans) {
	from = math.MaxInt64
	for i := range w.series {
		for j, x := range w.series[i].Samples {
			if w.assessments[i][j].known {
				continue
			}
			h := hourOf(x.At)
			if n := len(hours); n == 0 || h < hours[n-1].From || h >= hours[n-1].To {
				hours = hours.add(h, h+1)
			}
			if x.At > after {
				from = min(from, x.At)
			} else if x.At > after-chunkMargin*hourMS {
				from = min(from, after)
			}
		}
	}
	return from, hours
}
