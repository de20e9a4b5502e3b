package surface

import "math"

// LOOResult is the estimate of one site from all others.
type LOOResult struct {
	Value     float64
	Deviation float64 // standard deviation of the difference from the site's own value; NaN without a model
	Mean      float64 // of all others
	Low, High float64 // 80 % range of the site's own value; both 0 if the method has none
}

// LeaveOneOut estimates each site from all others but its skip nearest, by the model. At least three sites are needed,
// and two others for each estimate. It returns nil if the covariances of the sites are not positive definite.
func (m *Model) LeaveOneOut(r *Observations, skip int) []LOOResult {
	n, err := NewKrigingSystem(m.Variogram, r.Sites)
	if err != nil {
		return nil
	}
	out := make([]LOOResult, len(r.Sites))
	for i, e := range n.Solve(r.Values).LeaveOneOut(r.Values, skip) {
		mean := othersMean(r.Values, i)
		deviation := math.Sqrt(e.Variance * m.ScaleModel.Scale2(mean, e.Scale2, len(r.Sites)-2))
		out[i] = LOOResult{
			Value: max(0, e.Value), Deviation: deviation, Mean: mean,
			Low: max(0, e.Value-z90*deviation), High: max(0, e.Value+z90*deviation),
		}
	}
	return out
}

// LeaveOneOut estimates each site from all others but its skip nearest. At least one other must be left.
func (w IDW) LeaveOneOut(r *Observations, skip int) []LOOResult {
	plane := planeOf(r.Sites)
	x, y := make([]float64, len(r.Sites)), make([]float64, len(r.Sites))
	for i := range r.Sites {
		x[i], y[i] = plane.XY(r.Sites[i].Point)
	}
	out := make([]LOOResult, len(r.Sites))
	for i := range out {
		var distances, values []float64
		for _, j := range nearestOf(x, y, i, len(x))[skip:] {
			distances, values = append(distances, math.Hypot(x[i]-x[j], y[i]-y[j])), append(values, r.Values[j])
		}
		out[i] = LOOResult{Value: w.Estimate(distances, values), Deviation: math.NaN(), Mean: othersMean(r.Values, i)}
	}
	return out
}

// LeaveOneOutLogs is LeaveOneOut for logarithms, which may be negative. It returns the estimates alone.
func (m *Model) LeaveOneOutLogs(r *Observations, skip int) []float64 {
	n, err := NewKrigingSystem(m.Variogram, r.Sites)
	if err != nil {
		return nil
	}
	out := make([]float64, len(r.Sites))
	for i, e := range n.Solve(r.Values).LeaveOneOut(r.Values, skip) {
		out[i] = e.Value
	}
	return out
}
