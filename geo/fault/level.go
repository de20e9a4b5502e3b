package fault

import "math"

// The sequential test for a lasting shift.
const (
	levelThreshold = 12
	levelLowCost   = 8    // of low-cost sensors, which have faults more often
	levelFail      = 32   // evidence that fails
	levelFailShift = 0.55 // least shift that fails, in ln: × 1.7 or × 0.6
	// A network whose daily medians scatter more can't vouch for its monitors, and fails no level.
	vouchDeviation = 0.25

	minShift      = 0.30 // smallest shift that is looked for, in ln
	minShiftSlow  = 3.2  // and in multiples of the deviation of daily medians
	levelScoreLow = -6
	levelScoreTop = 8
)

// vouches reports whether the network can vouch for a member: it follows the others, and they follow one another.
func (f *field) vouches(i int) bool { return max(f.slow[i], f.typicalSlow) <= vouchDeviation }

// shifts are the shifts that are looked for, in multiples of the smallest.
var shifts = [...]float64{1, 1.6, 2.6, 4.5}

// levels looks for lasting shifts of a member up or down.
func (f *field) levels(i int, factor float64, yield func(segment)) {
	smallest := max(minShift, minShiftSlow*f.slow[i])
	scores := make([]float64, f.hours)
	h := factor * f.threshold(i, levelThreshold, levelLowCost)
	for _, sign := range []float64{1, -1} {
		for _, multiple := range shifts {
			mu := sign * multiple * smallest
			for t, r := range f.r[i] {
				s := f.scale[i][t]
				scores[t] = f.worth[i] * clip(surprise(r/s)-surprise((r-mu)/s), levelScoreLow, levelScoreTop)
			}
			sequential(scores, h, func(from, to int, peak, total float64) {
				yield(segment{
					field: f, member: i, cause: Level, level: mu, from: from, to: to, total: total, h: h / factor,
					fail: peak >= levelFail && math.Abs(mu) >= levelFailShift && f.vouches(i),
				})
			})
		}
	}
}

// The test for some hours that are far too high or too low.
const (
	burstUp, burstDown = 10, 7
	burstUsual         = 4  // deviations that an hour may differ
	burstCap           = 10 // so that one hour alone does not decide
	burstFail          = 36
)

// bursts looks for hours that are far too high or too low.
func (f *field) bursts(i int, factor float64, yield func(segment)) {
	scores := make([]float64, f.hours)
	for _, sign := range []float64{1, -1} {
		h := burstUp * factor
		if sign < 0 {
			h = burstDown * factor
		}
		for t, r := range f.r[i] {
			scores[t] = min(sign*r/f.scale[i][t], burstCap) - burstUsual
		}
		sequential(scores, h, func(from, to int, peak, total float64) {
			yield(segment{
				field: f, member: i, cause: Burst, level: sign, from: from, to: to, total: total, h: h / factor,
				fail: peak >= burstFail && f.vouches(i),
			})
		})
	}
}

// Segments of levels and bursts are cut where the difference is small, and dropped where it does not matter.
const (
	trimHours = 4   // shorter ones are not cut
	trimHalf  = 2   // hours on either side over which the difference is averaged
	trimShare = 0.4 // of the segment's median difference
	// Hours without a large difference that end a fault: what follows is another one.
	pauseHours = 6
)

// trim cuts the ends of a level or burst to where the difference is large. It reports whether the difference exceeds
// the accuracy of the instrument.
func (s *segment) trim() bool {
	f, i := s.field, s.member
	if s.to-s.from >= trimHours {
		var inside []float64
		for t := s.from; t < s.to; t++ {
			if r := f.r[i][t]; r == r {
				inside = append(inside, r)
			}
		}
		limit := trimShare * median(inside)
		smooth := runningMedian(f.r[i][max(s.from-trimHalf, 0):min(s.to+trimHalf, f.hours)], trimHalf)
		lead := s.from - max(s.from-trimHalf, 0)
		far := func(t int) bool {
			r := smooth[t-s.from+lead]
			return limit > 0 && r >= limit || limit < 0 && r <= limit
		}
		s.sureFrom, s.sure = s.from, make([]bool, 0, s.to-s.from)
		for t := s.from; t < s.to; t++ {
			s.sure = append(s.sure, far(t))
		}
		from, to := s.from, s.to
		for from < to && !far(from) {
			from++
		}
		for to > from && !far(to-1) {
			to--
		}
		s.from, s.to = from, to
	}
	return s.from < s.to && s.matters()
}

// matters reports whether the median difference within a segment exceeds the accuracy of the instrument.
func (s *segment) matters() bool {
	f, i := s.field, s.member
	var apart []float64
	for t := s.from; t < s.to; t++ {
		if d := f.v[i][t] - f.expected(i, t); d == d {
			apart = append(apart, math.Abs(d))
		}
	}
	return median(apart) >= f.accuracy[i]
}

// pieces yields the parts of a trimmed segment between its pauses.
func (s *segment) pieces(yield func(segment)) {
	from := s.from
	part := func(to int) {
		x := *s
		if x.from, x.to = from, to; x.matters() {
			yield(x)
		}
	}
	for t := s.from; s.sure != nil && t < s.to; {
		end := t
		for end < s.to && !s.sure[end-s.sureFrom] {
			end++
		}
		if end-t >= pauseHours {
			part(t)
			from = end
		}
		t = max(end, t+1)
	}
	part(s.to)
}
