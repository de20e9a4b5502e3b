package surface

import "math"

// Held is what all others say of one site.
type Held struct {
	Value     float64
	Deviation float64 // of the difference to what the site itself says; NaN where there is no model
	Mean      float64 // of all others
}

// LeaveOneOut estimates each site of a round from all the others, by a model or, where there is none or it does not
// fit the sites, by IDW. A round has three sites at least.
func LeaveOneOut(m *Model, r *Round) []Held {
	out := make([]Held, len(r.Sites))
	var left []Left
	if m != nil {
		if n, err := NewNetwork(m.Variogram, r.Sites); err == nil {
			left = n.Field(r.Values).LeaveOneOut(r.Values)
		}
	}
	if left == nil {
		return fallback.LeaveOneOut(r)
	}
	for i := range out {
		out[i].Mean = othersMean(r.Values, i)
		out[i].Value = max(0, left[i].Value)
		out[i].Deviation = math.Sqrt(left[i].Variance * m.Level.Scale2(out[i].Mean, left[i].Scale2, len(r.Sites)-2))
	}
	return out
}

// fallback estimates where there is no model.
var fallback = IDW{Power: 2}

// LeaveOneOut estimates each site of a round from all the others, of which there must be one at least.
func (w IDW) LeaveOneOut(r *Round) []Held {
	plane := planeOf(r.Sites)
	out := make([]Held, len(r.Sites))
	for i := range out {
		x, y := plane.XY(r.Sites[i].Point)
		var distances, values []float64
		for j := range r.Sites {
			if j != i {
				xj, yj := plane.XY(r.Sites[j].Point)
				distances, values = append(distances, math.Hypot(x-xj, y-yj)), append(values, r.Values[j])
			}
		}
		out[i] = Held{Value: w.Estimate(distances, values), Deviation: math.NaN(), Mean: othersMean(r.Values, i)}
	}
	return out
}
