package qc

import (
	"math"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Site is where a monitor stands: WGS84 degrees and metres above the sea, NaN where that is not known.
type Site struct{ Lat, Lon, Elevation float64 }

func (s *Site) known() bool { return !math.IsNaN(s.Lat) && !math.IsNaN(s.Lon) }

func (s *Site) to(o *Site) float64 {
	return geo.DistanceHaversine(orb.Point{s.Lon, s.Lat}, orb.Point{o.Lon, o.Lat})
}

// Buddies is titanlib's buddy check: who differs from the mean of the others within a radius by more than
// threshold times their deviation is flagged, and is nobody's buddy any more in the next round. Deviation is
// √(variance + variance/n), and floor at least. Who has fewer than count buddies is not evaluated, nor is who
// has no value (NaN).
type Buddies struct {
	Radius    float64 // m
	Count     int
	Threshold float64
	Floor     float64
	Rounds    int
}

// Check flags those that stand out with true.
func (b *Buddies) Check(sites []Site, values []float64) []bool {
	out := make([]bool, len(sites))
	near := b.near(sites)
	for range b.Rounds {
		found := make([]bool, len(sites))
		copy(found, out)
		for i := range sites {
			if !out[i] && !math.IsNaN(values[i]) {
				found[i] = b.standsOut(values, out, near[i], i)
			}
		}
		out = found
	}
	return out
}

// near returns for each site the others within the radius.
func (b *Buddies) near(sites []Site) [][]int {
	out := make([][]int, len(sites))
	for i := range sites {
		for j := i + 1; j < len(sites); j++ {
			if sites[i].known() && sites[j].known() && sites[i].to(&sites[j]) <= b.Radius {
				out[i], out[j] = append(out[i], j), append(out[j], i)
			}
		}
	}
	return out
}

func (b *Buddies) standsOut(values []float64, flagged []bool, near []int, i int) bool {
	n, sum := 0, 0.0
	for _, j := range near {
		if !flagged[j] && !math.IsNaN(values[j]) {
			n++
			sum += values[j]
		}
	}
	if n == 0 || n < b.Count {
		return false
	}
	mean, squares := sum/float64(n), 0.0
	for _, j := range near {
		if !flagged[j] && !math.IsNaN(values[j]) {
			squares += (values[j] - mean) * (values[j] - mean)
		}
	}
	variance := squares / float64(n)
	return math.Abs(values[i]-mean) > b.Threshold*max(math.Sqrt(variance+variance/float64(n)), b.Floor)
}

// buddyRounds is how often those that stand out are left out and the others looked at again.
const buddyRounds = 2

// lnFloor is the concentration below which two are the same to the neighbour check, µg/m³: in clean air a
// factor of three is noise.
const lnFloor = 2

// Neighbourhood holds one hour of a network of cheap monitors against itself: values are each station's median
// of the hour, NaN where there is none. Particles are as likely to be half as twice, so it looks at logarithms.
// The flags are Good, Suspect or Fail, and NotEvaluated for who has too few neighbours.
func (r *Rules) Neighbourhood(q nhip.Quantity, sites []Site, values []float64) []nhip.Flag {
	out := make([]nhip.Flag, len(sites))
	l := r.At(q, LowCost, Neighbours)
	if l.Count < 1 {
		for i := range out {
			out[i] = nhip.NotEvaluated
		}
		return out
	}
	logs := make([]float64, len(values))
	for i, v := range values {
		logs[i] = math.Log(max(v, lnFloor))
		if math.IsNaN(v) {
			logs[i] = math.NaN()
		}
		out[i] = nhip.Good
	}
	b := Buddies{Radius: l.Radius, Count: int(l.Count), Floor: l.Floor, Rounds: buddyRounds}
	for _, grade := range []struct {
		threshold float64
		flag      nhip.Flag
	}{{l.Suspect, nhip.Suspect}, {l.Fail, nhip.Fail}} {
		if math.IsNaN(grade.threshold) {
			continue
		}
		b.Threshold = grade.threshold
		for i, found := range b.Check(sites, logs) {
			if found {
				out[i] = grade.flag
			}
		}
	}
	for i, near := range b.near(sites) {
		if len(near) < b.Count || math.IsNaN(values[i]) {
			out[i] = nhip.NotEvaluated
		}
	}
	return out
}

// samePlace is how near to each other two monitors measure the same air, m.
const samePlace = 30

// SamePlace holds monitors that stand side by side against each other, as the two sensors of one box: values are
// each one's median of the hour, NaN where there is none. Which of two is wrong nobody can tell, so both are
// flagged. A monitor with nobody beside it is Good.
func (r *Rules) SamePlace(q nhip.Quantity, sites []Site, values []float64) []nhip.Flag {
	out := make([]nhip.Flag, len(sites))
	l := r.At(q, LowCost, Channels)
	for i := range out {
		out[i] = nhip.Good
	}
	for i := range sites {
		for j := i + 1; j < len(sites); j++ {
			if sites[i].known() && sites[j].known() && sites[i].to(&sites[j]) <= samePlace {
				f := l.disagree(values[i], values[j])
				out[i], out[j] = max(out[i], f), max(out[j], f)
			}
		}
	}
	return out
}

// Isolated tells who has fewer than count others within a radius (m) and, where vertical is not NaN, within so
// many metres of height. Who has no place is isolated.
func Isolated(sites []Site, count int, radius, vertical float64) []bool {
	out := make([]bool, len(sites))
	for i := range sites {
		n := 0
		for j := range sites {
			if i != j && sites[i].known() && sites[j].known() && sites[i].to(&sites[j]) <= radius && level(&sites[i], &sites[j], vertical) {
				n++
			}
		}
		out[i] = n < count
	}
	return out
}

// level reports whether two sites are within vertical metres of height; NaN: heights do not matter. An unknown
// height is level with nothing.
func level(a, b *Site, vertical float64) bool {
	return math.IsNaN(vertical) || math.Abs(a.Elevation-b.Elevation) <= vertical
}

// Duplicates tells who stands where another one does that came before: within a radius (m) and, where vertical
// is not NaN, within so many metres of height. Of two, the one without a height is the duplicate. Who has no
// place is none.
func Duplicates(sites []Site, radius, vertical float64) []bool {
	out := make([]bool, len(sites))
	isDouble := func(i, j int) bool {
		if !sites[i].known() || !sites[j].known() || out[j] || sites[i].to(&sites[j]) > radius {
			return false
		}
		if math.IsNaN(sites[i].Elevation) && !math.IsNaN(vertical) {
			return j < i || !math.IsNaN(sites[j].Elevation)
		}
		return j < i && level(&sites[i], &sites[j], vertical)
	}
	for i := range sites {
		for j := range sites {
			out[i] = out[i] || i != j && isDouble(i, j)
		}
	}
	return out
}
