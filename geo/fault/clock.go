package fault

import "math"

// The test for a wrong clock.
const (
	clockThreshold = 10
	clockLowCost   = 8 // of low-cost sensors
	clockScale     = 0.8
	clockScoreCap  = 3
	clockUsual     = 0.06 // taken off by hour
	clockMemory    = 0.7  // of the hour before, which is taken off: successive hours share their difference
	clockHours     = 12
	clockHoursOne  = 24 // for one hour
	clockOne       = 1.5
	clockFew       = 2.0 // with fewer than clockQuantities
	clockFail      = 3   // in thresholds

	clockQuantities = 3
	clockMaxShare   = 0.65 // of the evidence that one quantity may give, of at least clockQuantities
	clockBlock      = 6    // hours
	clockPositive   = 0.6  // share of blocks that agree
	clockMaxBlock   = 0.4  // of the evidence that one block may give: one front is no clock
)

// clockShifts are the shifts that are looked for, in hours: small ones, and the zones of East Asia.
var clockShifts = []int{1, -1, 2, -2, 3, -3, 7, -7, 8, -8}

// channel is one quantity of a monitor.
type channel struct {
	field  *field
	member int
}

// clockTest is the test of one monitor's clock.
type clockTest struct {
	channels    []channel
	now         [][]float64 // by channel: what the predictions leave unexplained as they are
	scale       []float64   // usual deviation of it
	independent float64     // how many independent quantities the channels are worth
}

// clocks looks for a shift of all quantities of a monitor together.
func clocks(channels []channel, factor float64, yield func(segment)) {
	if len(channels) == 0 {
		return
	}
	c := newClockTest(channels)
	for _, shift := range clockShifts {
		scores, parts := c.scores(shift)
		h := factor * channels[0].field.threshold(channels[0].member, clockThreshold, clockLowCost)
		least := clockHours
		if shift == 1 || shift == -1 {
			h *= clockOne
			least = clockHoursOne
		}
		if len(channels) < clockQuantities {
			h *= clockFew
		}
		sequential(scores, h, func(from, to int, peak, total float64) {
			from, to, sure := trimClock(scores, from, to)
			if to-from >= least && clockAgrees(scores, parts, from, to) {
				c.yield(segment{
					cause: Clock, shift: shift, from: from, to: to, total: total, h: h / factor, fail: peak >= clockFail*h,
					sure: sure, sureFrom: from,
				}, yield)
			}
		})
	}
}

// yield yields a segment for each pollutant of the monitor.
func (c *clockTest) yield(s segment, yield func(segment)) {
	for _, ch := range c.channels {
		if !ch.field.linear {
			s.field, s.member = ch.field, ch.member
			yield(s)
		}
	}
}

func newClockTest(channels []channel) *clockTest {
	c := &clockTest{channels: channels}
	var limited [][]float64
	for _, ch := range channels {
		now := ch.shifted(0)
		scale := max(ch.clockDeviation(now), 1e-6)
		c.now, c.scale = append(c.now, now), append(c.scale, scale)
		l := make([]float64, len(now))
		for t, v := range now {
			l[t] = clip(v, -4*scale, 4*scale)
		}
		limited = append(limited, l)
	}
	c.independent = independentNumber(limited)
	return c
}

// scores returns by hour how much better a shift explains all quantities, and the same of each quantity.
func (c *clockTest) scores(shift int) (scores []float64, parts [][]float64) {
	hours := c.channels[0].field.hours
	for k, ch := range c.channels {
		part, other := nanSlice(hours), ch.shifted(shift)
		for t := range part {
			if now := c.now[k][t]; now == now && other[t] == other[t] {
				d := surprise(now/c.scale[k]) - surprise(other[t]/c.scale[k])
				part[t] = clip(d, -clockScoreCap, clockScoreCap)
			}
		}
		parts = append(parts, part)
	}
	weight := clockScale * c.independent / float64(len(c.channels))
	scores = nanSlice(hours)
	for t := range scores {
		sum, known := 0.0, false
		for _, p := range parts {
			if p[t] == p[t] {
				sum, known = sum+p[t], true
			}
		}
		if known {
			scores[t] = weight*sum - clockUsual
		}
	}
	return scores, parts
}

// shifted returns by hour what of a value its prediction for shift hours before leaves unexplained, without what the
// hour before leaves.
func (c channel) shifted(shift int) []float64 {
	f, i := c.field, c.member
	left := func(t int) float64 {
		if t < 0 || t >= f.hours || t-shift < 0 || t-shift >= f.hours {
			return nan
		}
		return f.x[i][t] - f.prediction(i, t-shift)
	}
	out := make([]float64, f.hours)
	before := nan
	for t := range out {
		here := left(t)
		out[t] = here
		if before == before {
			out[t] = here - clockMemory*before
		}
		before = here
	}
	return out
}

// clockDeviation returns the usual deviation of what shifted returns, in hours that are not flagged.
func (c channel) clockDeviation(left []float64) float64 {
	var good, all []float64
	for t, v := range left {
		if v != v {
			continue
		}
		all = append(all, v)
		if !c.field.flagged[c.member][t] {
			good = append(good, v)
		}
	}
	if len(good) < minCommonHours {
		good = all
	}
	d := deviation(good)
	if d != d {
		return 1
	}
	return d
}

// independentNumber returns how many independent quantities the given ones are worth: n² / Σ|correlation|.
func independentNumber(all [][]float64) float64 {
	n := float64(len(all))
	sum := n
	for i, a := range all {
		for _, b := range all[:i] {
			sum += 2 * math.Abs(correlation(a, b))
		}
	}
	return clip(n*n/sum, 1, n)
}

// correlation returns the correlation of two series; 0 where too little is known.
func correlation(a, b []float64) float64 {
	n, sa, sb, saa, sbb, sab := 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
	for t, x := range a {
		y := b[t]
		if x != x || y != y {
			continue
		}
		n, sa, sb = n+1, sa+x, sb+y
		saa, sbb, sab = saa+x*x, sbb+y*y, sab+x*y
	}
	if n < minCommonHours {
		return 0
	}
	c := (sab/n - sa/n*sb/n) / math.Sqrt((saa/n-sa/n*sa/n)*(sbb/n-sb/n*sb/n))
	if c != c {
		return 0
	}
	return c
}

// trimClock cuts the ends of a span to where the evidence of some hours together is a part of that of the whole, and
// reports that of each hour left.
func trimClock(scores []float64, from, to int) (first, end int, sure []bool) {
	mean := func(from, to int) float64 {
		sum, n := 0.0, 0
		for _, s := range scores[from:to] {
			if s == s {
				sum, n = sum+s, n+1
			}
		}
		return sum / float64(max(n, 1))
	}
	limit := trimShare * mean(from, to)
	for to-from > clockBlock && mean(from, from+clockBlock) < limit {
		from++
	}
	for to-from > clockBlock && mean(to-clockBlock, to) < limit {
		to--
	}
	for t := from; t < to; t++ {
		sure = append(sure, mean(max(t-clockBlock/2, from), min(t+clockBlock/2+1, to)) >= limit)
	}
	return from, to, sure
}

// clockAgrees reports whether the evidence within a span comes from several quantities and from most of its time.
func clockAgrees(scores []float64, parts [][]float64, from, to int) bool {
	total, greatest := 0.0, 0.0
	for _, p := range parts {
		sum := 0.0
		for t := from; t < to; t++ {
			if p[t] == p[t] {
				sum += p[t]
			}
		}
		total, greatest = total+sum, max(greatest, sum)
	}
	if len(parts) >= clockQuantities && greatest > clockMaxShare*total {
		return false
	}
	blocks, positive, all, top := 0, 0, 0.0, 0.0
	for at := from; at < to; at += clockBlock {
		sum := 0.0
		for t := at; t < min(at+clockBlock, to); t++ {
			if scores[t] == scores[t] {
				sum += scores[t]
			}
		}
		blocks++
		if sum > 0 {
			positive++
		}
		all, top = all+sum, max(top, sum)
	}
	return float64(positive) >= clockPositive*float64(blocks) && top <= clockMaxBlock*all
}
