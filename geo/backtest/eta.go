// Package backtest replays recordings through the production code, without looking ahead, and compares its
// predictions and estimates with what happened.
package backtest

import (
	"time"

	"nhip"
	"nhip/geo/backtest/truth"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
)

// warmUp is how long a bus must be observed before the trip inferred for it is scored.
const warmUp = 5 * time.Minute

// horizon is how far ahead predictions are requested. It exceeds the benchmarks' horizons, because a prediction
// that is too late may still concern an arrival within them.
const horizon = 90 * time.Minute

// ETA scores arrival predictions, boards and trip inference. The engine gets each position as it was recorded. What
// really happened was determined before, by package truth.
type ETA struct {
	engine    *track.Tracker
	predictor *predict.Predictor
	plain     *plainModel
	board     *boardReplay
	journeys  map[string][]truth.Journey // by vehicle, ordered by beginning
	unknown   int

	first  map[string]time.Time     // first position of each bus
	ahead  []predict.StopPrediction // reused between calls
	simple []yardstickTimes         // reused between calls
	score  score
}

// NewETA returns a backtest on a network. actual are the positions with their true trips.
func NewETA(n *network.Network, actual []nhip.Position) *ETA {
	journeys, unknown := truth.Extract(n, actual)
	e := &ETA{
		engine: track.New(n), predictor: predict.New(n), plain: newPlainModel(n), board: newBoardReplay(journeys),
		journeys: make(map[string][]truth.Journey), unknown: unknown, first: make(map[string]time.Time),
	}
	e.score.lean = predict.Lean
	for _, j := range journeys {
		e.journeys[j.Vehicle] = append(e.journeys[j.Vehicle], j)
		e.score.arrivals += len(j.Arrivals)
	}
	return e
}

// UseLean tells times early by another lean than predict.Lean, those of the yardsticks too. It must be called before
// the first position.
func (e *ETA) UseLean(lean float64) {
	e.predictor = predict.NewLeaning(e.engine.Network(), lean)
	e.score.lean = lean
}

// UnknownTrips returns the number of positions whose true trip the timetable lacks.
func (e *ETA) UnknownTrips() int { return e.unknown }

// Observe processes one position as it was recorded; trip is the true one, "" if unknown. Positions must be in the
// order of their times.
func (e *ETA) Observe(recorded *nhip.Position, trip string) {
	id := recorded.Vehicle
	if _, known := e.first[id]; !known {
		e.first[id] = recorded.Time
	}
	e.board.advance(recorded.Time)
	inferred := e.engine.Update(id, recorded, "")
	for i := range inferred.StopEvents {
		e.predictor.Observe(predict.ArrivalOf(id, &inferred.StopEvents[i]))
		e.plain.observe(id, &inferred.StopEvents[i])
	}
	e.ahead = e.ahead[:0]
	if inferred.Pattern != nil && !inferred.Stranded() {
		b := predict.BusOf(id, &inferred)
		e.ahead = e.predictor.Predict(e.ahead, b, horizon)
		e.predictor.Show(b, e.ahead)
	}
	e.board.move(id, &inferred, e.ahead)
	j := e.journeyAt(id, trip, recorded.Time)
	if j == nil {
		return
	}
	if recorded.Time.Sub(e.first[id]) >= warmUp {
		e.score.infer(&inferred, j.Instance)
	}
	e.scorePredictions(recorded.Time, id, &inferred, j)
}

// journeyAt returns the journey that a bus is really on, nil if it is on none: before it leaves its first stop, after
// its last one, and where its positions are no evidence.
func (e *ETA) journeyAt(vehicle, trip string, now time.Time) *truth.Journey {
	all := e.journeys[vehicle]
	for i := range all {
		if j := &all[i]; trip != "" && j.Trip == trip && j.Begins().Before(now) && len(j.Ahead(now)) > 0 {
			return j
		}
	}
	return nil
}

// scorePredictions compares the engine's and the yardsticks' predictions with the arrivals that the bus really has
// ahead.
func (e *ETA) scorePredictions(now time.Time, vehicle string, inferred *track.State, j *truth.Journey) {
	simple, first := e.simple[:0], 0
	if inferred.Pattern != nil {
		first, simple = e.plain.predictions(simple, predict.BusOf(vehicle, inferred), inferred.Deviation)
	}
	e.simple = simple
	remaining, deviation := e.ahead, j.Deviation(now)
	if len(remaining) > 0 && remaining[0].Index == 0 {
		remaining = remaining[1:] // a departure
	}
	for _, a := range j.Ahead(now) {
		p, times := prediction{time: now, deviation: deviation}, noTimes
		for k := range remaining {
			if inferred.Pattern.Stops[remaining[k].Index] == j.Instance.Pattern.Stops[a.Stop] {
				p.made, p.StopPrediction = true, remaining[k]
				times = simple[remaining[k].Index-first]
				remaining = remaining[k+1:]
				break
			}
		}
		times[byTimetable] = time.Unix(j.Instance.Arrives(a.Stop), 0).Sub(now).Seconds()
		e.score.add(&p, a.Time)
		e.score.addYardsticks(times, a.Time.Sub(now).Seconds())
	}
}

// Report returns the result.
func (e *ETA) Report() Report {
	e.board.finish()
	r := e.score.report()
	r.BoardReport = e.board.report()
	return r
}
