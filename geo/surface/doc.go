// Package surface estimates the air between the monitors, and how sure that is: ordinary kriging with a
// measurement error per monitor, on a variogram that is learned over weeks.
//
// Everything is in metres on a plane around the city (see Plane). A variogram is relative: its semivariances are
// in units of the scale² of an hour, because foul air varies more than clean air does, by the same pattern.
// Weights depend on the pattern alone; only the variance of an estimate needs the scale.
//
// Sources: Cressie, Statistics for Spatial Data (1993), §2.4 (robust variogram), §3.2 (ordinary kriging);
// Dubrule, Cross validation of kriging in a unique neighborhood (1983), for leaving one out without solving again.
package surface

import (
	"math"

	"github.com/paulmach/orb"
)

// Class of a monitor: how far its word can be off where it stands.
type Class int

// The classes.
const (
	Reference Class = iota
	LowCost
)

// Site is where a value was taken.
type Site struct {
	Point orb.Point // WGS84 lon, lat
	Class Class
	Extra float64 // further error variance, in scale²: of a value that was taken on the move or some time ago
}

// Plane is flat ground around a place, for distances in a city: 0.1 % off at 100 km.
type Plane struct{ lon, lat, east, north float64 }

// earthRadius is the mean one, in m.
const earthRadius = 6371008.8

// NewPlane returns the plane around a place, WGS84 lon, lat.
func NewPlane(at orb.Point) Plane {
	north := earthRadius * math.Pi / 180
	return Plane{at[0], at[1], north * math.Cos(at[1]*math.Pi/180), north}
}

// XY returns metres east and north of the plane's place.
func (p Plane) XY(at orb.Point) (x, y float64) {
	return math.Remainder(at[0]-p.lon, 360) * p.east, (at[1] - p.lat) * p.north
}

// planeOf returns a plane around the middle of sites.
func planeOf(sites []Site) Plane {
	b := orb.MultiPoint{}
	for i := range sites {
		b = append(b, sites[i].Point)
	}
	return NewPlane(b.Bound().Center())
}
