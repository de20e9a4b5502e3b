// Package backtest replays what was recorded through the real engine, without looking ahead, and holds
// what it said against what happened.
package backtest

import (
	"time"

	"nhip"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
)

// settled is how long a bus is heard before what is inferred of it counts.
const settled = 5 * time.Minute

// beyond is how far ahead predictions are asked for: those told too late still belong to an arrival that
// the benchmarks look at.
const beyond = 90 * time.Minute

// ETA scores arrival predictions and the inference of trips. It gives the engine every fix as it was
// heard, and follows the bus with its true ids beside it to know what really happened.
type ETA struct {
	engine  *track.Tracker
	truth   *track.Tracker
	predict *predict.Predictor

	first map[string]time.Time // when a bus was heard first
	open  map[string][]claim   // what was said of a bus's stops, until it comes there
	room  []predict.Stop
	score score
}

// claim is what was said of one stop at one moment.
type claim struct {
	made time.Time
	run  *network.Run
	stop int
	said bool
	predict.Stop
}

// NewETA returns a test of the engine on a network.
func NewETA(n *network.Network) *ETA {
	return &ETA{
		engine: track.New(n), truth: track.New(n), predict: predict.New(n),
		first: make(map[string]time.Time), open: make(map[string][]claim),
	}
}

// Fix takes in one fix: as the engine hears it, and with the ids that are true. Fixes come in the order
// of their times.
func (e *ETA) Fix(heard, truth *nhip.Position) {
	id := heard.Vehicle
	if _, known := e.first[id]; !known {
		e.first[id] = heard.Time
	}
	real := e.truth.Fix(id, truth, "")
	for i := range real.Passed {
		e.settle(id, &real.Passed[i])
	}
	said := e.engine.Fix(id, heard, "")
	for i := range said.Passed {
		e.predict.Learn(predict.ArrivalOf(id, &said.Passed[i]))
	}
	if real.Status != track.InService || real.Run == nil || !real.Time.Equal(heard.Time) {
		return
	}
	if heard.Time.Sub(e.first[id]) >= settled {
		e.score.infer(&said, &real)
	}
	e.claim(id, &said, &real)
}

// claim notes what the engine says of every stop that the bus really has ahead.
func (e *ETA) claim(id string, said, real *track.State) {
	e.room = e.room[:0]
	if said.Pattern != nil {
		e.room = e.predict.Predict(e.room, predict.BusOf(said), beyond)
	}
	rest := e.room
	for i := real.Next; i <= real.Pattern.Last(); i++ {
		c := claim{made: real.Time, run: real.Run, stop: i}
		for k := range rest {
			if said.Pattern.Stops[rest[k].Index] == real.Pattern.Stops[i] {
				c.said, c.Stop, rest = true, rest[k], rest[k+1:]
				break
			}
		}
		e.open[id] = append(e.open[id], c)
	}
}

// settle holds an arrival against all that was said of it.
func (e *ETA) settle(id string, a *track.Passing) {
	if a.Arrived.IsZero() {
		return
	}
	e.score.arrivals++
	kept := e.open[id][:0]
	for _, c := range e.open[id] {
		switch {
		case c.run != a.Run: // of a trip that was broken off
		case c.stop == a.Stop:
			e.score.add(&c, a.Arrived)
		case c.stop > a.Stop:
			kept = append(kept, c)
		}
	}
	e.open[id] = kept
}
