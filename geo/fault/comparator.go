package fault

import (
	"cmp"
	"math"
	"slices"
)

// Of a large network, each member is compared with so many others only: the nearest ones by position, and of them those
// that followed it most closely.
const (
	maxNear     = 48
	maxSpeakers = 24
)

// distanceFloor is the smallest deviation between two members: no two instruments agree better, in ln.
const distanceFloor = 0.03

// minWeight is the least weight, relative to the greatest, with which another member speaks.
const minWeight = 1e-3

// fitDistances finds how closely the members followed one another, and from that the others of each.
func (f *field) fitDistances(w *Window) {
	n := len(f.members)
	f.distance, f.others = make([][]float64, n), make([][]neighbour, n)
	for i := range f.distance {
		f.distance[i] = nanSlice(n)
	}
	near := f.near(w)
	buffer := make([]float64, 0, f.hours)
	greatest := 0.0
	for i := range n {
		for _, j := range near[i] {
			d := f.distance[j][i]
			if d != d {
				d = f.distanceOf(i, j, buffer)
			}
			if f.distance[i][j] = d; d == d {
				greatest = max(greatest, d)
			}
		}
	}
	if greatest == 0 {
		greatest = 1
	}
	for i := range n {
		for _, j := range near[i] {
			if d := f.distance[i][j]; d != d {
				f.distance[i][j] = greatest
			}
			d := f.distance[i][j]
			f.others[i] = append(f.others[i], neighbour{j, 1 / (d * d)})
		}
		slices.SortFunc(f.others[i], func(a, b neighbour) int {
			return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.member, b.member))
		})
	}
}

// distanceOf returns the squared robust deviation of the difference of two members' anomalies; NaN if they have too few
// good hours in common.
func (f *field) distanceOf(i, j int, buffer []float64) float64 {
	buffer = buffer[:0]
	for t, a := range f.anomaly[i] {
		b := f.anomaly[j][t]
		if a == a && b == b && !f.flagged[i][t] && !f.flagged[j][t] {
			buffer = append(buffer, a-b)
		}
	}
	if len(buffer) < minCommonHours {
		return nan
	}
	centre := median(buffer)
	for k, v := range buffer {
		buffer[k] = math.Abs(v - centre)
	}
	mad := madToDeviation * median(buffer)
	return mad*mad + distanceFloor*distanceFloor
}

// near returns the members with which each one is compared, by position if there are many.
func (f *field) near(w *Window) [][]int {
	n := len(f.members)
	out := make([][]int, n)
	for i := range n {
		all := make([]int, 0, n-1)
		for j := range n {
			if j != i {
				all = append(all, j)
			}
		}
		if len(all) > maxNear {
			a := &w.Monitors[f.members[i]]
			away := make([]float64, n)
			for j := range n {
				b := &w.Monitors[f.members[j]]
				x, y := (a.Lon-b.Lon)*math.Cos(a.Lat*math.Pi/180), a.Lat-b.Lat
				if away[j] = x*x + y*y; away[j] != away[j] {
					away[j] = math.MaxFloat64
				}
			}
			slices.SortStableFunc(all, func(j, k int) int { return cmp.Compare(away[j], away[k]) })
			all = all[:maxNear]
		}
		out[i] = all
	}
	return out
}

// estimateAll estimates each member's anomaly from the others that are not flagged: their weighted median, improved by
// one Huber step.
func (f *field) estimateAll() {
	n := len(f.members)
	f.estimate, f.spread, f.r = make([][]float64, n), make([][]float64, n), make([][]float64, n)
	for i := range n {
		f.estimate[i], f.spread[i], f.r[i] = nanSlice(f.hours), nanSlice(f.hours), nanSlice(f.hours)
		speakers := make([]speaker, 0, maxSpeakers)
		values := make([]weighted, 0, maxSpeakers)
		for t := range f.hours {
			speakers = f.speakersFor(i, t, speakers[:0])
			if len(speakers) < minOthers {
				continue
			}
			f.estimate[i][t], f.spread[i][t] = estimateFrom(speakers, values)
			f.r[i][t] = f.anomaly[i][t] - f.estimate[i][t]
		}
	}
}

// speaker is another member in an hour.
type speaker struct{ anomaly, weight, distance float64 }

// speakersFor adds the others that speak about member i in an hour.
func (f *field) speakersFor(i, t int, to []speaker) []speaker {
	for _, o := range f.others[i] {
		a := f.anomaly[o.member][t]
		if a != a || f.flagged[o.member][t] {
			continue
		}
		if len(to) > 0 && o.weight < minWeight*to[0].weight && len(to) >= minOthers || len(to) == maxSpeakers {
			break
		}
		to = append(to, speaker{a, o.weight, f.distance[i][o.member]})
	}
	return to
}

// estimateFrom returns the estimate of an anomaly, and the deviation of the speakers around it.
func estimateFrom(speakers []speaker, values []weighted) (estimate, spread float64) {
	values = values[:0]
	for _, s := range speakers {
		values = append(values, weighted{s.anomaly, s.weight})
	}
	middle := weightedMedian(values)
	sum, weights := 0.0, 0.0
	for _, s := range speakers {
		w := s.weight
		if apart := math.Abs(s.anomaly - middle); apart > 0 {
			w *= min(1, 2*math.Sqrt(s.distance)/apart)
		}
		sum += w * s.anomaly
		weights += w
	}
	estimate = sum / weights
	squares, total := 0.0, 0.0
	for _, s := range speakers {
		squares += s.weight * (s.anomaly - estimate) * (s.anomaly - estimate)
		total += s.weight
	}
	return estimate, math.Sqrt(squares / total)
}
