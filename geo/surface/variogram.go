package surface

import "math"

// Kind is the form of a variogram.
type Kind string

// The forms. Spherical ones reach their sill at the range, exponential ones 95 % of it; linear ones have none.
const (
	Spherical   Kind = "spherical"
	Exponential Kind = "exponential"
	Linear      Kind = "linear"
)

// Kinds returns all forms.
func Kinds() []Kind { return []Kind{Spherical, Exponential, Linear} }

// Variogram says how unlike values are, by the distance between them: half the mean squared difference, in scale².
type Variogram struct {
	Kind    Kind    `json:"kind"`
	Nugget  float64 `json:"nugget"`   // error variance of a reference monitor
	LowCost float64 `json:"low_cost"` // what a low-cost one adds to it
	Sill    float64 `json:"sill"`     // of the air itself, without errors; of a linear one, at the range
	Range   float64 `json:"range_m"`
}

// shape is the structured part of the semivariance at a distance, of Sill 1.
func (k Kind) shape(h float64) float64 {
	switch k {
	case Exponential:
		return -math.Expm1(-3 * h)
	case Linear:
		return h
	}
	if h >= 1 {
		return 1
	}
	return h * (1.5 - 0.5*h*h)
}

// Air is the semivariance of the air itself at a distance in metres.
func (v *Variogram) Air(h float64) float64 { return v.Sill * v.Kind.shape(h/v.Range) }

// At is the semivariance between what two reference monitors say that stand h metres apart.
func (v *Variogram) At(h float64) float64 { return v.Nugget + v.Air(h) }

// noise is the error variance of a site.
func (v *Variogram) noise(s *Site) float64 {
	n := v.Nugget + s.Extra
	if s.Class == LowCost {
		n += v.LowCost
	}
	return max(n, leastNoise*v.Sill)
}

// leastNoise keeps two monitors on one spot apart, as a part of the sill.
const leastNoise = 1e-6

// covariance returns the covariance of the air at distances up to a diameter. A linear variogram has none; any
// large enough constant serves, because the weights of ordinary kriging add up to one.
func (v *Variogram) covariance(diameter float64) func(h float64) float64 {
	top := v.Sill
	if v.Kind == Linear {
		top = v.Sill * linearTop * max(1, diameter/v.Range)
	}
	return func(h float64) float64 { return top - v.Air(h) }
}

// linearTop times the greatest semivariance makes the linear form's matrices positive definite in the plane.
const linearTop = 4
