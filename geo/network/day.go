package network

import (
	"cmp"
	"slices"
	"time"

	"nhip/geo/gtfs"
)

// Day is one service day of a network.
type Day struct {
	Date gtfs.Date
	Zero int64 // Unix s of the day's 00:00:00, from which its times count

	runs  [][]*Run // by Pattern.Index, by departure
	trips map[*gtfs.Trip][]*Run
}

// Run is one journey on one day. While its day is in use there is one Run of a journey, so that they compare
// by pointer.
type Run struct {
	gtfs.Run
	Pattern  *Pattern
	Zero     int64 // Unix s of the day's 00:00:00
	Next     *Run  // the same vehicle's next work, where the timetable says so (block_id)
	Headway  bool  // of a frequency that promises no times
	Interval gtfs.Time
}

// Arrives returns when the run reaches its i-th stop, in Unix s.
func (r *Run) Arrives(i int) int64 { return r.Zero + int64(r.Arrival(i)) }

// Departs returns when the run leaves its i-th stop, in Unix s.
func (r *Run) Departs(i int) int64 { return r.Zero + int64(r.Departure(i)) }

// Scheduled returns when the run is that many metres along its line, in Unix s: between two stops by
// distance.
func (r *Run) Scheduled(along float64) float64 {
	p := r.Pattern
	i := p.NextStop(along)
	if i == 0 {
		return float64(r.Departs(0))
	}
	if i > p.Last() {
		return float64(r.Arrives(p.Last()))
	}
	left, reached := float64(r.Departs(i-1)), float64(r.Arrives(i))
	span := p.Along[i] - p.Along[i-1]
	return left + (reached-left)*(along-p.Along[i-1])/span
}

// RunsOf returns a pattern's runs on the day, by departure.
func (d *Day) RunsOf(p *Pattern) []*Run { return d.runs[p.Index] }

// RunsOfTrip returns the runs that a trip makes on the day: one, or those of its frequencies.
func (d *Day) RunsOfTrip(t *gtfs.Trip) []*Run { return d.trips[t] }

// daysKept is how many days a network keeps ready: those that are asked for at one time, and some.
const daysKept = 6

// Day returns a service day.
func (n *Network) Day(date gtfs.Date) *Day {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := n.days[date]
	if d == nil {
		if len(n.days) >= daysKept {
			n.forgetDay()
		}
		d = n.newDay(date)
		n.days[date] = d
	}
	return d
}

func (n *Network) forgetDay() {
	oldest := gtfs.Date(0)
	for date := range n.days {
		if oldest == 0 || date < oldest {
			oldest = date
		}
	}
	delete(n.days, oldest)
}

func (n *Network) newDay(date gtfs.Date) *Day {
	d := &Day{
		Date: date, Zero: date.At(0, n.Location()).Unix(),
		runs: make([][]*Run, len(n.Patterns)), trips: make(map[*gtfs.Trip][]*Run),
	}
	blocks := make(map[string][]*Run)
	for _, run := range n.Feed.Runs(date) {
		r := &Run{Run: run, Pattern: n.ofTrip[run.Trip], Zero: d.Zero}
		for _, q := range run.Trip.Frequencies {
			if q.Start <= run.Start && run.Start < q.End {
				r.Headway, r.Interval = !q.Exact, q.Headway
			}
		}
		d.runs[r.Pattern.Index] = append(d.runs[r.Pattern.Index], r)
		d.trips[run.Trip] = append(d.trips[run.Trip], r)
		if b := run.Trip.Block; b != "" && len(run.Trip.Frequencies) == 0 {
			blocks[b] = append(blocks[b], r)
		}
	}
	for _, block := range blocks {
		slices.SortStableFunc(block, func(a, b *Run) int { return cmp.Compare(a.Start, b.Start) })
		for i := 1; i < len(block); i++ {
			block[i-1].Next = block[i]
		}
	}
	return d
}

// DaysAt returns the service days that may have runs under way at t, the earlier first: trips pass
// midnight.
func (n *Network) DaysAt(t time.Time) [2]*Day {
	today := gtfs.DateOf(t.In(n.Location()))
	return [2]*Day{n.Day(today.Add(-1)), n.Day(today)}
}
