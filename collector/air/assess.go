package air

import (
	"slices"
	"time"

	"nhip"
	"nhip/geo/qc"
	"nhip/geo/rollup"
	"nhip/internal/influx"
)

// networkFunc returns the result of the checks of an hour against other monitors; the zero Result if there is none.
type networkFunc func(quantityHour) qc.Result

// assess assesses the readings of a window from one time to another, both inclusive and in ms since 1970, and those
// before that they change, but none up to earliest: what these depend on is not in the window. It buffers the
// assessments that changed, and their hours.
func (p *Processor) assess(s *results, w *window, earliest, from, to int64, network networkFunc) {
	p.rules.EvaluateStation(s.class, s.fleetPosition, w.series, from, func(i, j int, result qc.Result) {
		series := &w.series[i]
		x := &series.Samples[j]
		if x.At > to || x.At <= earliest {
			return
		}
		h := hourOf(x.At)
		var other qc.Result
		if q, ok := qc.OtherParticles(series.Quantity); ok {
			other = network(quantityHour{q, h})
		}
		result.MergeNetwork(network(quantityHour{series.Quantity, h}), other)
		now := writtenAssessment{result: result, corrected: x.Value, known: true}
		at := time.UnixMilli(x.At).UTC()
		if c := s.corrections[series.Quantity]; c != nil {
			now.corrected, now.rule = c.Correct(series.Quantity, x.Value, at, w.humidity(x.At))
		}
		if w.assessments[i][j] == now {
			return
		}
		w.assessments[i][j] = now
		if n := len(s.changed); n == 0 || h < s.changed[n-1].From || h >= s.changed[n-1].To {
			s.changed = s.changed.add(h, h+1)
		}
		p.metrics.assessed.WithLabelValues(flagName(result.Flag)).Inc()
		r := nhip.Reading{
			Station: s.id, Quantity: series.Quantity, Period: series.Period, Time: at, Value: x.Value,
		}
		a := nhip.Assessment{Flag: result.Flag, Tests: result.Tests(), Rule: now.rule}
		if now.rule != "" {
			a.Corrected = nhip.Some(now.corrected)
		}
		s.lines = influx.AppendAssessment(s.lines, &r, &a)
		s.rows++
	})
}

// flagName returns the label of a flag in metrics.
func flagName(f nhip.Flag) string {
	switch f {
	case nhip.FlagGood:
		return "good"
	case nhip.FlagSuspect:
		return "suspect"
	case nhip.FlagFail:
		return "fail"
	}
	return "not_evaluated"
}

// sumHour sums up an hour of each quantity at each quality, and buffers the rows. The reviewed quality is written only
// if a review applies to the hour.
func (p *Processor) sumHour(s *results, w *window, h int64, network networkFunc) {
	for _, q := range w.quantities() {
		i, samples := w.bestSeries(q, h, s.config.Period)
		if i < 0 {
			continue
		}
		expected := w.expectedPerHour(w.series[i].Period, s.config.Period)
		qualities := []nhip.Quality{nhip.QualityRaw, nhip.QualityAutomatic}
		if reviewed(s.reviews, q, h, h+1) {
			qualities = append(qualities, nhip.QualityReviewed)
		}
		for _, quality := range qualities {
			stats, ok := rollup.FromValues(w.values(i, samples, quality, s.reviews), expected, p.completeness)
			if !ok {
				continue
			}
			r := nhip.Rollup{
				Station: s.id, Quantity: q, Period: nhip.PeriodHour, Quality: quality,
				Time: time.UnixMilli(endOf(h)).UTC(), RollupStats: stats,
			}
			var row influx.NetworkHour
			if quality == nhip.QualityRaw {
				row = w.networkHour(i, samples, expected, network(quantityHour{q, h}))
			}
			s.lines = influx.AppendRollup(s.lines, &r, row, s.now)
			s.rows++
			p.metrics.rollups.WithLabelValues(nhip.PeriodHour).Inc()
			if quality != nhip.QualityRaw {
				s.hourly = append(s.hourly, hourlyResult{quantityHour{q, h}, stats})
			}
		}
	}
	s.summed = s.summed.add(h, h+1)
}

// reviewed reports whether a review decides about any value of a quantity in the hours from, inclusive, to to,
// exclusive.
func reviewed(reviews []nhip.Review, q nhip.Quantity, from, to int64) bool {
	return slices.ContainsFunc(reviews, func(r nhip.Review) bool {
		return r.ChangesFlags() && (r.Quantity == "" || r.Quantity == q) &&
			r.From.UnixMilli() < endOf(to-1) && r.To.UnixMilli() > startOf(from)
	})
}
