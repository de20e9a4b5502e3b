package qc

import (
	"math"
	"sort"
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Sample is one value of a series.
type Sample struct {
	At       int64 // END of its period, ms since 1970
	Value    float64
	Device   nhip.Flag   // what the device says of it; 0 or NotEvaluated where it says nothing
	Point    *orb.Point  // where it was taken, when the device says so
	Channels *[2]float64 // the values of both sensors, of a monitor that has two
}

// Series is what one station says of one quantity, each value the mean of one length of time. Samples rise in At.
type Series struct {
	Quantity nhip.Quantity
	Period   time.Duration
	Samples  []Sample
}

// farApart is how many periods two values may lie apart and still be neighbours in time.
const farApart = 3

// humidityFor is how old a humidity may be that still tells of a particle's surroundings.
const humidityFor = time.Hour

// Station checks the values of one station from a moment on, in ms since 1970, each against what stands before
// it and behind it; and of those before, the ones to which it is news. It calls found for each, series by series
// in the order of time. What is told of the station must reach back as far as the longest flat line that counts.
// Home is where the station stands, if that is known. Neighbours is left to Neighbourhood, which sees more than
// one station.
func (r *Rules) Station(class Class, home nhip.Opt[orb.Point], all []Series, from int64, found func(series, sample int, v Verdict)) {
	s := station{rules: r, class: class, home: home, all: all}
	for i := range all {
		for j := all[i].firstBefore(from); j < len(all[i].Samples); j++ {
			found(i, j, s.judge(i, j))
		}
	}
}

// firstBefore returns the first sample that one at a time is news to: a spike is known by what comes after it.
func (s *Series) firstBefore(at int64) int {
	since := func(t int64) int {
		return sort.Search(len(s.Samples), func(j int) bool { return s.Samples[j].At >= t })
	}
	return min(since(at-around.Milliseconds()), max(since(at)-1, 0))
}

type station struct {
	rules *Rules
	class Class
	home  nhip.Opt[orb.Point]
	all   []Series
}

func (s *station) judge(i, j int) Verdict {
	series := &s.all[i]
	x := &series.Samples[j]
	limits := s.rules.limits[series.Quantity]
	v := Verdict{Flag: nhip.Good}
	v.Note(DeviceStatus, x.Device)
	if limits == nil {
		return v
	}
	of := &limits[s.class]
	v.Note(GrossRange, of[GrossRange].outside(x.Value))
	v.Note(Negative, of[Negative].below(x.Value))
	if x.Value == 0 {
		v.Note(Zero, of[Zero].below(math.Inf(-1)))
	}
	v.Note(Spike, of[Spike].spike(series, j))
	v.Note(RateOfChange, of[RateOfChange].rate(series, j))
	v.Note(FlatLine, of[FlatLine].flat(series, j))
	v.Note(FrozenFeed, s.frozen(&of[FrozenFeed], i, j))
	v.Note(Humidity, s.humid(&of[Humidity], x.At))
	v.Note(ParticleOrder, s.order(series, x))
	v.Note(Channels, of[Channels].channels(x))
	v.Note(Location, s.moved(&of[Location], series, j))
	return v
}

func (l *Limits) outside(v float64) nhip.Flag {
	switch {
	case v < l.Low || v > l.High:
		return nhip.Fail
	case v < l.SuspectLow || v > l.SuspectHigh:
		return nhip.Suspect
	}
	return nhip.Good
}

func (l *Limits) below(v float64) nhip.Flag {
	switch {
	case v < l.Fail:
		return nhip.Fail
	case v < l.Suspect:
		return nhip.Suspect
	}
	return nhip.Good
}

// adjacent reports whether the sample after j follows it closely.
func (s *Series) adjacent(j int) bool {
	return j >= 0 && j+1 < len(s.Samples) && s.Samples[j+1].At-s.Samples[j].At <= farApart*s.Period.Milliseconds()
}

// around is how far the values lie that a spike is held against, and either side of it must have so many.
const (
	around     = 30 * time.Minute
	eitherSide = 2
)

// spike holds a value against both its neighbours: it must stand out from either, to the same side. So it does
// not flag the neighbours of a spike, as QARTOD's own measure does (SpikeOverMean). Spikes that come in bursts
// have spikes as neighbours; they are told by standing out from most of what is around. A real event becomes
// what is around within half an hour.
func (l *Limits) spike(s *Series, j int) nhip.Flag {
	return max(l.alone(s, j), l.amongOthers(s, j))
}

func (l *Limits) alone(s *Series, j int) nhip.Flag {
	if !s.adjacent(j-1) || !s.adjacent(j) {
		return nhip.Good
	}
	before, v, after := s.Samples[j-1].Value, s.Samples[j].Value, s.Samples[j+1].Value
	up, down := v-before, v-after
	if up*down <= 0 {
		return nhip.Good
	}
	f := l.beyond(min(math.Abs(up), math.Abs(down)), (before+after)/2)
	if s.Period >= time.Hour {
		return min(f, nhip.Suspect) // the mean of an hour is no glitch, and may be a festival's
	}
	return f
}

func (l *Limits) amongOthers(s *Series, j int) nhip.Flag {
	x, n, suspect, fail := &s.Samples[j], [2]int{}, 0, 0
	look := func(side, k int) bool {
		o := &s.Samples[k]
		if abs(o.At-x.At) > around.Milliseconds() {
			return false
		}
		n[side]++
		switch l.beyond(math.Abs(x.Value-o.Value), o.Value) {
		case nhip.Fail:
			fail++
			suspect++
		case nhip.Suspect:
			suspect++
		}
		return true
	}
	for k := j - 1; k >= 0 && look(0, k); k-- {
	}
	for k := j + 1; k < len(s.Samples) && look(1, k); k++ {
	}
	switch most := (n[0] + n[1]) / 2; {
	case n[0] < eitherSide || n[1] < eitherSide:
		return nhip.Good
	case fail > most:
		return nhip.Fail
	case suspect > most:
		return nhip.Suspect
	}
	return nhip.Good
}

func abs(n int64) int64 { return max(n, -n) }

// SpikeOverMean is QARTOD's spike test (ioos_qc, method "average"): a value's distance from the mean of its
// neighbours. The first and the last value are not evaluated.
func SpikeOverMean(values []float64, suspect, fail float64) []nhip.Flag {
	out := make([]nhip.Flag, len(values))
	l := Limits{Suspect: suspect, Fail: fail}
	for i := range values {
		if i == 0 || i == len(values)-1 {
			out[i] = nhip.NotEvaluated
			continue
		}
		out[i] = l.beyond(math.Abs(values[i]-(values[i-1]+values[i+1])/2), 0)
	}
	return out
}

func (l *Limits) rate(s *Series, j int) nhip.Flag {
	if !s.adjacent(j - 1) {
		return nhip.Good
	}
	before, x := &s.Samples[j-1], &s.Samples[j]
	minutes := time.Duration(x.At-before.At) * time.Millisecond / time.Minute
	return l.beyond(math.Abs(x.Value-before.Value)/float64(max(minutes, 1)), 0)
}

// flat flags a value at the end of a stretch that stays within the tolerance. A mean of an hour that is the same
// as the one before stands for two hours of the same air.
func (l *Limits) flat(s *Series, j int) nhip.Flag {
	if math.IsNaN(l.Suspect) && math.IsNaN(l.Fail) {
		return nhip.Good
	}
	return l.beyond(hours(s.Samples[j].At-s.flatSince(j, l.Tolerance))+s.Period.Hours(), 0)
}

// flatSince returns when the stretch began that ends with sample j.
func (s *Series) flatSince(j int, tolerance float64) int64 {
	low, high := s.Samples[j].Value, s.Samples[j].Value
	for ; j > 0; j-- {
		v := s.Samples[j-1].Value
		if low, high = min(low, v), max(high, v); high-low > tolerance {
			break
		}
	}
	return s.Samples[j].At
}

func hours(ms int64) float64 { return float64(ms) / 3.6e6 }

// frozen flags a report in which everything that the station measures is as it was. One quantity alone is a
// flat line.
func (s *station) frozen(l *Limits, i, j int) nhip.Flag {
	at := s.all[i].Samples[j].At
	since, n := s.all[i].flatSince(j, 0), 1
	if l.beyond(hours(at-since), 0) == nhip.Good {
		return nhip.Good
	}
	for k := range s.all {
		if k == i {
			continue
		}
		last := s.all[k].upTo(at)
		if last < 0 || at-s.all[k].Samples[last].At > farApart*s.all[k].Period.Milliseconds() {
			continue
		}
		since = max(since, s.all[k].flatSince(last, 0))
		n++
	}
	if n == 1 {
		return nhip.Good
	}
	return l.beyond(hours(at-since), 0)
}

// upTo returns the place of the last sample that is not after a time, -1 where there is none.
func (s *Series) upTo(at int64) int {
	return sort.Search(len(s.Samples), func(j int) bool { return s.Samples[j].At > at }) - 1
}

// humid flags a value by how wet the air in the box was. A hygrometer that is stuck says nothing.
func (s *station) humid(l *Limits, at int64) nhip.Flag {
	if math.IsNaN(l.Suspect) && math.IsNaN(l.Fail) {
		return nhip.Good
	}
	for k := range s.all {
		h := &s.all[k]
		if h.Quantity != nhip.Humidity {
			continue
		}
		j := h.upTo(at)
		if j < 0 || at-h.Samples[j].At > humidityFor.Milliseconds() {
			continue
		}
		if s.rules.At(nhip.Humidity, s.class, FlatLine).flat(h, j) == nhip.Fail {
			continue
		}
		return l.beyond(h.Samples[j].Value, 0)
	}
	return nhip.Good
}

// order flags PM2.5 and PM10 of one moment when the part is more than the whole.
func (s *station) order(of *Series, x *Sample) nhip.Flag {
	other := nhip.PM10
	switch of.Quantity {
	case nhip.PM25:
	case nhip.PM10:
		other = nhip.PM25
	default:
		return nhip.Good
	}
	for k := range s.all {
		o := &s.all[k]
		if o.Quantity != other || o.Period != of.Period {
			continue
		}
		j := o.upTo(x.At)
		if j < 0 || o.Samples[j].At != x.At {
			return nhip.Good
		}
		fine, coarse := x.Value, o.Samples[j].Value
		if other == nhip.PM25 {
			fine, coarse = coarse, fine
		}
		return s.rules.At(nhip.PM25, s.class, ParticleOrder).beyond(fine-coarse, coarse)
	}
	return nhip.Good
}

// channels flags a value whose two sensors differ by more than the limit and by more than this part of their mean.
func (l *Limits) channels(x *Sample) nhip.Flag {
	if x.Channels == nil {
		return nhip.Good
	}
	return l.disagree(x.Channels[0], x.Channels[1])
}

func (l *Limits) disagree(a, b float64) nhip.Flag {
	apart := math.Abs(a - b)
	if apart < l.Relative*(a+b)/2 {
		return nhip.Good
	}
	alone := Limits{Suspect: l.Suspect, Fail: l.Fail}
	return alone.beyond(apart, 0)
}

// moved flags a value that was taken elsewhere than where the monitor stands or, where nobody knows that, than the
// value before it.
func (s *station) moved(l *Limits, series *Series, j int) nhip.Flag {
	here := series.Samples[j].Point
	if here == nil {
		return nhip.Good
	}
	home, known := s.home.Get()
	if !known {
		if j == 0 || series.Samples[j-1].Point == nil {
			return nhip.Good
		}
		home = *series.Samples[j-1].Point
	}
	return l.beyond(geo.DistanceHaversine(home, *here), 0)
}
