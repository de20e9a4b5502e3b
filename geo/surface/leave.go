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
	plane := planeOf(r.Sites)
	for i := range out {
		out[i] = Held{Deviation: math.NaN(), Mean: othersMean(r.Values, i)}
		if left == nil {
			out[i].Value = fallback.without(plane, r, i)
			continue
		}
		out[i].Value = max(0, left[i].Value)
		out[i].Deviation = math.Sqrt(left[i].Variance * m.Level.Scale2(out[i].Mean, left[i].Scale2, len(r.Sites)-2))
	}
	return out
}

// fallback estimates where there is no model.
var fallback = IDW{Power: 2}

func (w IDW) without(plane Plane, r *Round, but int) float64 {
	x, y := plane.XY(r.Sites[but].Point)
	var distances, values []float64
	for i := range r.Sites {
		if i != but {
			xi, yi := plane.XY(r.Sites[i].Point)
			distances, values = append(distances, math.Hypot(x-xi, y-yi)), append(values, r.Values[i])
		}
	}
	return w.Estimate(distances, values)
}
