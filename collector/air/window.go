package air

import (
	"cmp"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/qc"
	"nhip/geo/rollup"
)

// Bounds of what is held and assessed of one station. They are far above what a monitor sends, and bound the memory and
// the time that a faulty one takes.
const (
	maxSeries      = 36 // quantities and averaging periods
	maxPerHour     = rollup.MaxPerHour
	maxUnsettled   = 8_192 // readings added until the bounds are applied
	settleByInsert = 4     // late readings that are inserted one by one
)

// window holds the readings of a station over some time. After put, settle must be called before anything is read.
type window struct {
	series      []qc.Series
	assessments [][]writtenAssessment // for each sample of series, its assessment in the database

	late      [][]lateSample // by series: samples that are not in order, until settle
	touched   []int64        // by series: the earliest time that was added since settle, in ms since 1970; 0: none
	unsettled int
	dropped   int // readings beyond the bounds that are not assessed
}

type lateSample struct {
	qc.Sample
	written writtenAssessment
}

// writtenAssessment is an assessment as it was written to the database.
type writtenAssessment struct {
	result    qc.Result
	corrected float64
	rule      string
	known     bool // false: the sample has not been assessed yet
}

// put adds a reading to the window, or replaces the one of the same time.
func (w *window) put(r *nhip.Reading, assessment nhip.Assessment) {
	x := qc.Sample{At: r.Time.UnixMilli(), Value: r.Value, Device: r.Flag}
	if pt, ok := r.Point.Get(); ok {
		x.Point = &pt
	}
	if both, ok := r.Channels.Get(); ok {
		x.Channels = &both
	}
	var written writtenAssessment
	if a := assessment; a.Flag != 0 {
		written = writtenAssessment{qc.ParseTests(a.Flag, a.Tests), a.Corrected.Or(r.Value), a.Rule, true}
	}
	w.putSample(r.Quantity, r.Period, x, written)
}

func (w *window) putSample(q nhip.Quantity, period time.Duration, x qc.Sample, written writtenAssessment) {
	i := slices.IndexFunc(w.series, func(s qc.Series) bool { return s.Quantity == q && s.Period == period })
	if i < 0 {
		if i = len(w.series); i >= maxSeries {
			w.dropped++
			return
		}
		w.series = append(w.series, qc.Series{Quantity: q, Period: period})
		w.assessments, w.late, w.touched = append(w.assessments, nil), append(w.late, nil), append(w.touched, 0)
	}
	s := &w.series[i]
	switch last := len(s.Samples) - 1; {
	case last < 0 || x.At > s.Samples[last].At:
		s.Samples, w.assessments[i] = append(s.Samples, x), append(w.assessments[i], written)
	default:
		w.late[i] = append(w.late[i], lateSample{x, written})
	}
	if w.touched[i] == 0 || x.At < w.touched[i] {
		w.touched[i] = x.At
	}
	if w.unsettled++; w.unsettled >= maxUnsettled {
		w.settle()
	}
}

// settle puts late samples in their places and applies the bounds.
func (w *window) settle() {
	for i := range w.series {
		if w.touched[i] == 0 {
			continue
		}
		w.addLate(i)
		limit := w.maxPerHour()
		last := hourOf(w.series[i].Samples[len(w.series[i].Samples)-1].At)
		for h := hourOf(w.touched[i]); h <= last; h = w.nextHour(i, h) {
			w.thin(i, h, limit)
		}
		w.late[i], w.touched[i] = nil, 0
	}
	w.unsettled = 0
}

// nextHour returns the next hour after h in which series i has samples.
func (w *window) nextHour(i int, h int64) int64 {
	samples := w.series[i].Samples
	if _, j := samplesBetween(samples, startOf(h), endOf(h)); j < len(samples) {
		return hourOf(samples[j].At)
	}
	return math.MaxInt64
}

// addLate merges the late samples of series i. Those that came last count.
func (w *window) addLate(i int) {
	late := w.late[i]
	slices.SortStableFunc(late, func(a, b lateSample) int { return cmp.Compare(a.At, b.At) })
	samples, written := w.series[i].Samples, w.assessments[i]
	if len(late) <= settleByInsert {
		for _, x := range late {
			j, found := slices.BinarySearchFunc(samples, x.At, compareTime)
			if !found {
				samples, written = slices.Insert(samples, j, x.Sample), slices.Insert(written, j, x.written)
			}
			samples[j], written[j] = x.Sample, x.written
		}
		w.series[i].Samples, w.assessments[i] = samples, written
		return
	}
	n := len(samples) + len(late)
	merged, mergedWritten := make([]qc.Sample, 0, n), make([]writtenAssessment, 0, n)
	add := func(x qc.Sample, a writtenAssessment) {
		if n := len(merged); n > 0 && merged[n-1].At == x.At {
			merged[n-1], mergedWritten[n-1] = x, a
			return
		}
		merged, mergedWritten = append(merged, x), append(mergedWritten, a)
	}
	j := 0
	for _, x := range late {
		for ; j < len(samples) && samples[j].At <= x.At; j++ {
			add(samples[j], written[j])
		}
		add(x.Sample, x.written)
	}
	for ; j < len(samples); j++ {
		add(samples[j], written[j])
	}
	w.series[i].Samples, w.assessments[i] = merged, mergedWritten
}

// maxPerHour returns the number of readings of one hour that are considered in each series.
func (w *window) maxPerHour() int { return rollup.PerHour(len(w.series)) }

// thin reduces an hour of series i to a sample of its readings. Which are in it depends only on their times, neither on
// the order in which they came nor on a restart.
func (w *window) thin(i int, h int64, limit int) {
	samples, written := w.series[i].Samples, w.assessments[i]
	from, to := samplesBetween(samples, startOf(h), endOf(h))
	if to-from <= limit {
		return
	}
	ranks := make([]uint64, 0, to-from)
	for _, x := range samples[from:to] {
		ranks = append(ranks, rank(x.At))
	}
	slices.Sort(ranks)
	last, n := ranks[limit-1], from
	for j := from; j < to; j++ {
		if rank(samples[j].At) <= last {
			samples[n], written[n] = samples[j], written[j]
			n++
		} else if !written[j].known {
			w.dropped++
		}
	}
	w.series[i].Samples, w.assessments[i] = slices.Delete(samples, n, to), slices.Delete(written, n, to)
}

// rank returns the place of a time in the order in which an hour is sampled: the finalizer of SplitMix64, which maps
// different times to different ranks.
func rank(at int64) uint64 {
	x := uint64(at)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// samples returns the number of samples.
func (w *window) samples() int {
	n := 0
	for i := range w.series {
		n += len(w.series[i].Samples) + len(w.late[i])
	}
	return n
}

// compareTime compares the time of a sample with a time in ms since 1970.
func compareTime(s qc.Sample, at int64) int { return cmp.Compare(s.At, at) }

// dropUntil drops samples up to a time in ms since 1970, inclusive.
func (w *window) dropUntil(until int64) {
	for i := range w.series {
		samples := w.series[i].Samples
		n := 0
		for n < len(samples) && samples[n].At <= until {
			n++
		}
		if n > 0 && n*4 >= len(samples) { // avoids a copy for each single sample
			w.series[i].Samples = slices.Clone(samples[n:])
			w.assessments[i] = slices.Clone(w.assessments[i][n:])
		}
	}
	for i := len(w.series) - 1; i >= 0; i-- {
		if len(w.series[i].Samples)+len(w.late[i]) == 0 {
			w.series, w.assessments = slices.Delete(w.series, i, i+1), slices.Delete(w.assessments, i, i+1)
			w.late, w.touched = slices.Delete(w.late, i, i+1), slices.Delete(w.touched, i, i+1)
		}
	}
}

// humidity returns the last relative humidity up to a time that did not fail the checks, or NaN if there is none.
func (w *window) humidity(at int64) float64 {
	for i := range w.series {
		if w.series[i].Quantity != nhip.Humidity {
			continue
		}
		samples := w.series[i].Samples
		j, found := slices.BinarySearchFunc(samples, at, compareTime)
		if !found {
			j--
		}
		if j >= 0 && at-samples[j].At <= maxHumidityAge.Milliseconds() && w.assessments[i][j].result.Flag != nhip.FlagFail {
			return samples[j].Value
		}
	}
	return math.NaN()
}

// maxHumidityAge is the maximum age of a humidity that is used for a correction.
const maxHumidityAge = time.Hour

// quantities returns the quantities that are summed up.
func (w *window) quantities() []nhip.Quantity {
	var out []nhip.Quantity
	for i := range w.series {
		if q := w.series[i].Quantity; !q.Circular() && !slices.Contains(out, q) {
			out = append(out, q)
		}
	}
	return out
}

// bestSeries returns the index of the series that covers most of an hour, or -1, and the range of its samples in the
// hour. For a station that sends both minutes and hours these are the minutes, or the hour if minutes are missing.
func (w *window) bestSeries(q nhip.Quantity, h int64, reportEvery time.Duration) (series int, samples [2]int) {
	covers, ranges := make([]rollup.Coverage, len(w.series)), make([][2]int, len(w.series))
	for i := range w.series {
		if s := &w.series[i]; s.Quantity == q {
			from, to := samplesBetween(s.Samples, startOf(h), endOf(h))
			covers[i], ranges[i] = rollup.Coverage{Period: s.Period, Values: to - from}, [2]int{from, to}
		}
	}
	if series = rollup.Best(covers, reportEvery, w.maxPerHour()); series >= 0 {
		samples = ranges[series]
	}
	return series, samples
}

// samplesBetween returns the range of samples between from, exclusive, and to, inclusive, in ms since 1970.
func samplesBetween(samples []qc.Sample, from, to int64) (first, last int) {
	after := func(t int64) int {
		j, _ := slices.BinarySearchFunc(samples, t+1, compareTime)
		return j
	}
	return after(from), after(to)
}

// expectedPerHour returns the number of values that a station sends in an hour. A reportEvery of 0 means one report
// for each averaging period. Readings beyond the bounds of the window do not count.
func (w *window) expectedPerHour(period, reportEvery time.Duration) float64 {
	return rollup.Expected(period, reportEvery, w.maxPerHour())
}

// values returns values of series i at a quality. Reviews are applied at QualityReviewed.
func (w *window) values(i int, samples [2]int, quality nhip.Quality, reviews []nhip.Review) []rollup.Value {
	out := make([]rollup.Value, 0, samples[1]-samples[0])
	for j := samples[0]; j < samples[1]; j++ {
		x, assessment := &w.series[i].Samples[j], &w.assessments[i][j]
		v := rollup.Value{Value: assessment.corrected, Flag: assessment.result.Flag}
		switch quality {
		case nhip.QualityRaw:
			v = rollup.Value{Value: x.Value, Flag: nhip.FlagGood}
		case nhip.QualityReviewed:
			v.Flag, _ = nhip.Decide(reviews, w.series[i].Quantity, time.UnixMilli(x.At), v.Flag)
		}
		out = append(out, v)
	}
	return out
}

// quantityHour is one hour of one quantity.
type quantityHour struct {
	quantity nhip.Quantity
	hour     int64
}
