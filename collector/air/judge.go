package air

import (
	"cmp"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/qc"
	"nhip/geo/rollup"
	"nhip/internal/influx"
)

// humidityFor is how old a humidity may be to correct by.
const humidityFor = time.Hour

// judge judges the values of a window from a moment on, up to another, in ms, writes what is new of it, and
// returns the hours whose values it changed.
func (k *Keeper) judge(s *station, w *window, from, until int64, near func(nearHour) nhip.Flag) (touched spans) {
	k.rules.Station(s.class, s.home, w.series, from, func(i, j int, v qc.Verdict) {
		series := &w.series[i]
		x := &series.Samples[j]
		if x.At > until {
			return
		}
		h := hourOf(x.At)
		v.Note(qc.Neighbours, near(nearHour{series.Quantity, h}))
		now := said{verdict: v, corrected: x.Value, known: true}
		at := time.UnixMilli(x.At).UTC()
		if c := s.corrections[series.Quantity]; c != nil {
			now.corrected, now.rule = c.Correct(series.Quantity, x.Value, at, w.humidity(x.At))
		}
		if w.said[i][j] == now {
			return
		}
		w.said[i][j] = now
		touched = touched.add(h, h+1)
		k.metrics.judged.WithLabelValues(flagName(v.Flag)).Inc()
		verdict := nhip.Verdict{Flag: v.Flag, Tests: v.Tests(), Rule: now.rule}
		if now.rule != "" {
			verdict.Corrected = nhip.Some(now.corrected)
		}
		k.lines = influx.AppendVerdict(k.lines, &nhip.Reading{
			Station: s.id, Quantity: series.Quantity, Period: series.Period, Time: at, Value: x.Value,
		}, &verdict)
		k.rows++
	})
	return touched
}

func flagName(f nhip.Flag) string {
	switch f {
	case nhip.Good:
		return "good"
	case nhip.Suspect:
		return "suspect"
	case nhip.Fail:
		return "fail"
	}
	return "not_evaluated"
}

// humidity returns the last one before a time that is no fault, NaN where there is none.
func (w *window) humidity(at int64) float64 {
	for i := range w.series {
		if w.series[i].Quantity != nhip.Humidity {
			continue
		}
		samples := w.series[i].Samples
		j, found := slices.BinarySearchFunc(samples, at, func(s qc.Sample, t int64) int { return cmp.Compare(s.At, t) })
		if !found {
			j--
		}
		if j >= 0 && at-samples[j].At <= humidityFor.Milliseconds() && w.said[i][j].verdict.Flag != nhip.Fail {
			return samples[j].Value
		}
	}
	return math.NaN()
}

// sumHour sums up an hour of each quantity at each quality, and writes it.
func (k *Keeper) sumHour(s *station, w *window, h int64, near func(nearHour) nhip.Flag) {
	for _, q := range w.quantities() {
		i, samples := w.best(q, h, s.of.Period)
		if i < 0 {
			continue
		}
		expected := expectedIn(w.series[i].Period, s.of.Period)
		reviewed := slices.ContainsFunc(s.reviews, func(r nhip.Review) bool { return r.Action != nhip.Annotate && overlaps(&r, q, h) })
		for _, quality := range []nhip.Quality{nhip.Raw, nhip.Automatic, nhip.Reviewed} {
			if quality == nhip.Reviewed && !reviewed {
				continue
			}
			stats, ok := rollup.Hour(w.values(s, i, samples, quality), expected, k.completeness)
			if !ok {
				continue
			}
			r := nhip.Rollup{Station: s.id, Quantity: q, Period: nhip.HourPeriod, Quality: quality, Time: time.UnixMilli(endOf(h)).UTC(), Stats: stats}
			k.lines = influx.AppendRollup(k.lines, &r, near(nearHour{q, h}), k.now)
			k.rows++
			k.metrics.rollups.WithLabelValues(nhip.HourPeriod).Inc()
			if quality != nhip.Raw {
				s.remember(q, h, stats)
			}
		}
	}
	s.days, s.months = s.days.add(h, h+1), s.months.add(h, h+1)
}

// remember keeps an hour at its best quality, for the index of now.
func (s *station) remember(q nhip.Quantity, h int64, stats nhip.Stats) {
	if h < s.last-liveHours {
		return
	}
	if s.hours[q] == nil {
		s.hours[q] = make(map[int64]nhip.Stats)
	}
	s.hours[q][h] = stats
	for old := range s.hours[q] {
		if old <= s.last-liveHours {
			delete(s.hours[q], old)
		}
	}
}

func (w *window) quantities() []nhip.Quantity {
	var out []nhip.Quantity
	for i := range w.series {
		if !slices.Contains(out, w.series[i].Quantity) {
			out = append(out, w.series[i].Quantity)
		}
	}
	return out
}

// best returns the series that says most of an hour, and which of its samples are of the hour. A station that
// tells each minute and each hour is summed up from its minutes, or from the hour where those are missing.
func (w *window) best(q nhip.Quantity, h int64, reports time.Duration) (series int, samples [2]int) {
	series = -1
	most := 0.0
	for i := range w.series {
		s := &w.series[i]
		if s.Quantity != q || s.Period > time.Hour {
			continue
		}
		from, to := between(s.Samples, startOf(h), endOf(h))
		share := min(float64(to-from)/expectedIn(s.Period, reports), 1)
		if share > most || share == most && series >= 0 && s.Period < w.series[series].Period {
			series, samples, most = i, [2]int{from, to}, share
		}
	}
	return series, samples
}

// between returns the samples from one time, exclusive, to another, inclusive.
func between(samples []qc.Sample, from, to int64) (first, last int) {
	after := func(t int64) int {
		j, _ := slices.BinarySearchFunc(samples, t+1, func(s qc.Sample, at int64) int { return cmp.Compare(s.At, at) })
		return j
	}
	return after(from), after(to)
}

// expectedIn is how many values come in an hour of a station that reports so often; 0: once for each average.
func expectedIn(period, reports time.Duration) float64 {
	return float64(time.Hour) / float64(max(period, reports))
}

// values returns the values of one series at a quality.
func (w *window) values(s *station, i int, samples [2]int, quality nhip.Quality) []rollup.Value {
	out := make([]rollup.Value, 0, samples[1]-samples[0])
	for j := samples[0]; j < samples[1]; j++ {
		x, known := &w.series[i].Samples[j], &w.said[i][j]
		v := rollup.Value{Value: known.corrected, Flag: known.verdict.Flag}
		switch quality {
		case nhip.Raw:
			v = rollup.Value{Value: x.Value, Flag: nhip.Good}
		case nhip.Reviewed:
			v.Flag, _ = nhip.Decide(s.reviews, w.series[i].Quantity, time.UnixMilli(x.At), v.Flag)
		}
		out = append(out, v)
	}
	return out
}

// overlaps reports whether a review is about any value of an hour.
func overlaps(r *nhip.Review, q nhip.Quantity, h int64) bool {
	return (r.Quantity == "" || r.Quantity == q) && r.From.UnixMilli() < endOf(h) && r.To.UnixMilli() > startOf(h)
}
