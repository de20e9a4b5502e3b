package fault

import (
	"math"

	"nhip"
)

// field is one quantity of the network in one round.
type field struct {
	quantity nhip.Quantity
	first    int64
	hours    int
	members  []int // indices in Window.Monitors of those that measure the quantity
	linear   bool  // temperature and humidity: not in logarithms
	offset   float64
	lowCost  []bool    // by member
	accuracy []float64 // by member, in the unit: smaller differences are no fault
	in       [][]Hour
	v, x     [][]float64 // values and their transforms, by member and hour; NaN without
	flagged  [][]bool    // by the last round
	accepted []float64   // own biases that staff accepted; NaN without

	bias        []float64     // own bias of each member
	beyond      []float64     // bias of the window beyond an accepted one; 0 without
	daily       [][24]float64 // its part that depends on the hour of the day, UTC
	anomaly     [][]float64   // x without bias
	distance    [][]float64   // of the members' anomalies: squared robust deviation of their difference
	others      [][]neighbour // nearest first
	estimate    [][]float64   // anomaly from the others; NaN if fewer than two spoke
	spread      [][]float64   // of the others around it
	r           [][]float64   // anomaly without the estimate
	scale       [][]float64   // expected deviation of r, by member and hour
	steady      []float64     // scale without what depends on the hour
	core        []float64     // share of it that half the hours are within: small with spikes that recur
	slow        []float64     // deviation of the medians of a day
	typicalSlow float64       // median over the members
	worth       []float64     // of one hour as independent evidence
}

type neighbour struct {
	member int
	weight float64
}

// accuracy of the instruments in the quantity's unit, and of low-cost sensors. References: the uncertainty near zero in
// the EU's and US EPA's equivalence tests, rounded; low-cost: the resolution of SDS011 and PMS5003.
var (
	accuracies = map[nhip.Quantity]float64{
		nhip.PM1: 2, nhip.PM25: 2, nhip.PM10: 3, nhip.TSP: 5, nhip.SO2: 5, nhip.NO: 4, nhip.NO2: 4, nhip.O3: 5, nhip.CO: 100,
	}
	lowCostAccuracies = map[nhip.Quantity]float64{nhip.PM1: 0.7, nhip.PM25: 0.7, nhip.PM10: 1, nhip.TSP: 2}
)

// weather are the quantities that only tell of the clock.
var weather = []nhip.Quantity{nhip.Temperature, nhip.Humidity}

// Least sizes.
const (
	minMembers     = 4  // of a network that can tell which one is wrong
	minMemberHours = 6  // of a member
	minOthers      = 2  // that speak in an hour
	minCommonHours = 48 // of two members whose distance is known
	minGoodHours   = 120
)

// newField returns the hours of a quantity, or nil if too few monitors measure it.
func newField(w *Window, q nhip.Quantity, linear bool) *field {
	f := &field{quantity: q, first: w.First, hours: w.Length, linear: linear}
	lowCost := true
	for i := range w.Monitors {
		m := &w.Monitors[i]
		hours, n := m.Hours[q], 0
		for k := range hours {
			if hours[k].Value == hours[k].Value {
				n++
			}
		}
		if n < minMemberHours {
			continue
		}
		f.members, f.in = append(f.members, i), append(f.in, hours)
		own := accuracies[q]
		if m.LowCost {
			if a, ok := lowCostAccuracies[q]; ok {
				own = a
			}
		} else {
			lowCost = false
		}
		f.accuracy = append(f.accuracy, own)
		f.lowCost = append(f.lowCost, m.LowCost)
		accepted := nan
		if b, ok := m.Accepted[q]; ok {
			accepted = b
		}
		f.accepted = append(f.accepted, accepted)
	}
	if len(f.members) < minMembers {
		return nil
	}
	f.transform(lowCost)
	n := len(f.members)
	for range n {
		f.flagged = append(f.flagged, make([]bool, f.hours))
	}
	return f
}

// transform fills v and x: ln(value + offset), because concentrations and their errors are roughly log-normal. The
// offset keeps hours near zero from counting as large differences.
func (f *field) transform(lowCost bool) {
	for i := range f.in {
		f.v, f.x = append(f.v, nanSlice(f.hours)), append(f.x, nanSlice(f.hours))
		for t := range f.in[i] {
			f.v[i][t] = f.in[i][t].Value
		}
	}
	if f.linear {
		for i := range f.v {
			copy(f.x[i], f.v[i])
		}
		return
	}
	own := accuracies[f.quantity]
	if a, ok := lowCostAccuracies[f.quantity]; ok && lowCost {
		own = a
	}
	f.offset = max(0.1*f.meanLevel(), own)
	for i := range f.v {
		for t, v := range f.v[i] {
			if v == v {
				f.x[i][t] = logOf(v, f.offset)
			}
		}
	}
}

func logOf(v, offset float64) float64 { return math.Log(max(v, 0) + offset) }

// meanLevel returns the network's level: the mean over the hours of the median over the members, so that one faulty
// member does not move it.
func (f *field) meanLevel() float64 {
	sum, n := 0.0, 0
	buffer := make([]float64, 0, len(f.v))
	for t := range f.hours {
		buffer = buffer[:0]
		for i := range f.v {
			if v := f.v[i][t]; v == v {
				buffer = append(buffer, max(v, 0))
			}
		}
		if len(buffer) > 0 {
			sum += median(buffer)
			n++
		}
	}
	return sum / float64(max(n, 1))
}

// hourOfDay returns the hour of the day, UTC, of an hour of the window.
func (f *field) hourOfDay(t int) int { return int((f.first + int64(t)) % 24) }

// threshold returns the evidence that a fault of a member needs, by its class.
func (f *field) threshold(i int, reference, lowCost float64) float64 {
	if f.lowCost[i] {
		return lowCost
	}
	return reference
}

// expected returns the value that the others and the member's own bias make likely, in the quantity's unit; NaN
// without.
func (f *field) expected(i, t int) float64 {
	return f.back(f.prediction(i, t))
}

// prediction is expected, transformed.
func (f *field) prediction(i, t int) float64 {
	return f.bias[i] + f.daily[i][f.hourOfDay(t)] + f.estimate[i][t]
}

// back is the inverse of the transform.
func (f *field) back(x float64) float64 {
	if f.linear {
		return x
	}
	return max(math.Exp(x)-f.offset, 0)
}

// fit computes all that detectors need from the hours that the last round did not flag.
func (f *field) fit(w *Window) {
	f.fitBias()
	f.fitDistances(w)
	f.estimateAll()
	f.fitScales()
}
