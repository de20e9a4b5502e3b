package qc

import (
	"math"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Site is the location of a monitor: WGS84 degrees, and metres above sea level. Unknown values are NaN.
type Site struct{ Lat, Lon, Elevation float64 }

func (s *Site) known() bool { return !math.IsNaN(s.Lat) && !math.IsNaN(s.Lon) }

// within reports whether two known sites are at most radius metres apart.
func (s *Site) within(o *Site, radius float64) bool {
	const metresPerDegree = 111_000 // of latitude, at least; saves most distances in a large network
	return math.Abs(s.Lat-o.Lat)*metresPerDegree <= radius && s.metresTo(o) <= radius
}

func (s *Site) metresTo(o *Site) float64 {
	return geo.DistanceHaversine(orb.Point{s.Lon, s.Lat}, orb.Point{o.Lon, o.Lat})
}

// BuddyCheck is the buddy check of titanlib. It flags a site that differs from the mean of the other sites within
// Radius by more than Threshold times their deviation. The deviation is √(variance + variance/n), but at least
// MinDeviation. Flagged sites are excluded from the next iteration. Sites with fewer than MinNeighbours
// neighbours or without a value (NaN) are not evaluated.
type BuddyCheck struct {
	Radius        float64 // m
	MinNeighbours int
	Threshold     float64
	MinDeviation  float64
	Iterations    int
}

// Flag reports for each site whether it is an outlier.
func (b *BuddyCheck) Flag(sites []Site, values []float64) []bool {
	return b.flag(b.neighbours(sites), values)
}

// flag is Flag for sites whose neighbours are known.
func (b *BuddyCheck) flag(near [][]int, values []float64) []bool {
	out := make([]bool, len(values))
	for range b.Iterations {
		found := make([]bool, len(values))
		copy(found, out)
		for i := range values {
			if !out[i] && !math.IsNaN(values[i]) {
				found[i] = b.isOutlier(values, out, near[i], i)
			}
		}
		out = found
	}
	return out
}

// neighbours returns the indices of the other sites within the radius, for each site.
func (b *BuddyCheck) neighbours(sites []Site) [][]int {
	out := make([][]int, len(sites))
	for i := range sites {
		for j := i + 1; j < len(sites); j++ {
			if sites[i].known() && sites[j].known() && sites[i].within(&sites[j], b.Radius) {
				out[i], out[j] = append(out[i], j), append(out[j], i)
			}
		}
	}
	return out
}

func (b *BuddyCheck) isOutlier(values []float64, flagged []bool, near []int, i int) bool {
	n, sum := 0, 0.0
	for _, j := range near {
		if !flagged[j] && !math.IsNaN(values[j]) {
			n++
			sum += values[j]
		}
	}
	if n == 0 || n < b.MinNeighbours {
		return false
	}
	mean, squares := sum/float64(n), 0.0
	for _, j := range near {
		if !flagged[j] && !math.IsNaN(values[j]) {
			squares += (values[j] - mean) * (values[j] - mean)
		}
	}
	variance := squares / float64(n)
	return math.Abs(values[i]-mean) > b.Threshold*max(math.Sqrt(variance+variance/float64(n)), b.MinDeviation)
}

// buddyIterations is how many times outliers are excluded and the remaining sites compared again.
const buddyIterations = 2

// minConcentration in µg/m³ is a lower bound for the neighbour check: in clean air a factor of three is noise.
const minConcentration = 2

// Neighbourhood compares the hourly values of one quantity in a network of low-cost monitors, hour by hour.
type Neighbourhood struct {
	limits     *Params
	channels   *Params
	buddies    BuddyCheck
	near       [][]int  // by site: those within the radius
	collocated [][2]int // pairs
}

// Neighbourhood returns the comparison of a quantity at sites that do not change.
func (r *Rules) Neighbourhood(q nhip.Quantity, sites []Site) *Neighbourhood {
	l := r.Params(q, ClassLowCost, CheckNeighbours)
	n := &Neighbourhood{limits: l, channels: r.Params(q, ClassLowCost, CheckChannels)}
	n.buddies = BuddyCheck{
		Radius: l.Radius, MinNeighbours: int(l.Count), MinDeviation: l.Floor, Iterations: buddyIterations,
	}
	if l.Count >= 1 {
		n.near = n.buddies.neighbours(sites)
	}
	if math.IsNaN(n.channels.Suspect) && math.IsNaN(n.channels.Fail) {
		return n
	}
	for i := range sites {
		for j := i + 1; j < len(sites); j++ {
			if sites[i].known() && sites[j].known() && sites[i].within(&sites[j], collocationRadius) {
				n.collocated = append(n.collocated, [2]int{i, j})
			}
		}
	}
	return n
}

// Compare compares the values of an hour, NaN where a site has none. Particle concentrations are roughly log-normal,
// half as likely as double, so logarithms are compared. A flag is Good, Suspect or Fail, or NotEvaluated for sites with
// too few neighbours.
func (n *Neighbourhood) Compare(values []float64) []nhip.Flag {
	out := make([]nhip.Flag, len(values))
	if n.near == nil {
		for i := range out {
			out[i] = nhip.FlagNotEvaluated
		}
		return out
	}
	logs := make([]float64, len(values))
	for i, v := range values {
		logs[i] = math.Log(max(v, minConcentration))
		if math.IsNaN(v) {
			logs[i] = math.NaN()
		}
		out[i] = nhip.FlagGood
	}
	b := n.buddies
	for _, grade := range []struct {
		threshold float64
		flag      nhip.Flag
	}{{n.limits.Suspect, nhip.FlagSuspect}, {n.limits.Fail, nhip.FlagFail}} {
		if math.IsNaN(grade.threshold) {
			continue
		}
		b.Threshold = grade.threshold
		for i, found := range b.flag(n.near, logs) {
			if found {
				out[i] = grade.flag
			}
		}
	}
	for i, near := range n.near {
		if len(near) < b.MinNeighbours || math.IsNaN(values[i]) {
			out[i] = nhip.FlagNotEvaluated
		}
	}
	return out
}

// collocationRadius in m is the distance within which two monitors measure the same air.
const collocationRadius = 30

// CompareCollocated compares monitors that stand next to each other, like the two sensors of one device. Both monitors
// of a pair that disagrees are flagged, because it is unknown which of them is wrong. Others are Good.
func (n *Neighbourhood) CompareCollocated(values []float64) []nhip.Flag {
	out := make([]nhip.Flag, len(values))
	for i := range out {
		out[i] = nhip.FlagGood
	}
	for _, pair := range n.collocated {
		i, j := pair[0], pair[1]
		f := n.channels.compareChannels(values[i], values[j])
		out[i], out[j] = max(out[i], f), max(out[j], f)
	}
	return out
}

// Isolated reports for each site whether it has fewer than count other sites within radius (m) and, unless
// vertical is NaN, within vertical metres of its height. A site without coordinates is isolated.
func Isolated(sites []Site, count int, radius, vertical float64) []bool {
	out := make([]bool, len(sites))
	for i := range sites {
		n := 0
		for j := range sites {
			if i != j && sites[i].known() && sites[j].known() && sites[i].metresTo(&sites[j]) <= radius &&
				sameHeight(&sites[i], &sites[j], vertical) {
				n++
			}
		}
		out[i] = n < count
	}
	return out
}

// sameHeight reports whether the heights of two sites differ by at most vertical metres. If vertical is NaN heights
// are ignored; otherwise an unknown height matches none.
func sameHeight(a, b *Site, vertical float64) bool {
	return math.IsNaN(vertical) || math.Abs(a.Elevation-b.Elevation) <= vertical
}

// Duplicates reports for each site whether an earlier site lies within radius (m) and, unless vertical is NaN,
// within vertical metres of its height. Of two such sites, the one without a height is the duplicate. A site
// without coordinates is never a duplicate.
func Duplicates(sites []Site, radius, vertical float64) []bool {
	out := make([]bool, len(sites))
	isDuplicate := func(i, j int) bool {
		if !sites[i].known() || !sites[j].known() || out[j] || sites[i].metresTo(&sites[j]) > radius {
			return false
		}
		if math.IsNaN(sites[i].Elevation) && !math.IsNaN(vertical) {
			return j < i || !math.IsNaN(sites[j].Elevation)
		}
		return j < i && sameHeight(&sites[i], &sites[j], vertical)
	}
	for i := range sites {
		for j := range sites {
			out[i] = out[i] || i != j && isDuplicate(i, j)
		}
	}
	return out
}
