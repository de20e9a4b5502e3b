package surface

import "math"

// Kind is the form of a variogram.
type Kind string

// The forms. Spherical variograms reach the sill at the range, exponential ones 95 % of it. Linear ones have no sill.
const (
	KindSpherical   Kind = "spherical"
	KindExponential Kind = "exponential"
	KindLinear      Kind = "linear"
)

// Kinds returns all forms.
func Kinds() []Kind { return []Kind{KindSpherical, KindExponential, KindLinear} }

// Variogram is the dissimilarity of values by their distance: half the mean squared difference, in scale².
type Variogram struct {
	Kind    Kind    `json:"kind"`
	Nugget  float64 `json:"nugget"`   // error variance of a reference monitor
	LowCost float64 `json:"low_cost"` // additional error variance of a low-cost monitor
	Sill    float64 `json:"sill"`     // of the air itself, without measurement errors; at the range if linear
	Range   float64 `json:"range_m"`
}

// shape returns the structured part of the semivariance for a sill of 1; h is in ranges.
func (k Kind) shape(h float64) float64 {
	switch k {
	case KindExponential:
		return -math.Expm1(-3 * h)
	case KindLinear:
		return h
	}
	if h >= 1 {
		return 1
	}
	return h * (1.5 - 0.5*h*h)
}

// AirSemivariance returns the semivariance of the air itself at a distance in metres.
func (v *Variogram) AirSemivariance(h float64) float64 { return v.Sill * v.Kind.shape(h/v.Range) }

// Semivariance returns the semivariance of two reference monitors that are h metres apart.
func (v *Variogram) Semivariance(h float64) float64 { return v.Nugget + v.AirSemivariance(h) }

// errorVariance returns the error variance of a site.
func (v *Variogram) errorVariance(s *Site) float64 {
	n := v.Nugget + s.Extra
	if s.Class == ClassLowCost {
		n += v.LowCost
	}
	return max(n, minErrorVariance*v.Sill)
}

// minErrorVariance, as a part of the sill, keeps the system solvable if two monitors are at one place.
const minErrorVariance = 1e-6

// covariance returns the covariance of the air as a function of distance, up to diameter. A linear variogram has
// no covariance; any sufficiently large constant serves as its sill, because the weights of ordinary kriging add
// up to one.
func (v *Variogram) covariance(diameter float64) func(h float64) float64 {
	top := v.Sill
	if v.Kind == KindLinear {
		top = v.Sill * linearSillFactor * max(1, diameter/v.Range)
	}
	return func(h float64) float64 { return top - v.AirSemivariance(h) }
}

// linearSillFactor times the greatest semivariance is large enough to make the matrices of linear variograms
// positive definite.
const linearSillFactor = 4
