package predict

import "nhip/geo/network"

// Bounds of what is learned about waiting at timed stops.
const (
	maxEarliness = 1800.0 // s
	// priorEvidence is the weight of what the timetable says, in s²: that of ten buses whose earliness differs by two
	// minutes.
	priorEvidence = 10 * 120.0 * 120.0
)

// hold is the share of its earliness that a bus waits at the timed stops of one class. It is the slope of the times
// from one stop to the next over the earliness at the first of them, both centred by link; cf. analysis of covariance.
type hold struct {
	prior  float64
	xx, xy float64 // sums of squares and products, s²
}

// holds are the shares by class. Where the timetable lets them wait, buses leave on time; some cities hold them at time
// points and others don't.
type holds struct{ wait, timepoint hold }

func newHolds() holds { return holds{wait: hold{prior: 1}, timepoint: hold{prior: 0.5}} }

// of returns the share of stop i, nil if it is not timed.
func (h *holds) of(inst *network.TripInstance, i int) *hold {
	switch {
	case inst == nil || inst.HeadwayBased || !inst.Timed(i):
		return nil
	case network.Wait(inst.Trip, i) > 0:
		return &h.wait
	}
	return &h.timepoint
}

func (h *hold) share() float64 {
	return min(max((h.xy+priorEvidence*h.prior)/(h.xx+priorEvidence), 0), 1)
}

// holdMean is the mean earliness of the buses at the timed stop before a link, and their mean time over the link.
type holdMean struct{ count, earliness, took float64 }

// observe adds a bus: how early it reached the stop, and how long it took to the next one, both in s.
func (h *hold) observe(m *holdMean, earliness, took float64) {
	m.count++
	dx, dy := earliness-m.earliness, took-m.took
	m.earliness += dx / m.count
	m.took += dy / m.count
	h.xx += dx * (earliness - m.earliness)
	h.xy += dx * (took - m.took)
}

// waits reports whether buses may wait at stop i.
func waits(pattern *network.Pattern, inst *network.TripInstance, i int) bool {
	if inst == nil {
		return network.Wait(pattern.Trips[0], i) > 0
	}
	return inst.Timed(i)
}

// leaves returns when a bus that arrives at stop i at a time leaves it, both in Unix s. Without exact times it stands
// as long as in the timetable.
func (p *Predictor) leaves(pattern *network.Pattern, inst *network.TripInstance, i int, arrived float64) float64 {
	if h := p.holds.of(inst, i); h != nil {
		return arrived + h.share()*max(float64(inst.Departs(i))-arrived, 0)
	}
	trip := pattern.Trips[0]
	if inst != nil {
		if trip = inst.Trip; !inst.HeadwayBased {
			return arrived
		}
	}
	return arrived + float64(network.Wait(trip, i))
}

// observeHold learns from the time between a timed stop and the next one.
func (p *Predictor) observeHold(j *journey, a *Arrival, now, expected float64) {
	h := p.holds.of(a.Instance, j.stop)
	if h == nil || a.Stop != j.stop+1 {
		return
	}
	l := &p.links[a.Pattern.Links[j.stop]]
	if l.hold == nil {
		l.hold = new(holdMean)
	}
	earliness := min(max(float64(a.Instance.Departs(j.stop))-j.time, 0), maxEarliness)
	h.observe(l.hold, earliness, min(now-j.time, maxRatio*expected+60+earliness))
}
