package transit

import (
	"cmp"
	"time"

	"nhip/geo/board"
	"nhip/geo/network"
)

// How boards are asked for their score. The patterns take turns, so that each second has its share of the work.
const (
	askPeriod = 60               // s; the patterns whose index has the same remainder are asked in one second
	askStops  = 4                // of so many stops of a trip, one is asked in each period
	askEarly  = 30 * time.Minute // before the timetable
	askLate   = time.Hour        // after it, of trips of which the board tells nothing
)

// askBoards asks the boards of the patterns whose turn has come since the last call. The first call asks those of this
// second alone: most buses are not known yet.
func (t *Timetable) askBoards(now time.Time) {
	t.tracker.mu.RLock() // always before that of the score
	defer t.tracker.mu.RUnlock()
	s := t.tracker.boards
	s.mu.Lock()
	defer s.mu.Unlock()
	t.feeds.decide(now)
	second := now.Unix()
	if s.asked == 0 || s.asked > second+askPeriod { // in the latter case the clock was set back
		s.asked = second - 1
	}
	if second <= s.asked {
		return
	}
	from := max(s.asked+1, second-askPeriod+1)
	s.asked = second
	days := t.Network.DaysBetween(now, now.Add(askEarly))
	for at := from; at <= second; at++ {
		for i := int(at % askPeriod); i < len(t.Network.Patterns); i += askPeriod {
			for _, day := range days {
				for _, trip := range day.TripInstances(t.Network.Patterns[i]) {
					t.askTrip(trip, now)
				}
			}
		}
	}
}

// askTrip asks for one in askStops of the stops of a trip that is under way or soon will be. Where the operator's feed
// says that it does not run, does not call or has other stops, boards expect nothing of it.
func (t *Timetable) askTrip(trip *network.TripInstance, now time.Time) {
	last := trip.Pattern.Last()
	if trip.Departs(0) > now.Add(askEarly).Unix() || trip.Arrives(last) < now.Add(-board.PredictAhead).Unix() {
		return
	}
	state := t.services.of(trip, now)
	if !state.runs() || state.hasOtherStops() {
		return
	}
	for stop := 1 + int(now.Unix()/askPeriod)%askStops; stop <= last; stop += askStops {
		due := time.Unix(trip.Arrives(stop), 0)
		if due.After(now.Add(askEarly)) || due.Before(now.Add(-board.PredictAhead)) || state.skips(stop) {
			continue
		}
		call := network.Call{Pattern: trip.Pattern, At: stop}
		d, waits, ok := t.told(call, trip, now)
		switch {
		case !ok && due.After(now.Add(-askLate)) && !t.tracker.fleet.Passed(trip, stop):
			t.tracker.boards.score.Told(trip, stop, now, now, "", false)
		case ok && d.at.Sub(now) <= askEarly:
			t.tracker.boards.score.Told(trip, stop, now, d.at, cmp.Or(d.ownBasis, d.Basis), waits)
		}
		if feed, ours, theirs, both := d.rivals(); ok && both {
			t.tracker.boards.rivals.Told(feed, trip, stop, now, ours, theirs)
		}
	}
}

// told returns what a board tells of a trip at a call, and whether its bus waits at its first stop. The caller must
// hold the tracker's lock.
func (t *Timetable) told(c network.Call, trip *network.TripInstance, now time.Time) (d Departure, waits, ok bool) {
	if b := t.tracker.on(trip); b != nil {
		if d, ok = t.announcedBus(b, c, now); ok {
			return d, b.nextCall() == 0, true
		}
	}
	d, ok = t.announcedTrip(c, trip, time.Unix(trip.Departs(c.At), 0).UTC(), now)
	return d, false, ok
}
