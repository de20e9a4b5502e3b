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
	Zero int64 // Unix s of the day's 00:00:00; GTFS times count from it

	byPattern [][]*TripInstance // by Pattern.Index, sorted by departure
	longest   []gtfs.Time       // by Pattern.Index: how long the longest of them takes
	byTrip    map[*gtfs.Trip][]*TripInstance
}

// TripInstance is one journey on one day. While a day is cached each journey has a single TripInstance, so
// instances can be compared by pointer.
type TripInstance struct {
	gtfs.TripInstance
	Pattern      *Pattern
	Zero         int64         // Unix s of the day's 00:00:00
	Next         *TripInstance // the vehicle's next journey by block_id, or nil
	Previous     *TripInstance // the inverse of Next
	Sequence     int           // how many journeys the chain of Previous has
	HeadwayBased bool          // from a frequency without exact times
	Interval     gtfs.Time     // the headway of its frequency, or 0

	timed []bool // see timedStops
}

// Arrives returns when the vehicle reaches the i-th stop, in Unix s.
func (t *TripInstance) Arrives(i int) int64 { return t.Zero + int64(t.Arrival(i)) }

// Departs returns when the vehicle leaves the i-th stop, in Unix s.
func (t *TripInstance) Departs(i int) int64 { return t.Zero + int64(t.Departure(i)) }

// Scheduled returns when the vehicle is along metres along the line, in Unix s. Between two stops it is
// interpolated by distance.
func (t *TripInstance) Scheduled(along float64) float64 {
	p := t.Pattern
	i := p.NextStop(along)
	if i == 0 {
		return float64(t.Departs(0))
	}
	if i > p.Last() {
		return float64(t.Arrives(p.Last()))
	}
	left, reached := float64(t.Departs(i-1)), float64(t.Arrives(i))
	span := p.Along[i] - p.Along[i-1]
	return left + (reached-left)*(along-p.Along[i-1])/span
}

// TripInstances returns the instances of a pattern on the day, sorted by departure.
func (d *Day) TripInstances(p *Pattern) []*TripInstance { return d.byPattern[p.Index] }

// TripInstancesWithin returns the instances of a pattern on the day that may be at a stop from a time until another
// one, Unix s, sorted by departure.
func (d *Day) TripInstancesWithin(p *Pattern, from, until int64) []*TripInstance {
	all := d.byPattern[p.Index]
	after := func(t int64) int { // the first that departs at t or later
		i, _ := slices.BinarySearchFunc(all, t, func(x *TripInstance, t int64) int { return cmp.Compare(x.Departs(0), t) })
		return i
	}
	first := after(from - int64(d.longest[p.Index]))
	return all[first:max(first, after(until+1))]
}

// TripInstancesOf returns the instances of a trip on the day: one, or one per departure of its frequencies.
func (d *Day) TripInstancesOf(t *gtfs.Trip) []*TripInstance { return d.byTrip[t] }

// maxDays is how many service days a network caches.
const maxDays = 6

// Day returns a service day, from the cache if possible. When the cache is full it evicts the oldest day.
func (n *Network) Day(date gtfs.Date) *Day {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := n.days[date]
	if d == nil {
		if len(n.days) >= maxDays {
			n.evictDay()
		}
		d = n.newDay(date)
		n.days[date] = d
	}
	return d
}

func (n *Network) evictDay() {
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
		byPattern: make([][]*TripInstance, len(n.Patterns)), byTrip: make(map[*gtfs.Trip][]*TripInstance),
		longest: make([]gtfs.Time, len(n.Patterns)),
	}
	blocks := make(map[string][]*TripInstance)
	for _, base := range n.Feed.TripInstances(date) {
		inst := &TripInstance{
			TripInstance: base, Pattern: n.byTrip[base.Trip], Zero: d.Zero, timed: n.timed[base.Trip],
		}
		for _, q := range base.Trip.Frequencies {
			if q.Start <= base.Start && base.Start < q.End {
				inst.HeadwayBased, inst.Interval = !q.Exact, q.Headway
			}
		}
		i := inst.Pattern.Index
		d.byPattern[i] = append(d.byPattern[i], inst)
		d.longest[i] = max(d.longest[i], inst.Departure(inst.Pattern.Last())-inst.Start)
		d.byTrip[base.Trip] = append(d.byTrip[base.Trip], inst)
		if b := base.Trip.Block; b != "" && len(base.Trip.Frequencies) == 0 {
			blocks[b] = append(blocks[b], inst)
		}
	}
	for _, block := range blocks {
		linkBlock(block)
	}
	return d
}

// linkBlock links the journeys of one block in the order of their departures. A vehicle can't serve two journeys at a
// time: where journeys overlap, the block does not tell which vehicle serves the next one.
func linkBlock(block []*TripInstance) {
	slices.SortStableFunc(block, func(a, b *TripInstance) int { return cmp.Compare(a.Start, b.Start) })
	end := block[0].End() // of all journeys so far
	alone := true         // whether the journey before overlaps none before it
	for i := 1; i < len(block); i++ {
		a, b := block[i-1], block[i]
		follows := b.Start >= end-gtfs.MaxBlockOverlap
		if follows && alone {
			a.Next, b.Previous, b.Sequence = b, a, a.Sequence+1
		}
		alone, end = follows, max(end, b.End())
	}
}

// DaysAt returns the service days that may have trips under way at t, the earlier first: trips may run past midnight.
func (n *Network) DaysAt(t time.Time) [2]*Day {
	today := gtfs.DateOf(t.In(n.Location()))
	return [2]*Day{n.Day(today.Add(-1)), n.Day(today)}
}

// DaysBetween returns the service days that may have trips under way from a time until another one at most maxDays-2
// days later, the earlier first.
func (n *Network) DaysBetween(from, until time.Time) []*Day {
	first, last := gtfs.DateOf(from.In(n.Location())), gtfs.DateOf(until.In(n.Location()))
	var days []*Day
	for date := first.Add(-1); date <= last && len(days) < maxDays; date = date.Add(1) {
		days = append(days, n.Day(date))
	}
	return days
}
