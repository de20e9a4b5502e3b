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
	At       int64 // END of its period, Unix ms
	Value    float64
	Device   nhip.Flag   // flag that the device reported; 0 or NotEvaluated if it reported none
	Point    *orb.Point  // position of the measurement, if the device reports one
	Channels *[2]float64 // values of both sensors, if the monitor has two
}

// Series holds values of one quantity at one station. Each value is the mean over Period. Samples are sorted by At.
type Series struct {
	Quantity nhip.Quantity
	Period   time.Duration
	Samples  []Sample
}

// maxGapPeriods is how many periods two consecutive values may lie apart and still be compared.
const maxGapPeriods = 3

// humidityMaxAge is how old a humidity reading may be when it is used to check particles.
const humidityMaxAge = time.Hour

// EvaluateStation checks the values of one station from a time on (Unix ms), each in the context of the values
// before and after it. It also re-checks the earlier values that the new ones may affect. emit is called for each
// value, series by series in the order of time. The series must reach back as far as the longest flat line that
// counts. home is the location of the station, if known. The neighbour check is not made here, because it needs
// several stations: see CompareNeighbours.
func (r *Rules) EvaluateStation(class Class, home nhip.Opt[orb.Point], all []Series, from int64,
	emit func(series, sample int, r Result),
) {
	flat := takeStretches(len(all))
	defer unusedStretches.Put(flat)
	s := station{rules: r, class: class, home: home, all: all, flat: *flat}
	for i := range all {
		s.flat[i].reset(r.Params(all[i].Quantity, class, CheckFlatLine).Tolerance)
	}
	for i := range all {
		for j := all[i].firstAffected(from, r.Params(all[i].Quantity, class, CheckFlatLine)); j < len(all[i].Samples); j++ {
			emit(i, j, s.evaluate(i, j))
		}
	}
}

// firstAffected returns the index of the first sample whose result a new sample at a time may change: a spike is
// only recognised by the values after it, and so is a flat line that becomes long enough.
func (s *Series) firstAffected(at int64, flat *Params) int {
	since := func(t int64) int {
		return sort.Search(len(s.Samples), func(j int) bool { return s.Samples[j].At >= t })
	}
	first := since(at)
	affected := min(since(at-spikeWindow.Milliseconds()), max(first-1, 0))
	if from, ok := s.flatLineBefore(first, flat); ok {
		affected = min(affected, from)
	}
	return affected
}

// flatLineBefore returns the begin of the flat line that contains the samples on both sides of the border before sample
// first, or that ends there, if its flag may have changed with the samples from first on. Where these are all newer
// than the rest that is so only if the flag was another one before.
func (s *Series) flatLineBefore(first int, l *Params) (from int, ok bool) {
	if first == 0 || first == len(s.Samples) || math.IsNaN(l.Suspect) && math.IsNaN(l.Fail) {
		return 0, false
	}
	if l.Tolerance > 0 {
		return sort.Search(first, func(j int) bool {
			return s.Samples[j].At >= s.Samples[first].At-int64(maxFlatHours)*int64(time.Hour/time.Millisecond)
		}), true
	}
	from, _ = s.equalRun(first - 1)
	if _, to := s.equalRun(first); to == len(s.Samples) && to-first <= 2 {
		return from, l.flatLine(s, from, first-1) != l.flatLine(s, from, to-1)
	}
	return from, first-from > 1
}

type station struct {
	rules *Rules
	class Class
	home  nhip.Opt[orb.Point]
	all   []Series
	flat  []flatStretches // by series
}

// evaluate runs all checks of sample j of series i.
func (s *station) evaluate(i, j int) Result {
	series := &s.all[i]
	x := &series.Samples[j]
	limits := s.rules.params[series.Quantity]
	r := Result{Flag: nhip.FlagGood}
	r.Add(CheckDeviceStatus, x.Device)
	if limits == nil {
		return r
	}
	of := &limits[s.class]
	r.Add(CheckGrossRange, of[CheckGrossRange].outside(x.Value))
	r.Add(CheckNegative, of[CheckNegative].below(x.Value))
	if x.Value == 0 {
		r.Add(CheckZero, of[CheckZero].below(math.Inf(-1)))
	}
	r.Add(CheckSpike, of[CheckSpike].spike(series, j))
	r.Add(CheckRateOfChange, of[CheckRateOfChange].rateOfChange(series, j))
	r.Add(CheckFlatLine, s.flatLine(&of[CheckFlatLine], i, j))
	r.Add(CheckFrozenFeed, s.frozenFeed(&of[CheckFrozenFeed], i, j))
	r.Add(CheckHumidity, s.humidity(&of[CheckHumidity], x.At))
	r.Add(CheckParticleOrder, s.particleOrder(series, x))
	r.Add(CheckChannels, of[CheckChannels].channels(x))
	r.Add(CheckLocation, s.location(&of[CheckLocation], series, j))
	return r
}

func (l *Params) outside(v float64) nhip.Flag {
	switch {
	case v < l.Low || v > l.High:
		return nhip.FlagFail
	case v < l.SuspectLow || v > l.SuspectHigh:
		return nhip.FlagSuspect
	}
	return nhip.FlagGood
}

func (l *Params) below(v float64) nhip.Flag {
	switch {
	case v < l.Fail:
		return nhip.FlagFail
	case v < l.Suspect:
		return nhip.FlagSuspect
	}
	return nhip.FlagGood
}

// adjacent reports whether sample j+1 follows sample j without a gap.
func (s *Series) adjacent(j int) bool {
	return j >= 0 && j+1 < len(s.Samples) && s.Samples[j+1].At-s.Samples[j].At <= maxGapPeriods*s.Period.Milliseconds()
}

// A value is compared with the values within spikeWindow of it. At least minPerSide of them must lie on either side. Of
// more than maxPerSide, each n-th is taken, so that the effort does not grow with the square of their number.
const (
	spikeWindow = 30 * time.Minute
	minPerSide  = 2
	maxPerSide  = 60 // one each 30 s
)

// spike returns the worse flag of two comparisons. adjacentSpike requires a value to differ from both its
// neighbours in the same direction, so that the neighbours of a spike are not flagged, as they are by QARTOD's
// own measure (SpikeOverMean). Spikes in bursts have spikes as neighbours; windowSpike recognises them because
// they differ from most values around them. A real event lasts longer than the window and is then no longer
// flagged.
func (l *Params) spike(s *Series, j int) nhip.Flag {
	return max(l.adjacentSpike(s, j), l.windowSpike(s, j))
}

func (l *Params) adjacentSpike(s *Series, j int) nhip.Flag {
	if !s.adjacent(j-1) || !s.adjacent(j) {
		return nhip.FlagGood
	}
	before, v, after := s.Samples[j-1].Value, s.Samples[j].Value, s.Samples[j+1].Value
	up, down := v-before, v-after
	if up*down <= 0 {
		return nhip.FlagGood
	}
	f := l.beyond(min(math.Abs(up), math.Abs(down)), (before+after)/2)
	if s.Period >= time.Hour {
		return min(f, nhip.FlagSuspect) // an hourly mean is never a glitch; it may be a real event such as fireworks
	}
	return f
}

func (l *Params) windowSpike(s *Series, j int) nhip.Flag {
	x, n, suspect, fail := &s.Samples[j], [2]int{}, 0, 0
	look := func(side, k int) bool {
		o := &s.Samples[k]
		if abs(o.At-x.At) > spikeWindow.Milliseconds() {
			return false
		}
		n[side]++
		switch l.beyond(math.Abs(x.Value-o.Value), o.Value) {
		case nhip.FlagFail:
			fail++
			suspect++
		case nhip.FlagSuspect:
			suspect++
		}
		return true
	}
	for k, step := j, s.spikeStep(j, -1); k-step >= 0 && look(0, k-step); k -= step {
	}
	for k, step := j, s.spikeStep(j, 1); k+step < len(s.Samples) && look(1, k+step); k += step {
	}
	switch most := (n[0] + n[1]) / 2; {
	case n[0] < minPerSide || n[1] < minPerSide:
		return nhip.FlagGood
	case fail > most:
		return nhip.FlagFail
	case suspect > most:
		return nhip.FlagSuspect
	}
	return nhip.FlagGood
}

// spikeStep returns the n of the n-th values with which sample j is compared, on the side before it (-1) or after it
// (1).
func (s *Series) spikeStep(j, side int) int {
	far := j + side*maxPerSide
	if far < 0 || far >= len(s.Samples) || abs(s.Samples[far].At-s.Samples[j].At) > spikeWindow.Milliseconds() {
		return 1
	}
	from, to := s.Samples[j].At-spikeWindow.Milliseconds(), s.Samples[j].At
	if side > 0 {
		from, to = to, to+spikeWindow.Milliseconds()
	}
	return (s.lastAt(to)-s.lastAt(from))/maxPerSide + 1
}

func abs(n int64) int64 { return max(n, -n) }

// SpikeOverMean is QARTOD's spike test (ioos_qc, method "average"): the distance of a value from the mean of its
// neighbours. The first and the last value are not evaluated.
func SpikeOverMean(values []float64, suspect, fail float64) []nhip.Flag {
	out := make([]nhip.Flag, len(values))
	l := Params{Suspect: suspect, Fail: fail}
	for i := range values {
		if i == 0 || i == len(values)-1 {
			out[i] = nhip.FlagNotEvaluated
			continue
		}
		out[i] = l.beyond(math.Abs(values[i]-(values[i-1]+values[i+1])/2), 0)
	}
	return out
}

func (l *Params) rateOfChange(s *Series, j int) nhip.Flag {
	if !s.adjacent(j - 1) {
		return nhip.FlagGood
	}
	before, x := &s.Samples[j-1], &s.Samples[j]
	minutes := time.Duration(x.At-before.At) * time.Millisecond / time.Minute
	return l.beyond(math.Abs(x.Value-before.Value)/float64(max(minutes, 1)), 0)
}

// flatLine flags a value that is part of a flat line.
func (s *station) flatLine(l *Params, i, j int) nhip.Flag {
	if math.IsNaN(l.Suspect) && math.IsNaN(l.Fail) {
		return nhip.FlagGood
	}
	return s.flat[i].line.at(&s.all[i], j, l)
}

func hours(ms int64) float64 { return float64(ms) / 3.6e6 }

// frozenFeed flags a value if all quantities of the station are unchanged. A station with one quantity is left to the
// flat-line check.
func (s *station) frozenFeed(l *Params, i, j int) nhip.Flag {
	at := s.all[i].Samples[j].At
	since, n := s.frozenSince(i, j), 1
	if l.beyond(hours(at-since), 0) == nhip.FlagGood {
		return nhip.FlagGood
	}
	for k := range s.all {
		if k == i {
			continue
		}
		last := s.all[k].lastAt(at)
		if last < 0 || at-s.all[k].Samples[last].At > maxGapPeriods*s.all[k].Period.Milliseconds() {
			continue
		}
		since = max(since, s.frozenSince(k, last))
		n++
	}
	if n == 1 {
		return nhip.FlagGood
	}
	return l.beyond(hours(at-since), 0)
}

// frozenSince returns the time since which a series has not changed.
func (s *station) frozenSince(i, j int) int64 {
	series := &s.all[i]
	return series.Samples[s.flat[i].frozen.since(series, j)].At
}

// lastAt returns the index of the last sample at or before a time, or -1.
func (s *Series) lastAt(at int64) int {
	return sort.Search(len(s.Samples), func(j int) bool { return s.Samples[j].At > at }) - 1
}

// humidity flags a value by the relative humidity at the sensor. A hygrometer that fails its flat-line check is
// ignored.
func (s *station) humidity(l *Params, at int64) nhip.Flag {
	if math.IsNaN(l.Suspect) && math.IsNaN(l.Fail) {
		return nhip.FlagGood
	}
	for k := range s.all {
		h := &s.all[k]
		if h.Quantity != nhip.Humidity {
			continue
		}
		j := h.lastAt(at)
		if j < 0 || at-h.Samples[j].At > humidityMaxAge.Milliseconds() {
			continue
		}
		if s.flatLine(s.rules.Params(nhip.Humidity, s.class, CheckFlatLine), k, j) == nhip.FlagFail {
			continue
		}
		return l.beyond(h.Samples[j].Value, 0)
	}
	return nhip.FlagGood
}

// particleOrder flags PM2.5 and PM10 of the same time if PM2.5 is the greater one.
func (s *station) particleOrder(of *Series, x *Sample) nhip.Flag {
	other := nhip.PM10
	switch of.Quantity {
	case nhip.PM25:
	case nhip.PM10:
		other = nhip.PM25
	default:
		return nhip.FlagGood
	}
	for k := range s.all {
		o := &s.all[k]
		if o.Quantity != other || o.Period != of.Period {
			continue
		}
		j := o.lastAt(x.At)
		if j < 0 || o.Samples[j].At != x.At {
			return nhip.FlagGood
		}
		fine, coarse := x.Value, o.Samples[j].Value
		if other == nhip.PM25 {
			fine, coarse = coarse, fine
		}
		return s.rules.Params(nhip.PM25, s.class, CheckParticleOrder).beyond(fine-coarse, coarse)
	}
	return nhip.FlagGood
}

// channels flags a value if its two sensors differ by more than the limit and by more than Relative of their mean.
func (l *Params) channels(x *Sample) nhip.Flag {
	if x.Channels == nil {
		return nhip.FlagGood
	}
	return l.compareChannels(x.Channels[0], x.Channels[1])
}

func (l *Params) compareChannels(a, b float64) nhip.Flag {
	apart := math.Abs(a - b)
	if apart < l.Relative*(a+b)/2 {
		return nhip.FlagGood
	}
	alone := Params{Suspect: l.Suspect, Fail: l.Fail}
	return alone.beyond(apart, 0)
}

// location flags a value that was measured away from the station's known location or, if that is unknown, away from
// the position of the value before it.
func (s *station) location(l *Params, series *Series, j int) nhip.Flag {
	here := series.Samples[j].Point
	if here == nil {
		return nhip.FlagGood
	}
	home, known := s.home.Get()
	if !known {
		if j == 0 || series.Samples[j-1].Point == nil {
			return nhip.FlagGood
		}
		home = *series.Samples[j-1].Point
	}
	return l.beyond(geo.DistanceHaversine(home, *here), 0)
}
