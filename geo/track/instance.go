package track

import (
	"math"
	"slices"
	"time"

	"nhip/geo/network"
)

// Plausible deviations from the timetable in s, and their costs per minute. Buses are late far more often than
// early, because a driver may not leave a stop ahead of time.
const (
	maxEarly       = 12 * 60.0
	maxWait        = 45 * 60.0 // a bus may wait this long at its first stop before departure
	maxLate        = 60 * 60.0
	lateCost       = 1 / 6.0
	earlyCost      = 3 * lateCost
	waitCost       = lateCost / 3
	takeoverMargin = 1.5 // an instance is taken over from another bus only if it fits better by this margin
	headwayDivisor = 10. // of deviations of headway-based trips, which have no exact times
	switchMargin   = 3.0 // another instance must fit better than the current one by this margin
)

// deviationCost returns the cost of a deviation from the timetable in s.
func deviationCost(deviation float64) float64 {
	if deviation < 0 {
		return -deviation / 60 * earlyCost
	}
	return deviation / 60 * lateCost
}

// bestInstance returns the instance of a pattern that the bus most likely serves at this place and time, and its
// cost. The instance is nil if none is plausible.
func (t *Tracker) bestInstance(v *vehicle, p *network.Pattern, along float64,
	now time.Time,
) (best *network.TripInstance, least float64) {
	least = math.Inf(1)
	at, early := float64(now.Unix()), maxEarly
	waits := along <= p.Along[0]+departureRadius && !v.started
	if waits {
		early = maxWait
	}
	for _, d := range t.net.DaysAt(now) {
		for _, inst := range around(d.TripInstances(p), along, at, early) {
			if cost, ok := t.costOf(v, inst, along, at, waits); ok && cost < least {
				best, least = inst, cost
			}
		}
	}
	return best, least
}

// around returns the instances of a pattern that a bus at that place may serve at a time, in Unix s.
func around(instances []*network.TripInstance, along, at, early float64) []*network.TripInstance {
	if len(instances) == 0 {
		return nil
	}
	// All instances of a pattern take about equally long, so the time from the start to this place is about the same.
	const slack = 900
	into := instances[0].Scheduled(along) - float64(instances[0].Departs(0))
	after := func(start float64) int {
		i, _ := slices.BinarySearchFunc(instances, start, func(inst *network.TripInstance, start float64) int {
			if float64(inst.Departs(0)) < start {
				return -1
			}
			return 1
		})
		return i
	}
	first := after(at - into - maxLate - slack)
	return instances[first:max(first, after(at-into+early+slack))]
}

// costOf returns the cost of the bus serving an instance; false if it is impossible.
func (t *Tracker) costOf(v *vehicle, inst *network.TripInstance, along, now float64, waits bool) (float64, bool) {
	deviation := inst.Deviation(along, now)
	switch {
	case deviation > maxLate:
		return 0, false
	case waits && deviation < -maxWait, !waits && deviation < -maxEarly:
		return 0, false
	case inst.HeadwayBased:
		deviation = math.Abs(deviation) / headwayDivisor
	case waits && deviation < 0:
		deviation = -deviation * waitCost / lateCost
	}
	cost := deviationCost(deviation)
	if other := t.assigned[inst]; other != nil && other != v && !other.ended {
		if !other.inferred || cost > other.cost(inst)-takeoverMargin {
			return 0, false
		}
	}
	if last := v.previousInstance(); last != nil && last.Next == inst {
		cost -= nextOfBlock
	}
	return cost, true
}

// reconsider changes the instance if another one fits much better than the first, early guess.
func (t *Tracker) reconsider(v *vehicle, now time.Time) {
	if !v.started || v.ended || v.offRoute > 0 {
		return
	}
	own := math.Inf(1)
	if v.instance != nil {
		if cost, ok := t.costOf(v, v.instance, v.along, float64(now.Unix()), false); ok {
			own = cost
		}
	}
	if own < switchMargin {
		return
	}
	if inst, cost := t.bestInstance(v, v.pattern, v.along, now); inst != nil && inst != v.instance &&
		cost < own-switchMargin {
		v.claim(t, inst)
	}
}

// cost returns the cost of the bus serving an instance, by its last position.
func (v *vehicle) cost(inst *network.TripInstance) float64 {
	deviation := inst.Deviation(v.along, float64(v.time.Unix()))
	switch {
	case inst.HeadwayBased:
		return deviationCost(math.Abs(deviation) / headwayDivisor)
	case !v.started && deviation < 0:
		return 0
	}
	return deviationCost(deviation)
}

// tripConfidence returns the probability that route, direction and trip of a bus are right. Other trips of the pattern
// fit it as well if they follow closely or if the bus is between two of them. They are not looked at while route and
// direction are not sure enough for a delay.
func (t *Tracker) tripConfidence(v *vehicle, now time.Time) float64 {
	switch {
	case v.instance == nil:
		return 0
	case !v.inferred:
		return 1
	case !v.started || v.ended || v.confidence < minDelayConfidence:
		return v.confidence // at most
	}
	at := float64(now.Unix())
	own, ok := t.costOf(v, v.instance, v.along, at, false)
	if !ok {
		return 0
	}
	all := 1.0
	for _, d := range t.net.DaysAt(now) {
		for _, inst := range around(d.TripInstances(v.pattern), v.along, at, maxEarly) {
			if inst == v.instance {
				continue
			}
			if cost, ok := t.costOf(v, inst, v.along, at, false); ok {
				all += math.Exp(own - cost)
			}
		}
	}
	return v.confidence / all
}
