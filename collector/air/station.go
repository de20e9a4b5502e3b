package air

import (
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/qc"
	"nhip/internal/fleet"

	"github.com/paulmach/orb"
)

// station is one monitor: what the fleet says of it, what it said lately, and which of its hours are to be judged
// or summed up.
type station struct {
	id string
	of fleet.Station // zero where the fleet does not know it

	class       qc.Class
	home        nhip.Opt[orb.Point] // as the fleet says
	at          nhip.Opt[orb.Point] // as it says itself
	zone        *time.Location
	corrections map[nhip.Quantity]*qc.Correction
	reviews     []nhip.Review // as they were decided

	window
	loaded bool  // the window holds all that the database knows of its time
	from   int64 // ms: values from here on are to be judged; math.MaxInt64: none is

	dirty   spans // hours to be judged and summed up
	sending spans // hours whose rows are on their way
	days    spans // hours whose days are to be summed up
	months  spans // hours whose months are
	first   int64 // the earliest hour of which it said anything; 0: it said nothing
	last    int64 // the latest
	retell  bool  // hours that the city knows were made again
	fresh   bool  // there are values of which nothing has been told

	hours map[nhip.Quantity]map[int64]nhip.Stats // of the window, at the best quality
	near  map[nearHour]nhip.Flag                 // what the neighbourhood makes of hours, where that is not stored yet
}

// nearHour is one hour of one quantity.
type nearHour struct {
	quantity nhip.Quantity
	hour     int64
}

// window is what a station said over some time.
type window struct {
	series []qc.Series
	said   [][]said // of each sample, what the database knows of its verdict
}

// said is a verdict as it was written.
type said struct {
	verdict   qc.Verdict
	corrected float64
	rule      string
	known     bool
}

func newStation(id string, zone *time.Location) *station {
	return &station{
		id: id, zone: zone, from: math.MaxInt64, hours: make(map[nhip.Quantity]map[int64]nhip.Stats), near: make(map[nearHour]nhip.Flag),
	}
}

// describe takes in what the fleet says, and returns the first moment whose values it changes: math.MaxInt64 where
// there is none, math.MinInt64 where it is all of them.
func (s *station) describe(f fleet.Station, zone *time.Location) int64 {
	was, wasClass := s.corrections, s.class
	s.of, s.class, s.home, s.zone = f, qc.LowCost, nhip.Opt[orb.Point]{}, zone
	if f.Kind == fleet.Reference {
		s.class = qc.Reference
	}
	if len(f.At) == 2 {
		s.home = nhip.Some(orb.Point{f.At[0], f.At[1]})
	}
	if own, err := time.LoadLocation(f.Zone); f.Zone != "" && err == nil {
		s.zone = own
	}
	s.corrections = make(map[nhip.Quantity]*qc.Correction)
	for _, q := range f.Quantities {
		c := &qc.Correction{EPA: q.Correction == qc.EPA2021}
		for _, line := range q.Calibration {
			c.Lines = append(c.Lines, qc.Line{From: line.From, Slope: line.Slope, Offset: line.Offset})
		}
		s.corrections[q.Name] = c
	}
	if s.class != wasClass {
		return math.MinInt64
	}
	return changedFrom(was, s.corrections)
}

// changedFrom returns from when on two sets of corrections differ.
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
		if x.EPA != y.EPA {
			from = math.MinInt64
		}
		i := 0
		for i < len(x.Lines) && i < len(y.Lines) && x.Lines[i] == y.Lines[i] {
			i++
		}
		for _, rest := range [][]qc.Line{x.Lines[i:], y.Lines[i:]} {
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

// put adds a value to the window, or takes the place of the one of the same moment.
func (w *window) put(r *nhip.Reading, verdict nhip.Verdict) {
	i := slices.IndexFunc(w.series, func(s qc.Series) bool { return s.Quantity == r.Quantity && s.Period == r.Period })
	if i < 0 {
		i = len(w.series)
		w.series = append(w.series, qc.Series{Quantity: r.Quantity, Period: r.Period})
		w.said = append(w.said, nil)
	}
	x := qc.Sample{At: r.Time.UnixMilli(), Value: r.Value, Device: r.Flag}
	if pt, ok := r.Point.Get(); ok {
		x.Point = &pt
	}
	if both, ok := r.Channels.Get(); ok {
		x.Channels = &both
	}
	was := said{}
	if verdict.Flag != 0 {
		was = said{qc.ParseTests(verdict.Flag, verdict.Tests), verdict.Corrected.Or(r.Value), verdict.Rule, true}
	}
	samples := w.series[i].Samples
	j, found := slices.BinarySearchFunc(samples, x.At, func(s qc.Sample, at int64) int {
		switch {
		case s.At < at:
			return -1
		case s.At > at:
			return 1
		}
		return 0
	})
	if found {
		samples[j] = x
		w.said[i][j] = was
		return
	}
	w.series[i].Samples = slices.Insert(samples, j, x)
	w.said[i] = slices.Insert(w.said[i], j, was)
}

// forgetBefore drops what is older than memory.
func (s *station) forgetBefore(h int64) {
	s.forget(startOf(h))
	for n := range s.near {
		if n.hour < h && len(s.dirty.within(n.hour, n.hour+1)) == 0 {
			delete(s.near, n)
		}
	}
}

// forget drops what ends at a time, in ms, or before.
func (w *window) forget(until int64) {
	for i := range w.series {
		samples := w.series[i].Samples
		n := 0
		for n < len(samples) && samples[n].At <= until {
			n++
		}
		if n > 0 && n*4 >= len(samples) { // not for each sample
			w.series[i].Samples = slices.Clone(samples[n:])
			w.said[i] = slices.Clone(w.said[i][n:])
		}
	}
}

// take marks a value as one to be judged, and those to which it may be news.
func (s *station) take(at, recent int64) {
	if at > recent {
		s.from = min(s.from, at)
	} else if at > recent-chunkMargin*hourMS {
		s.from = min(s.from, recent)
	}
	h := hourOf(at)
	s.dirty = s.dirty.add(h, h+1)
	s.fresh = true
	s.spoke(h)
}

// spoke notes that the station said something of an hour.
func (s *station) spoke(h int64) {
	if s.first == 0 || h < s.first {
		s.first = h
	}
	s.last = max(s.last, h)
}

// place returns where the station stands: as the fleet says, or as it says itself.
func (s *station) place() (orb.Point, bool) {
	if at, ok := s.home.Get(); ok {
		return at, true
	}
	return s.at.Get()
}
