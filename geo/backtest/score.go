package backtest

import (
	"math"
	"time"

	"nhip/geo/track"
)

// window is what counts as right, by horizon: the error (actual minus told, s) lies between early and
// late.
type window struct{ upTo, early, late float64 }

// The ETA Accuracy Benchmark (github.com/TransitApp/ETA-Accuracy-Benchmark): bins by time to the actual
// arrival, the score is the mean of the four.
var benchmark = [4]window{{180, -30, 90}, {360, -60, 150}, {600, -60, 210}, {900, -90, 270}}

// The MBTA's measure (mbta/prediction_analyzer): bins by predicted lead, the score is the share over all.
var mbta = [4]window{{180, -60, 60}, {360, -90, 120}, {720, -150, 210}, {1800, -240, 360}}

// mbtaFrom is the least lead that the MBTA looks at, in s: the bus is due.
const mbtaFrom = -30

// tally counts what was right.
type tally struct{ right, all int }

func (t *tally) add(right bool) {
	t.all++
	if right {
		t.right++
	}
}

// percent is the share of what was right; 0 of nothing.
func (t tally) percent() float64 {
	if t.all == 0 {
		return 0
	}
	return math.Round(10000*float64(t.right)/float64(t.all)) / 100
}

// score adds up.
type score struct {
	arrivals    int
	bench, mbta [4]tally
	said, cover tally
	way, trip   tally
	absolute    [4]float64
	signed      float64
	saidIn      [4]int
}

// infer scores what the bus was taken for; unknown is wrong.
func (s *score) infer(said, real *track.State) {
	known := said.Pattern != nil
	s.way.add(known && said.Pattern.Route == real.Pattern.Route && said.Pattern.Direction == real.Pattern.Direction)
	s.trip.add(known && said.Run == real.Run)
}

// add scores a claim; one that was not made is wrong.
func (s *score) add(c *claim, actual time.Time) {
	ahead := actual.Sub(c.made).Seconds()
	if ahead < 0 {
		return
	}
	off := actual.Sub(c.Expected).Seconds()
	if i := binOf(&benchmark, ahead); i >= 0 {
		w := benchmark[i]
		s.said.add(c.said)
		s.bench[i].add(c.said && w.early <= off && off <= w.late)
		if c.said {
			s.cover.add(!actual.Before(c.P10) && !actual.After(c.P90))
			s.absolute[i] += math.Abs(off)
			s.saidIn[i]++
			s.signed += off
		}
	}
	lead := ahead
	if c.said {
		lead = c.Expected.Sub(c.made).Seconds()
	}
	if i := binOf(&mbta, lead); i >= 0 && lead >= mbtaFrom && ahead <= mbta[3].upTo {
		w := mbta[i]
		s.mbta[i].add(c.said && w.early <= off && off <= w.late)
	}
}

// binOf returns the bin of a horizon, or -1.
func binOf(bins *[4]window, horizon float64) int {
	for i, w := range bins {
		if horizon <= w.upTo {
			return i
		}
	}
	return -1
}

// Report is the outcome. Shares are in percent, errors in seconds (actual minus told).
type Report struct {
	Benchmark      float64    `json:"eta_benchmark"`
	BenchmarkBins  [4]float64 `json:"eta_benchmark_bins"` // 0–3, 3–6, 6–10, 10–15 min to the arrival
	MBTA           float64    `json:"mbta"`
	MBTABins       [4]float64 `json:"mbta_bins"` // 0–3, 3–6, 6–12, 12–30 min told
	Cover          float64    `json:"p10_p90_cover"`
	Predicted      float64    `json:"predicted_share"`
	RouteDirection float64    `json:"route_direction_right"`
	Trip           float64    `json:"trip_right"`
	MAE            [4]float64 `json:"mae_s"` // by the benchmark's bins
	Bias           float64    `json:"bias_s"`
	Arrivals       int        `json:"arrivals"`
	Predictions    int        `json:"predictions"`
}

// Report sums up what was seen so far.
func (e *ETA) Report() Report { return e.score.report() }

func (s *score) report() Report {
	r := Report{
		Cover: s.cover.percent(), Predicted: s.said.percent(), RouteDirection: s.way.percent(), Trip: s.trip.percent(),
		Arrivals: s.arrivals, Predictions: s.said.all,
	}
	var all tally
	sum := 0.0
	for i := range s.bench {
		r.BenchmarkBins[i], r.MBTABins[i] = s.bench[i].percent(), s.mbta[i].percent()
		sum += r.BenchmarkBins[i]
		all.right, all.all = all.right+s.mbta[i].right, all.all+s.mbta[i].all
		if s.saidIn[i] > 0 {
			r.MAE[i] = math.Round(10*s.absolute[i]/float64(s.saidIn[i])) / 10
		}
	}
	r.Benchmark, r.MBTA = math.Round(100*sum/4)/100, all.percent()
	if s.said.right > 0 {
		r.Bias = math.Round(10*s.signed/float64(s.said.right)) / 10
	}
	return r
}
