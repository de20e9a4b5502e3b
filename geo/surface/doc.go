// Package surface interpolates concentrations between monitors and estimates the uncertainty. A fixed bank of twelve
// estimates (kriging with given covariances, of values and of logarithms, with and without lasting biases of the sites,
// inverse distances, the mean) is weighed by what each was worth lately: see Learner and Stack. Nothing is fitted to a
// variogram. Model and VariogramFitter, ordinary kriging with a fitted variogram, are for comparison.
//
// All distances are metres on a plane around the city (see LocalPlane). Variances of a bank are in units of the
// variance of the air, those of variograms in units of scale², a factor that differs from hour to hour.
//
// Sources: Cressie, Statistics for Spatial Data (1993), §2.4 (robust variogram), §3.2 (ordinary kriging);
// Dubrule, Cross validation of kriging in a unique neighborhood (1983), for leave-one-out estimates without
// solving again; Willmott & Robeson, Climatologically aided interpolation (1995); Wolpert, Stacked generalization
// (1992); Gibbs & Candès, Adaptive conformal inference (2021), for ranges.
package surface

import (
	"math"

	"github.com/paulmach/orb"
)

// Class is the accuracy class of a monitor.
type Class int

// The classes.
const (
	ClassReference Class = iota
	ClassLowCost
)

// Site is the place of one measurement.
type Site struct {
	ID    string    // of the station; "" for a place of which nothing is learned
	Point orb.Point // WGS84 lon, lat
	Class Class
	Extra float64 // additional error variance, for mobile or old values
}

// LocalPlane is a plane in metres around a place. At 100 km from it distances are off by 0.1 %.
type LocalPlane struct{ lon, lat, east, north float64 }

// earthRadius is the mean radius, in m.
const earthRadius = 6371008.8

// NewLocalPlane returns the plane around a place (WGS84 lon, lat).
func NewLocalPlane(at orb.Point) LocalPlane {
	north := earthRadius * math.Pi / 180
	return LocalPlane{at[0], at[1], north * math.Cos(at[1]*math.Pi/180), north}
}

// XY returns metres east and north of the plane's origin.
func (p LocalPlane) XY(at orb.Point) (x, y float64) {
	return math.Remainder(at[0]-p.lon, 360) * p.east, (at[1] - p.lat) * p.north
}

// planeOf returns a plane around the centre of the sites.
func planeOf(sites []Site) LocalPlane {
	b := orb.MultiPoint{}
	for i := range sites {
		b = append(b, sites[i].Point)
	}
	return NewLocalPlane(b.Bound().Center())
}
