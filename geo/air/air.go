// Package air makes the city's air out of what its monitors say: a surface of each concentration, the index at every
// place, how sure that is, and what it means for zones and lines.
//
// Surfaces are of concentrations, as averaged for the index; the index is made of them at each place. Making a city
// is a pure function of a Moment and of what was learned of each quantity, so that any past hour is answered by the
// same code as the present one.
package air

import (
	"math"
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/surface"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Monitor is what one station says up to the end of an hour.
type Monitor struct {
	ID    string
	Point orb.Point // WGS84 lon, lat
	Class surface.Class
	Hours aqi.Hours // newest first, from Moment.End
}

// Roving is one value that was taken on the move.
type Roving struct {
	ID       string // whose
	Point    orb.Point
	Class    surface.Class
	Quantity nhip.Quantity
	Time     time.Time
	Value    float64
}

// Moment is all that is known of the hour that ends at End.
type Moment struct {
	End      time.Time
	Monitors []Monitor // sorted by id
	Roving   []Roving  // of the last RovingFor, sorted by time
}

// RovingFor is how long a value that was taken on the move counts.
const RovingFor = time.Hour

// Models are what was learned of each quantity.
type Models map[nhip.Quantity]*surface.Model

// Maker makes cities. It may be used by any number of goroutines.
type Maker struct {
	planner surface.Planner
	reach   float64
}

// The usual bounds of what is said of places without a monitor.
const (
	// DefaultReach is how far from the nearest monitor anything is said, m.
	DefaultReach = 10_000
	// unsure is the part of the air's variance that may be left unexplained.
	unsure = 0.9
	// finest is the least side of a cell, m.
	finest = 100
)

// NewMaker returns a maker that says nothing farther than reach metres from the nearest monitor.
func NewMaker(reach float64) *Maker {
	return &Maker{planner: surface.Planner{Bounds: surface.Bounds{Reach: reach, Unsure: unsure}}, reach: reach}
}

// City is the air of one hour on one scale. It does not change.
type City struct {
	End   time.Time
	Scale nhip.Scale
	Grid  surface.Grid
	Parts []Part // what the index is made of; those of which nothing is known are left out

	mu     sync.Mutex
	layers map[nhip.Quantity]*Layer
}

// Part is the surface of one average of one quantity.
type Part struct {
	aqi.Average
	*surface.Surface
}

// Make makes the city of a moment on a scale.
func (m *Maker) Make(mo *Moment, models Models, scale nhip.Scale) *City {
	mo = mo.inCity()
	c := &City{End: mo.End, Scale: scale, Grid: m.grid(mo), layers: make(map[nhip.Quantity]*Layer)}
	for _, a := range aqi.Averages(scale) {
		model := models[a.Quantity]
		if r := mo.round(&a, model); len(r.Sites) > 0 {
			c.Parts = append(c.Parts, Part{a, m.planner.Estimate(model, r, c.Grid)})
		}
	}
	return c
}

// cityReach is how far from the one with the most around it the monitors of a city stand, m. One that claims to stand
// in Berlin must not make Hanoi's cells so large.
const cityReach = 150_000

// grid lies over all that is said of the moment in the city.
func (m *Maker) grid(mo *Moment) surface.Grid {
	var all orb.MultiPoint
	for i := range mo.Monitors {
		all = append(all, mo.Monitors[i].Point)
	}
	for i := range mo.Roving {
		all = append(all, mo.Roving[i].Point)
	}
	if len(all) == 0 {
		return surface.Grid{Size: 1}
	}
	return surface.GridOver(all.Bound(), m.reach, finest)
}

// inCity is the moment without what claims to be elsewhere.
func (mo *Moment) inCity() *Moment {
	places := make([]orb.Point, 0, len(mo.Monitors))
	for i := range mo.Monitors {
		places = append(places, mo.Monitors[i].Point)
	}
	for i := 0; len(places) < mostPlaces && i < len(mo.Roving); i++ {
		places = append(places, mo.Roving[i].Point)
	}
	in := InCity(places)
	return &Moment{
		End:      mo.End,
		Monitors: slices.DeleteFunc(slices.Clone(mo.Monitors), func(m Monitor) bool { return !in(m.Point) }),
		Roving:   slices.DeleteFunc(slices.Clone(mo.Roving), func(x Roving) bool { return !in(x.Point) }),
	}
}

// mostPlaces is how many places a city is looked for in.
const mostPlaces = 400

// InCity tells what belongs to the city that places are in: what is near the one of them that has the most others
// around it.
func InCity(places []orb.Point) func(orb.Point) bool {
	best, most := orb.Point{}, 0
	for _, p := range places {
		around := 0
		for _, q := range places {
			if geo.Distance(p, q) <= cityReach {
				around++
			}
		}
		if around > most {
			best, most = p, around
		}
	}
	return func(p orb.Point) bool { return most > 0 && geo.Distance(p, best) <= cityReach }
}

// round gathers what is known of one average.
func (mo *Moment) round(a *aqi.Average, model *surface.Model) *surface.Round {
	r := &surface.Round{Time: mo.End}
	for i := range mo.Monitors {
		m := &mo.Monitors[i]
		if c, _, ok := a.Of(m.Hours); ok {
			r.Sites, r.Values = append(r.Sites, surface.Site{Point: m.Point, Class: m.Class}), append(r.Values, c)
		}
	}
	for i := range mo.Roving {
		if x := &mo.Roving[i]; x.Quantity == a.Quantity {
			r.Sites, r.Values = append(r.Sites, x.site(mo.End, model)), append(r.Values, x.Value)
		}
	}
	return r
}

// site is a value on the move as a monitor that is the less sure the longer ago it was taken. The air drifts by
// itself; half an hour of that is in every single value that stands for an hour.
func (x *Roving) site(end time.Time, model *surface.Model) surface.Site {
	s := surface.Site{Point: x.Point, Class: x.Class}
	if model != nil {
		s.Extra = model.Drift * (0.5 + max(0, end.Sub(x.Time).Hours()))
	}
	return s
}

// Layer is the index over the city, of all quantities or of one.
type Layer struct {
	Index     *surface.Raster // before it is rounded
	Certainty *surface.Raster // 0 to 1: how much of the air's deviation is explained; NaN where there is an index and that is not known
	Dominant  []int8          // by node: place in City.Parts; −1 of none
}

// Layer returns the index of a quantity, or of all for "". It is empty where nothing is known.
func (c *City) Layer(q nhip.Quantity) *Layer {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.layers[q]
	if l == nil {
		if len(c.layers) >= mostLayers {
			clear(c.layers)
		}
		l = c.layer(q)
		c.layers[q] = l
	}
	return l
}

// mostLayers is how many layers of a city are kept: each takes as much as two of its surfaces.
const mostLayers = 3

func (c *City) layer(q nhip.Quantity) *Layer {
	l := &Layer{surface.NewRaster(c.Grid), surface.NewRaster(c.Grid), make([]int8, c.Grid.Nodes())}
	for k := range l.Dominant {
		l.Dominant[k] = -1
	}
	enough := make([]bool, c.Grid.Nodes()) // whether what the scale asks for is there
	for p := range c.Parts {
		if part := &c.Parts[p]; q == "" || q == part.Quantity {
			c.overlay(l, int8(p), enough, q != "" || c.suffices(part.Quantity))
		}
	}
	for k, ok := range enough {
		if !ok {
			l.Index.Values[k], l.Certainty.Values[k], l.Dominant[k] = float32(math.NaN()), float32(math.NaN()), -1
		}
	}
	return l
}

// suffices reports whether a quantity alone makes an index.
func (c *City) suffices(q nhip.Quantity) bool {
	return aqi.Suffices(c.Scale, func(other nhip.Quantity) bool { return q == other })
}

// overlay puts the index of a part where it is the highest.
func (c *City) overlay(l *Layer, p int8, enough []bool, suffices bool) {
	part := &c.Parts[p]
	for k, v := range part.Mean.Values {
		if v != v {
			continue
		}
		index, ok := part.Index(float64(v))
		if !ok {
			continue
		}
		enough[k] = enough[k] || suffices
		if l.Dominant[k] < 0 || float32(index) > l.Index.Values[k] {
			l.Index.Values[k], l.Dominant[k] = float32(index), p
			l.Certainty.Values[k] = float32(part.Certainty(k))
		}
	}
}
