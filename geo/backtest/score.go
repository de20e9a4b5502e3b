package backtest

import (
	"math"
	"time"

	"nhip/geo/backtest/truth"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
)

// window is the tolerance for a horizon in s: an error (actual minus predicted) from early to late is accurate.
type window struct{ upTo, early, late float64 }

// benchmark is the ETA Accuracy Benchmark (github.com/TransitApp/ETA-Accuracy-Benchmark): bins by time to the
// actual arrival; the score is the mean of the four bins.
var benchmark = [4]window{{180, -30, 90}, {360, -60, 150}, {600, -60, 210}, {900, -90, 270}}

// mbta is the measure of the MBTA (mbta/prediction_analyzer): bins by predicted lead time; the score is the share
// over all predictions.
var mbta = [4]window{{180, -60, 60}, {360, -90, 120}, {720, -150, 210}, {1800, -240, 360}}

// mbtaFrom is the shortest lead time that the MBTA scores, in s: the bus is due.
const mbtaFrom = -30

// tally counts successes.
type tally struct{ right, all int }

func (t *tally) add(right bool) {
	t.all++
	if right {
		t.right++
	}
}

// percent returns the share of successes in percent, 0 without trials.
func (t tally) percent() float64 {
	if t.all == 0 {
		return 0
	}
	return math.Round(10000*float64(t.right)/float64(t.all)) / 100
}

// prediction is the prediction for one stop at one time.
type prediction struct {
	time      time.Time
	made      bool    // false if the engine made no prediction for the stop
	deviation float64 // s that the bus was really late; NaN if unknown
	predict.StopPrediction
}

// score accumulates the results.
type score struct {
	lean                 float64 // of the yardsticks
	arrivals             int
	benchmark, mbta      [4]tally
	predicted            tally
	routeDirection, trip tally
	errors, deviations   [4]errorSum // by bin of the benchmark, by deviation
	yardsticks           [yardsticks][2][4]tally
}

// errorSum sums up the errors of predictions that were made, in s, later than predicted being positive.
type errorSum struct {
	cover                        tally
	signed, signedP50, magnitude float64
}

func (e *errorSum) add(p *prediction, actual time.Time) {
	late := actual.Sub(p.Expected).Seconds()
	e.cover.add(!actual.Before(p.P10) && !actual.After(p.P90))
	e.signed += late
	e.signedP50 += actual.Sub(p.P50).Seconds()
	e.magnitude += math.Abs(late)
}

// mean returns the mean of a sum in s, 0 without errors.
func (e *errorSum) mean(sum float64) float64 {
	return math.Round(10*sum/float64(max(e.cover.all, 1))) / 10
}

// deviationEdges separate the classes of deviation in s: ahead of the timetable, on time, late, very late.
var deviationEdges = [3]float64{-60, 60, 300}

func deviationClass(deviation float64) int {
	for i, e := range deviationEdges {
		if deviation < e {
			return i
		}
	}
	return len(deviationEdges)
}

// infer scores the inferred trip. An unknown trip is wrong.
func (s *score) infer(inferred *track.State, actual *network.TripInstance) {
	known := inferred.Pattern != nil
	s.routeDirection.add(known && inferred.Pattern.Route == actual.Pattern.Route &&
		inferred.Pattern.Direction == actual.Pattern.Direction)
	s.trip.add(known && truth.Same(inferred.Instance, actual))
}

// add scores a prediction for an arrival. A missing prediction is wrong.
func (s *score) add(p *prediction, actual time.Time) {
	ahead := actual.Sub(p.time).Seconds()
	if ahead < 0 {
		return
	}
	late := actual.Sub(p.Expected).Seconds()
	if i := binOf(&benchmark, ahead); i >= 0 {
		s.predicted.add(p.made)
		s.benchmark[i].add(p.made && benchmark[i].accepts(late))
		if p.made {
			s.errors[i].add(p, actual)
			if !math.IsNaN(p.deviation) {
				s.deviations[deviationClass(p.deviation)].add(p, actual)
			}
		}
	}
	lead := ahead
	if p.made {
		lead = p.Expected.Sub(p.time).Seconds()
	}
	if i := binOf(&mbta, lead); i >= 0 && lead >= mbtaFrom && ahead <= mbta[3].upTo {
		s.mbta[i].add(p.made && mbta[i].accepts(late))
	}
}

// addYardsticks scores the yardsticks' predictions for an arrival that many s ahead, as they are and told early.
func (s *score) addYardsticks(times yardstickTimes, ahead float64) {
	i := binOf(&benchmark, ahead)
	if i < 0 || ahead < 0 {
		return
	}
	for k, lead := range times { // comparisons with NaN are false
		s.yardsticks[k][asIs][i].add(benchmark[i].accepts(ahead - lead))
		s.yardsticks[k][early][i].add(benchmark[i].accepts(ahead - predict.TellEarly(lead, s.lean)))
	}
}

// The ways in which a yardstick's time is told.
const (
	asIs = iota
	early
)

// accepts reports whether an error (actual minus predicted) is accurate.
func (w *window) accepts(late float64) bool { return w.early <= late && late <= w.late }

// binOf returns the bin of a horizon, or -1.
func binOf(bins *[4]window, horizon float64) int {
	for i, w := range bins {
		if horizon <= w.upTo {
			return i
		}
	}
	return -1
}

// Report is the result. Shares are in percent, errors in seconds (actual minus predicted).
type Report struct {
	Benchmark      float64    `json:"eta_benchmark"`
	BenchmarkBins  [4]float64 `json:"eta_benchmark_bins"` // 0–3, 3–6, 6–10, 10–15 min to the arrival
	MBTA           float64    `json:"mbta"`
	MBTABins       [4]float64 `json:"mbta_bins"` // 0–3, 3–6, 6–12, 12–30 min predicted
	Cover          float64    `json:"p10_p90_cover"`
	Predicted      float64    `json:"predicted_share"`
	RouteDirection float64    `json:"route_direction_right"`
	Trip           float64    `json:"trip_right"`
	MAE            [4]float64 `json:"mae_s"` // by the bins of the benchmark
	Bias           float64    `json:"bias_s"`
	BiasBins       [4]float64 `json:"bias"`     // by the bins of the benchmark
	BiasP50        [4]float64 `json:"bias_p50"` // of the middle of the range instead of the time for riders
	CoverBins      [4]float64 `json:"cover_bins"`

	// By how late the bus really was: more than 1 min ahead, on time, 1–5 min late, more.
	BiasByDeviation  [4]float64 `json:"bias_by_deviation"`
	CoverByDeviation [4]float64 `json:"cover_by_deviation"`
	DeviationShares  [4]float64 `json:"deviation_shares"` // of the predictions

	Yardsticks YardstickReports `json:"yardsticks"`
	BoardReport

	Arrivals    int `json:"arrivals"`
	Predictions int `json:"predictions"`
}

func (s *score) report() Report {
	r := Report{
		Predicted: s.predicted.percent(), RouteDirection: s.routeDirection.percent(), Trip: s.trip.percent(),
		Arrivals: s.arrivals, Predictions: s.predicted.all,
	}
	var all tally
	var errs errorSum
	for i := range s.benchmark {
		r.BenchmarkBins[i], r.MBTABins[i] = s.benchmark[i].percent(), s.mbta[i].percent()
		all.right, all.all = all.right+s.mbta[i].right, all.all+s.mbta[i].all
		e := &s.errors[i]
		r.MAE[i], r.BiasBins[i], r.BiasP50[i] = e.mean(e.magnitude), e.mean(e.signed), e.mean(e.signedP50)
		r.CoverBins[i] = e.cover.percent()
		errs.signed += e.signed
		errs.cover.right, errs.cover.all = errs.cover.right+e.cover.right, errs.cover.all+e.cover.all
	}
	r.Benchmark, r.MBTA = meanOfBins(&s.benchmark), all.percent()
	r.Cover, r.Bias = errs.cover.percent(), errs.mean(errs.signed)
	for i := range s.deviations {
		e := &s.deviations[i]
		r.BiasByDeviation[i], r.CoverByDeviation[i] = e.mean(e.signed), e.cover.percent()
		r.DeviationShares[i] = tally{e.cover.all, errs.cover.all}.percent()
	}
	for k, y := range [yardsticks]*YardstickReport{
		&r.Yardsticks.Timetable, &r.Yardsticks.TimetableDeviation, &r.Yardsticks.Last3, &r.Yardsticks.AllEarlier,
	} {
		y.AsIs, y.Early = meanOfBins(&s.yardsticks[k][asIs]), meanOfBins(&s.yardsticks[k][early])
	}
	return r
}

// meanOfBins returns the mean share of the bins in percent, as the benchmark does. A bin without trials doesn't count:
// on a line of ten minutes no bus is ever more than ten minutes away.
func meanOfBins(bins *[4]tally) float64 {
	sum, n := 0.0, 0.0
	for _, b := range bins {
		if b.all > 0 {
			sum, n = sum+b.percent(), n+1
		}
	}
	return math.Round(100*sum/max(n, 1)) / 100
}

// YardstickReports are the scores of simple predictions, for the same buses at the same moments as the engine's.
type YardstickReports struct {
	Timetable          YardstickReport `json:"timetable"`           // the time of the real trip; needs no bus
	TimetableDeviation YardstickReport `json:"timetable_deviation"` // plus the present deviation of the bus
	Last3              YardstickReport `json:"last3"`               // mean of the last three buses from stop to stop
	AllEarlier         YardstickReport `json:"all_earlier"`         // mean of all earlier ones
}

// YardstickReport is the ETA Accuracy Benchmark of a yardstick in percent, as it is and told early by predict.Lean.
type YardstickReport struct {
	AsIs  float64 `json:"as_is"`
	Early float64 `json:"early"`
}
