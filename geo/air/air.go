// Package air estimates the air quality of a city from its monitors: a surface of each concentration, the index
// at every place with its uncertainty, and the index of zones and along lines.
//
// The concentrations are interpolated, averaged as the index requires; the index is then computed from them at
// each place. The result depends only on the Observations and the Stacks, so past hours are computed by the same
// code as the present one.
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

// Monitor holds the hourly means of one station up to the end of an hour.
type Monitor struct {
	ID    string
	Point orb.Point // WGS84 lon, lat
	Class surface.Class
	Hours aqi.Hours // newest first; index 0 ends at Observations.End
}

// MobileReading is one value measured by a moving monitor.
type MobileReading struct {
	ID       string // of the monitor
	Point    orb.Point
	Class    surface.Class
	Quantity nhip.Quantity
	Time     time.Time
	Value    float64
}

// Observations holds the data for the hour that ends at End.
type Observations struct {
	End      time.Time
	Monitors []Monitor       // sorted by id
	Silent   []Monitor       // without recent hours, sorted by id; those that usually report are estimated
	Mobile   []MobileReading // of the last MobileReadingMaxAge, sorted by time
}

// MobileReadingMaxAge is how long a mobile reading is used.
const MobileReadingMaxAge = time.Hour

// Stacks holds what was learned about the estimates of each quantity.
type Stacks map[nhip.Quantity]*surface.Stack

// Interpolator computes AQI fields. It is safe for concurrent use.
type Interpolator struct {
	estimator surface.Estimator
	reach     float64
}

// Default bounds of estimates at places without a monitor.
const (
	// DefaultReach is the maximum distance to the nearest monitor, in m.
	DefaultReach = 10_000
	// maxCategories is the maximum number of categories of the index over which the 80 % range of an estimate may
	// extend. Beside a monitor there is no limit.
	maxCategories = 3
	// minCell is the smallest side of a cell, in m.
	minCell = 100
)

// NewInterpolator returns an interpolator that makes no estimates farther than reach metres from the nearest monitor.
func NewInterpolator(reach float64) *Interpolator {
	return &Interpolator{
		estimator: surface.Estimator{MaxDistance: reach}, reach: reach,
	}
}

// AQIField is the air quality of one hour on one scale. It does not change and is safe for concurrent use.
type AQIField struct {
	End      time.Time
	Scale    nhip.Scale
	Grid     surface.Grid
	Averages []AverageSurface // the averages that the index consists of, without those that no monitor measures

	elsewhere []orb.Point // monitors far from the main cluster, which are not used
	reach     float64

	mu      sync.Mutex
	rasters map[nhip.Quantity]func() *IndexRasters
}

// AverageSurface is the surface of one average of one quantity.
type AverageSurface struct {
	aqi.Average
	*surface.Surface
}

// Interpolate computes the field of an hour on a scale.
func (m *Interpolator) Interpolate(o *Observations, stacks Stacks, scale nhip.Scale) *AQIField {
	all := o
	o = o.inMainCluster()
	f := &AQIField{
		End: o.End, Scale: scale, Grid: m.grid(o), elsewhere: all.monitorsBeyond(o), reach: m.reach,
		rasters: make(map[nhip.Quantity]func() *IndexRasters),
	}
	for _, a := range aqi.Averages(scale) {
		stack := stacks[a.Quantity]
		if r := o.surfaceObservations(&a, stack); len(r.Sites) > 0 {
			f.Averages = append(f.Averages, AverageSurface{a, m.estimator.Estimate(stack, r, f.Grid)})
		}
	}
	return f
}

// clusterRadius is how far from the centre of the main cluster monitors may stand, in m. A monitor that reports a
// position in Berlin must not enlarge Hanoi's cells.
const clusterRadius = 150_000

// grid returns the lattice over all monitors and mobile readings.
func (m *Interpolator) grid(o *Observations) surface.Grid {
	var all orb.MultiPoint
	for i := range o.Monitors {
		all = append(all, o.Monitors[i].Point)
	}
	for i := range o.Mobile {
		all = append(all, o.Mobile[i].Point)
	}
	if len(all) == 0 {
		return surface.Grid{Size: 1}
	}
	return surface.GridOver(all.Bound(), m.reach, minCell)
}

// Bound returns the box, in WGS84 lon, lat, outside of which no field of the observations has an index. It is empty
// without observations.
func (m *Interpolator) Bound(o *Observations) orb.Bound {
	if o = o.inMainCluster(); len(o.Monitors)+len(o.Mobile) == 0 {
		return orb.MultiPoint{}.Bound()
	}
	return m.grid(o).Bound()
}

// inMainCluster returns the observations without those far from the main cluster.
func (o *Observations) inMainCluster() *Observations {
	places := make([]orb.Point, 0, len(o.Monitors))
	for i := range o.Monitors {
		places = append(places, o.Monitors[i].Point)
	}
	for i := 0; len(places) < maxPlaces && i < len(o.Mobile); i++ {
		places = append(places, o.Mobile[i].Point)
	}
	in := MainCluster(places)
	return &Observations{
		End:      o.End,
		Monitors: slices.DeleteFunc(slices.Clone(o.Monitors), func(m Monitor) bool { return !in(m.Point) }),
		Silent:   slices.DeleteFunc(slices.Clone(o.Silent), func(m Monitor) bool { return !in(m.Point) }),
		Mobile:   slices.DeleteFunc(slices.Clone(o.Mobile), func(x MobileReading) bool { return !in(x.Point) }),
	}
}

// monitorsBeyond returns the places of the monitors that are missing in those of the main cluster.
func (o *Observations) monitorsBeyond(in *Observations) []orb.Point {
	used := make(map[string]bool, len(in.Monitors))
	for i := range in.Monitors {
		used[in.Monitors[i].ID] = true
	}
	var out []orb.Point
	for i := range o.Monitors {
		if !used[o.Monitors[i].ID] {
			out = append(out, o.Monitors[i].Point)
		}
	}
	return out
}

// maxPlaces limits the number of places from which the main cluster is determined.
const maxPlaces = 400

// MainCluster returns a function that reports whether a place belongs to the main cluster of places: those near
// the place that has the most others around it.
func MainCluster(places []orb.Point) func(orb.Point) bool {
	best, most := orb.Point{}, 0
	for _, p := range places {
		around := 0
		for _, q := range places {
			if geo.Distance(p, q) <= clusterRadius {
				around++
			}
		}
		if around > most {
			best, most = p, around
		}
	}
	return func(p orb.Point) bool { return most > 0 && geo.Distance(p, best) <= clusterRadius }
}

// surfaceObservations returns the available values of one average.
func (o *Observations) surfaceObservations(a *aqi.Average, stack *surface.Stack) *surface.Observations {
	r := &surface.Observations{Time: o.End}
	for i := range o.Monitors {
		m := &o.Monitors[i]
		if c, _, ok := a.Of(m.Hours); ok {
			r.Sites, r.Values = append(r.Sites, m.site()), append(r.Values, c)
		} else {
			r.Silent = append(r.Silent, m.site())
		}
	}
	for i := range o.Silent {
		r.Silent = append(r.Silent, o.Silent[i].site())
	}
	for i := range o.Mobile {
		if x := &o.Mobile[i]; x.Quantity == a.Quantity {
			r.Sites, r.Values = append(r.Sites, x.site(o.End, stack)), append(r.Values, x.Value)
		}
	}
	return r
}

func (m *Monitor) site() surface.Site { return surface.Site{ID: m.ID, Point: m.Point, Class: m.Class} }

// site returns the site of a mobile reading. Its error variance grows with its age by the drift of the air. Half
// an hour of drift is always added, because a single value stands for a whole hour.
func (x *MobileReading) site(end time.Time, stack *surface.Stack) surface.Site {
	return surface.Site{
		Point: x.Point, Class: x.Class, Extra: stack.DriftPerHour() * (0.5 + max(0, end.Sub(x.Time).Hours())),
	}
}

// IndexRasters holds the index on the lattice, either overall or of one quantity.
type IndexRasters struct {
	Index     *surface.Raster // unrounded
	Certainty *surface.Raster // explained part of the standard deviation, 0 to 1; NaN if unknown
	Dominant  []int8          // by node: index into AQIField.Averages, -1 without an index
}

// IndexRasters returns the rasters of the index of a quantity, or of the overall index for "".
func (f *AQIField) IndexRasters(q nhip.Quantity) *IndexRasters {
	f.mu.Lock()
	compute, known := f.rasters[q]
	if !known {
		if len(f.rasters) >= maxCached {
			clear(f.rasters)
		}
		compute = sync.OnceValue(func() *IndexRasters { return f.computeRasters(q) })
		f.rasters[q] = compute
	}
	f.mu.Unlock()
	return compute() // without the lock: only those who ask for the same rasters wait
}

// maxCached is how many rasters a field caches. Each takes as much memory as two surfaces.
const maxCached = 3

func (f *AQIField) computeRasters(q nhip.Quantity) *IndexRasters {
	l := &IndexRasters{surface.NewRaster(f.Grid), surface.NewRaster(f.Grid), make([]int8, f.Grid.Nodes())}
	for k := range l.Dominant {
		l.Dominant[k] = -1
	}
	enough := make([]bool, f.Grid.Nodes()) // whether the scale's conditions are met at the node
	for p := range f.Averages {
		if average := &f.Averages[p]; q == "" || q == average.Quantity {
			f.overlay(l, int8(p), enough, q != "" || f.suffices(average.Quantity))
		}
	}
	for k, ok := range enough {
		if p := l.Dominant[k]; !ok || p >= 0 && !f.certain(p, k) && (q != "" || !f.beside(k)) {
			l.Index.Values[k], l.Certainty.Values[k], l.Dominant[k] = float32(math.NaN()), float32(math.NaN()), -1
		}
	}
	return l
}

// suffices reports whether a quantity alone is enough for an index.
func (f *AQIField) suffices(q nhip.Quantity) bool {
	return aqi.Suffices(f.Scale, func(other nhip.Quantity) bool { return q == other })
}

// certain reports whether the dominant average is known well enough at a node to be shown: beside a monitor, or if its
// range does not extend over too many categories. The others don't matter: the index would be too low without the
// dominant one.
func (f *AQIField) certain(p int8, k int) bool {
	average := &f.Averages[p]
	if average.Beside(k) {
		return true
	}
	low, high := average.RangeAt(k)
	return average.narrow(f.Scale, low, high)
}

// beside reports whether a monitor whose values are enough for an index stands beside a node: there is always an answer
// there, even if another quantity, which it does not measure, dominates and is uncertain.
func (f *AQIField) beside(k int) bool {
	return slices.ContainsFunc(f.Averages, func(a AverageSurface) bool { return a.Beside(k) && f.suffices(a.Quantity) })
}

// narrow reports whether a range of concentrations extends over at most maxCategories, or is unknown.
func (p *AverageSurface) narrow(scale nhip.Scale, low, high float64) bool {
	if math.IsNaN(low) || math.IsNaN(high) {
		return true
	}
	from, to := p.roundedIndex(low, 0), p.roundedIndex(high, math.Inf(1))
	return aqi.CategoryOf(scale, to).Number-aqi.CategoryOf(scale, from).Number < maxCategories
}

// overlay applies the index of an average at all nodes where it is the highest so far.
func (f *AQIField) overlay(l *IndexRasters, p int8, enough []bool, suffices bool) {
	average := &f.Averages[p]
	for k, v := range average.Mean.Values {
		if math.IsNaN(float64(v)) {
			continue
		}
		index, ok := average.Index(float64(v))
		if !ok {
			continue
		}
		enough[k] = enough[k] || suffices
		if l.Dominant[k] < 0 || float32(index) > l.Index.Values[k] {
			l.Index.Values[k], l.Dominant[k] = float32(index), p
			l.Certainty.Values[k] = float32(average.Certainty(k))
		}
	}
}
