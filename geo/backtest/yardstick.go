package backtest

import (
	"math"
	"time"

	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
)

// The yardsticks: simple predictions for the same buses at the same moments.
const (
	byTimetable = iota // the timetable's time of the real trip; needs no bus
	byDeviation        // the timetable's time, later by the present deviation of the bus
	byLastThree        // mean of the last three buses from stop to stop
	byAll              // mean of all earlier buses from stop to stop
	yardsticks         // their number
)

// yardstickTimes are the predictions of the yardsticks for one arrival, in s from the prediction; NaN for none.
type yardstickTimes [yardsticks]float64

var noTimes = yardstickTimes{math.NaN(), math.NaN(), math.NaN(), math.NaN()}

// plainModel predicts from plain means of how long buses took from stop to stop. It learns from the same stop events
// as the engine and gets the same place of the bus. Where no bus was seen yet, the timetable stands in.
type plainModel struct {
	links    []linkTimes
	previous map[string]track.StopEvent // the last arrival of each vehicle
}

// linkTimes are travel times of one link, in s.
type linkTimes struct {
	last  [3]float64 // the latest ones, in a ring
	count int
	sum   float64
}

func newPlainModel(n *network.Network) *plainModel {
	return &plainModel{links: make([]linkTimes, n.LinkCount()), previous: make(map[string]track.StopEvent)}
}

func (l *linkTimes) add(took float64) {
	l.last[l.count%len(l.last)] = took
	l.count++
	l.sum += took
}

// means returns the mean of the last three times and of all, scheduled without any.
func (l *linkTimes) means(scheduled float64) (three, all float64) {
	if l.count == 0 {
		return scheduled, scheduled
	}
	n := min(l.count, len(l.last))
	for _, x := range l.last[:n] {
		three += x
	}
	return three / float64(n), l.sum / float64(l.count)
}

// Bounds of scheduled and travelled times of a link, in s: timetables have a resolution of minutes, and a bus that
// takes longer has broken down.
const minScheduled = 10.0

func maxTravelled(scheduled float64) float64 { return 4*scheduled + 60 }

// observe learns from a stop event. The time since the event before is divided among the links between in proportion
// to their scheduled times.
func (m *plainModel) observe(vehicle string, e *track.StopEvent) {
	at := timeOf(e)
	if at.IsZero() {
		return
	}
	before, known := m.previous[vehicle]
	if known && before.Pattern == e.Pattern && before.Instance == e.Instance && before.Stop == e.Stop {
		return // its departure, after its arrival
	}
	m.previous[vehicle] = *e
	took := at.Sub(timeOf(&before)).Seconds()
	if !known || before.Pattern != e.Pattern || before.Instance != e.Instance || before.Stop > e.Stop || took < 0 {
		return
	}
	whole := 0.0
	for i := before.Stop; i < e.Stop; i++ {
		whole += scheduledTime(e.Pattern, e.Instance, i)
	}
	for i := before.Stop; i < e.Stop; i++ {
		scheduled := scheduledTime(e.Pattern, e.Instance, i)
		m.links[e.Pattern.Links[i]].add(min(took*scheduled/whole, maxTravelled(scheduled)))
	}
}

// timeOf returns the time from which a link is measured: the departure at the first stop, else the arrival.
func timeOf(e *track.StopEvent) time.Time {
	if e.Stop == 0 {
		return e.Departed
	}
	return e.Arrived
}

// scheduledTime returns the scheduled time from stop i to the next, in s.
func scheduledTime(p *network.Pattern, inst *network.TripInstance, i int) float64 {
	trip := p.Trips[0]
	if inst != nil {
		trip = inst.Trip
	}
	from := trip.StopTimes[i].Arrival
	if i == 0 {
		from = trip.StopTimes[i].Departure
	}
	return max(float64(trip.StopTimes[i+1].Arrival-from), minScheduled)
}

// predictions appends the yardsticks' predictions for the stops from the next one on, except byTimetable, which is NaN.
func (m *plainModel) predictions(dst []yardstickTimes, b *predict.Bus,
	deviation float64,
) (first int, all []yardstickTimes) {
	now := float64(b.Time.UnixMilli()) / 1000
	first = max(b.Next, 1)
	if first > b.Pattern.Last() {
		return first, dst
	}
	start := 0.0
	if b.Waiting && b.Instance != nil {
		start = max(float64(b.Instance.Departs(0))-now, 0)
		deviation = now + start - float64(b.Instance.Departs(0))
	}
	part := 1.0
	if span := b.Pattern.Along[first] - b.Pattern.Along[first-1]; span > 0 {
		part = min(max((b.Pattern.Along[first]-b.Along)/span, 0), 1)
	}
	three, everyone := start, start
	for i := first; i <= b.Pattern.Last(); i++ {
		t, a := m.links[b.Pattern.Links[i-1]].means(scheduledTime(b.Pattern, b.Instance, i-1))
		three, everyone = three+part*t, everyone+part*a
		part = 1
		times := noTimes
		times[byLastThree], times[byAll] = three, everyone
		if b.Instance != nil {
			times[byDeviation] = max(float64(b.Instance.Arrives(i))+deviation-now, 0)
		}
		dst = append(dst, times)
	}
	return first, dst
}
