package backtest

import (
	"slices"
	"time"

	"nhip"
	"nhip/geo/backtest/truth"
	"nhip/geo/board"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
)

// boardAhead is how long before its arrival a bus is looked for on the boards.
const boardAhead = 15 * time.Minute

// boardReplay asks at each whole minute what the boards of all stops offer of the arrivals of the next 15 minutes: a
// bus on its way, else a bus that waits at its first stop, else the timetable, else nothing.
type boardReplay struct {
	arrivals []boardArrival // by time
	gone     int            // arrivals before the present minute
	minute   time.Time      // the next one; zero before the first position
	last     time.Time      // of the last position

	buses  map[string]*boardBus // by vehicle
	onTrip map[instanceKey]*boardBus

	parts [boardParts][4]tally
}

// The parts of a board.
const (
	boardLive = iota
	boardWaiting
	boardTimetable
	boardNothing
	boardParts // their number
)

// boardArrival is an arrival that a rider waits for.
type boardArrival struct {
	truth.Arrival
	journey *truth.Journey
}

// boardBus is a bus as the boards see it.
type boardBus struct {
	board.Bus
	state    track.State
	interval time.Duration // between the last two positions
}

// instanceKey identifies a trip instance, whose address may change when a network evicts a day.
type instanceKey struct {
	trip  *gtfs.Trip
	day   gtfs.Date
	start gtfs.Time
}

func keyOf(t *network.TripInstance) instanceKey { return instanceKey{t.Trip, t.Day, t.Start} }

func newBoardReplay(journeys []truth.Journey) *boardReplay {
	r := &boardReplay{buses: make(map[string]*boardBus), onTrip: make(map[instanceKey]*boardBus)}
	for i := range journeys {
		for _, a := range journeys[i].Arrivals {
			r.arrivals = append(r.arrivals, boardArrival{a, &journeys[i]})
		}
	}
	slices.SortStableFunc(r.arrivals, func(a, b boardArrival) int { return a.Time.Compare(b.Time) })
	return r
}

// advance asks the boards of all whole minutes before a time.
func (r *boardReplay) advance(until time.Time) {
	if r.minute.IsZero() {
		r.minute = until.Truncate(time.Minute).Add(time.Minute)
	}
	if until.After(r.last) {
		r.last = until
	}
	for r.minute.Before(until) {
		for r.gone < len(r.arrivals) && !r.arrivals[r.gone].Time.After(r.minute) {
			r.gone++
		}
		if r.gone == len(r.arrivals) {
			return
		}
		if wait := r.arrivals[r.gone].Time.Sub(r.minute) - boardAhead; wait > 0 { // nobody waits until then
			r.minute = r.minute.Add(max(wait.Truncate(time.Minute), time.Minute))
			continue
		}
		for _, a := range r.arrivals[r.gone:] {
			if a.Time.Sub(r.minute) > boardAhead {
				break
			}
			r.ask(&a, r.minute)
		}
		r.minute = r.minute.Add(time.Minute)
	}
}

// finish asks the boards until the last position.
func (r *boardReplay) finish() {
	if !r.minute.IsZero() {
		r.advance(r.last.Add(time.Nanosecond))
	}
}

// move replaces a bus and its predictions.
func (r *boardReplay) move(vehicle string, s *track.State, ahead []predict.StopPrediction) {
	b := r.buses[vehicle]
	if b == nil {
		b = &boardBus{}
		b.State = &b.state
		r.buses[vehicle] = b
	}
	if old := b.state.Instance; old != nil && r.onTrip[keyOf(old)] == b {
		delete(r.onTrip, keyOf(old))
	}
	if !b.state.Time.IsZero() {
		b.interval = s.Time.Sub(b.state.Time)
	}
	b.state, b.Ahead = *s, append(b.Ahead[:0], ahead...)
	if s.Instance != nil {
		r.onTrip[keyOf(s.Instance)] = b
	}
}

// ask scores what the board of the stop offers of an arrival.
func (r *boardReplay) ask(a *boardArrival, now time.Time) {
	told, part := r.offered(a, now)
	if told.Before(now) {
		told = now // a board tells 0 minutes
	}
	i := binOf(&benchmark, a.Time.Sub(now).Seconds())
	late := a.Time.Sub(told).Seconds()
	r.parts[part][i].add(part != boardNothing && benchmark[i].accepts(late))
}

// offered returns the time that a board offers of an arrival, and by what.
func (r *boardReplay) offered(a *boardArrival, now time.Time) (told time.Time, part int) {
	trip := a.journey.Instance
	own, onTrip := r.buses[a.journey.Vehicle].shown(now), r.onTrip[keyOf(trip)].shown(now)
	for _, b := range [...]*boardBus{own, onTrip} {
		if b == nil {
			continue
		}
		if o, ok := b.offer(a, now); ok {
			if b.Waits() {
				return o.Expected, boardWaiting
			}
			return o.Expected, boardLive
		}
	}
	var bus *board.Bus
	if onTrip != nil {
		bus = &onTrip.Bus
	}
	if board.OffersTimetable(trip, bus, a.Stop, now) {
		return time.Unix(trip.Departs(a.Stop), 0), boardTimetable
	}
	return time.Time{}, boardNothing
}

// shown returns the bus as the live map shows it at a time, nil if it shows none.
func (b *boardBus) shown(now time.Time) *boardBus {
	if b == nil {
		return nil
	}
	onMap := nhip.Bus{Time: b.state.Time, Interval: b.interval.Seconds()}
	if onMap.Expired(now) {
		return nil
	}
	b.Reports = onMap.State(now) == nhip.StateLive
	return b
}

// offer returns what a board offers of a bus for an arrival: by the trip or, once the bus is under way, by its line
// and the stop, whichever trip it is matched to.
func (b *boardBus) offer(a *boardArrival, now time.Time) (board.Offer, bool) {
	trip, s := a.journey.Instance, &b.state
	switch {
	case s.Pattern == nil:
		return board.Offer{}, false
	case s.Pattern == trip.Pattern && truth.Same(s.Instance, trip):
		return b.Offer(a.Stop, now)
	case s.Pattern.Route != trip.Pattern.Route || now.Before(a.journey.Begins()):
		return board.Offer{}, false
	}
	for i := max(s.Next, 1); i <= s.Pattern.Last(); i++ {
		if s.Pattern.Stops[i] == trip.Pattern.Stops[a.Stop] {
			return b.Offer(i, now)
		}
	}
	return board.Offer{}, false
}

// BoardReport is how right the boards were in the last 15 minutes before each arrival, at each whole minute. Shares
// are in percent; bins are those of the benchmark.
type BoardReport struct {
	Board     float64          `json:"board"` // mean of the bins
	BoardBins [4]float64       `json:"board_bins"`
	Parts     BoardParts       `json:"board_parts"` // shares of all minutes
	PartBins  BoardPartDetails `json:"board_parts_detail"`
}

// BoardParts are the shares of the minutes in which a board offered a bus on its way, a bus that waits at its first
// stop, only the timetable, and nothing.
type BoardParts struct {
	Live      float64 `json:"live"`
	Waiting   float64 `json:"waiting"`
	Timetable float64 `json:"timetable"`
	Nothing   float64 `json:"nothing"`
}

// BoardPartDetails are the parts in detail.
type BoardPartDetails struct {
	Live      BoardPart `json:"live"`
	Waiting   BoardPart `json:"waiting"`
	Timetable BoardPart `json:"timetable"`
	Nothing   BoardPart `json:"nothing"`
}

// BoardPart is one part: how often it was right, and by bin its share of the minutes and how often it was right there.
type BoardPart struct {
	Right     float64    `json:"right"`
	ShareBins [4]float64 `json:"share_bins"`
	RightBins [4]float64 `json:"right_bins"`
}

func (r *boardReplay) report() BoardReport {
	var out BoardReport
	var bins [4]tally
	all := 0
	for _, part := range r.parts {
		for i, t := range part {
			bins[i] = tally{bins[i].right + t.right, bins[i].all + t.all}
			all += t.all
		}
	}
	for i := range bins {
		out.BoardBins[i] = bins[i].percent()
	}
	out.Board = meanOfBins(&bins)
	shares := [boardParts]*float64{&out.Parts.Live, &out.Parts.Waiting, &out.Parts.Timetable, &out.Parts.Nothing}
	details := [boardParts]*BoardPart{
		&out.PartBins.Live, &out.PartBins.Waiting, &out.PartBins.Timetable, &out.PartBins.Nothing,
	}
	for k, part := range r.parts {
		var whole tally
		for i, t := range part {
			whole = tally{whole.right + t.right, whole.all + t.all}
			details[k].ShareBins[i] = tally{t.all, bins[i].all}.percent()
			details[k].RightBins[i] = t.percent()
		}
		details[k].Right = whole.percent()
		*shares[k] = tally{whole.all, all}.percent()
	}
	return out
}
