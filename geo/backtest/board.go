package backtest

import (
	"slices"
	"time"

	"nhip"
	"nhip/geo/backtest/truth"
	"nhip/geo/board"
	"nhip/geo/network"
)

// boardAhead is how long before its arrival a bus is looked for on the boards.
const boardAhead = 15 * time.Minute

// boardReplay asks at each whole minute what the boards of all stops offer of the arrivals of the next 15 minutes: a
// bus on its way, else a bus that waits at its first stop, else one that serves the trip before, else the timetable,
// else nothing.
type boardReplay struct {
	arrivals []boardArrival // by time
	gone     int            // arrivals before the present minute
	minute   time.Time      // the next one; zero before the first position
	last     time.Time      // of the last position

	fleet *board.Fleet
	seen  map[string]seenBus // by vehicle

	score  boardScore
	ghosts *ghostSearch
}

// The parts of a board.
const (
	boardLive = iota
	boardWaiting
	boardNext
	boardTimetable
	boardNothing
	boardParts // their number
)

// boardArrival is an arrival that a rider waits for.
type boardArrival struct {
	truth.Arrival
	journey *truth.Journey
}

// seenBus is when the last position of a bus came, and how long after the one before.
type seenBus struct {
	time     time.Time
	interval time.Duration
}

func newBoardReplay(n *network.Network, fleet *board.Fleet, journeys []truth.Journey) *boardReplay {
	r := &boardReplay{fleet: fleet, seen: make(map[string]seenBus), ghosts: newGhostSearch(n, journeys)}
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
		r.ghosts.ask(r, r.minute)
		r.minute = r.minute.Add(time.Minute)
	}
}

// finish asks the boards until the last position.
func (r *boardReplay) finish() {
	if !r.minute.IsZero() {
		r.advance(r.last.Add(time.Nanosecond))
	}
}

// move notes that a position of a bus came.
func (r *boardReplay) move(vehicle string, at time.Time) {
	b := seenBus{time: at}
	if last, known := r.seen[vehicle]; known {
		b.interval = at.Sub(last.time)
	}
	r.seen[vehicle] = b
}

// ask scores what the board of the stop offers of an arrival.
func (r *boardReplay) ask(a *boardArrival, now time.Time) {
	told, part := r.offered(a, now)
	r.score.add(part, now, told, a.Time)
}

// offered returns the time that a board offers of an arrival, and by what.
func (r *boardReplay) offered(a *boardArrival, now time.Time) (told time.Time, part int) {
	trip := a.journey.Instance
	own := r.shown(r.fleet.Bus(a.journey.Vehicle), now)
	onTrip := r.shown(r.fleet.On(trip), now)
	for _, b := range [...]*board.Bus{own, onTrip} {
		if b == nil {
			continue
		}
		if o, ok := offerFor(b, a, now); ok {
			if b.Waits() {
				return o.Expected, boardWaiting
			}
			return o.Expected, boardLive
		}
	}
	told, part, _ = r.promised(trip, a.Stop, now)
	return told, part
}

// promised returns the time that a board offers of a trip at a stop, by what, and the vehicle if one is promised.
func (r *boardReplay) promised(trip *network.TripInstance, stop int, now time.Time) (time.Time, int, string) {
	v := r.fleet.On(trip)
	onTrip := r.shown(v, now)
	if onTrip != nil {
		if o, ok := onTrip.Offer(stop, now); ok {
			if onTrip.Waits() {
				return o.Expected, boardWaiting, v.ID
			}
			return o.Expected, boardLive, v.ID
		}
	}
	if v, next := r.fleet.Next(trip, now); next != nil {
		if b := r.shown(v, now); b != nil {
			if o, ok := v.OnNext(next, b.Reports).Offer(stop, now); ok {
				return o.Expected, boardNext, v.ID
			}
		}
	}
	if o, ok := r.fleet.OfferTimetable(trip, onTrip, stop, now); ok {
		return o.Expected, boardTimetable, ""
	}
	return time.Time{}, boardNothing, ""
}

// shown returns a bus as boards see it at a time, nil if the live map shows none.
func (r *boardReplay) shown(v *board.Vehicle, now time.Time) *board.Bus {
	if v == nil {
		return nil
	}
	seen := r.seen[v.ID]
	onMap := nhip.Bus{Time: seen.time, Interval: seen.interval.Seconds()}
	if onMap.Expired(now) {
		return nil
	}
	return v.OnBoard(onMap.State(now) == nhip.StateLive)
}

// offerFor returns what a board offers of a bus for an arrival: by the trip or, once the bus is under way, by its line
// and the stop, whichever trip it is matched to.
func offerFor(b *board.Bus, a *boardArrival, now time.Time) (board.Offer, bool) {
	trip, s := a.journey.Instance, b.State
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
	Minutes   int              `json:"board_minutes"` // number of questions
	Ghosts    GhostReport      `json:"ghosts"`
}

// BoardParts are the shares of the minutes in which a board offered a bus on its way, a bus that has not begun the trip
// (it waits at the first stop or serves the trip before), no bus but a time, and nothing.
type BoardParts struct {
	Live      float64 `json:"live"`
	Waiting   float64 `json:"waiting"`
	Timetable float64 `json:"timetable"`
	Nothing   float64 `json:"nothing"`
}

// BoardPartDetails are the parts in detail. Next is the part of Waiting whose bus serves the trip before.
type BoardPartDetails struct {
	Live      BoardPart `json:"live"`
	Waiting   BoardPart `json:"waiting"`
	Next      BoardPart `json:"next"`
	Timetable BoardPart `json:"timetable"`
	Nothing   BoardPart `json:"nothing"`
}

// BoardPart is one part: its share of the minutes and how often it was right, also by bin.
type BoardPart struct {
	Share     float64    `json:"share"`
	Right     float64    `json:"right"`
	ShareBins [4]float64 `json:"share_bins"`
	RightBins [4]float64 `json:"right_bins"`
}

// boardScore is what became of questions to boards, by part.
type boardScore struct {
	parts  [boardParts][4]tally // by bin
	ghosts [boardParts]tally    // of promises; right are the ghosts
}

// add scores what was told at a time of an arrival.
func (s *boardScore) add(part int, now, told, arrived time.Time) {
	if told.Before(now) {
		told = now // a board tells 0 minutes
	}
	if i := binOf(&benchmark, arrived.Sub(now).Seconds()); i >= 0 {
		s.parts[part][i].add(part != boardNothing && benchmark[i].accepts(arrived.Sub(told).Seconds()))
	}
}

func (s *boardScore) report() BoardReport {
	out := BoardReport{Ghosts: ghostReport(&s.ghosts)}
	var bins [4]tally
	all := 0
	for _, part := range s.parts {
		for i, t := range part {
			bins[i] = tally{bins[i].right + t.right, bins[i].all + t.all}
			all += t.all
		}
	}
	for i := range bins {
		out.BoardBins[i] = bins[i].percent()
	}
	out.Board, out.Minutes = meanOfBins(&bins), all
	parts := s.parts
	for i, t := range parts[boardNext] { // which has not begun its trip either
		w := &parts[boardWaiting][i]
		*w = tally{w.right + t.right, w.all + t.all}
	}
	p, d := &out.Parts, &out.PartBins
	shares := [boardParts]*float64{&p.Live, &p.Waiting, new(float64), &p.Timetable, &p.Nothing}
	details := [boardParts]*BoardPart{&d.Live, &d.Waiting, &d.Next, &d.Timetable, &d.Nothing}
	for k, part := range parts {
		var whole tally
		for i, t := range part {
			whole = tally{whole.right + t.right, whole.all + t.all}
			details[k].ShareBins[i] = tally{t.all, bins[i].all}.percent()
			details[k].RightBins[i] = t.percent()
		}
		details[k].Share = tally{whole.all, all}.percent()
		details[k].Right, *shares[k] = whole.percent(), details[k].Share
	}
	return out
}
