package air

import (
	"cmp"
	"math"
	"slices"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/surface"

	"github.com/paulmach/orb"
)

// Range is an estimate, and between what it lies in 8 of 10 cases. Low and High are NaN where that is not known.
type Range struct{ Value, Low, High float64 }

// z10 is how many deviations below the mean the tenth part of a normal distribution begins.
const z10 = 1.2816

// Estimate is what is thought of one average at a place.
type Estimate struct {
	Average       aqi.Average
	Concentration Range // in Quantity.Unit
	Index         Range // rounded, as it is told
	Method        surface.Method
	Sites         int
}

// Here is the air at a place.
type Here struct {
	Index    Range
	Level    nhip.Level
	Dominant nhip.Quantity
	Parts    []Estimate // the highest index first
}

// At returns the air at a place, WGS84 lon, lat; false where there is no index: too far from the monitors, or without
// what the scale asks for.
func (c *City) At(p orb.Point) (Here, bool) {
	var h Here
	i, j := c.Grid.Of(p)
	for k := range c.Parts {
		if e, ok := c.Parts[k].at(i, j); ok {
			h.Parts = append(h.Parts, e)
		}
	}
	enough := aqi.Suffices(c.Scale, func(q nhip.Quantity) bool {
		return slices.ContainsFunc(h.Parts, func(e Estimate) bool { return e.Average.Quantity == q })
	})
	if len(h.Parts) == 0 || !enough {
		return Here{}, false
	}
	slices.SortStableFunc(h.Parts, func(a, b Estimate) int { return cmp.Compare(b.Index.Value, a.Index.Value) })
	h.Index, h.Dominant = h.Parts[0].Index, h.Parts[0].Average.Quantity
	for _, e := range h.Parts { // another quantity may be the higher one, too
		h.Index.Low, h.Index.High = math.Max(h.Index.Low, e.Index.Low), math.Max(h.Index.High, e.Index.High)
	}
	h.Level = aqi.LevelOf(c.Scale, h.Index.Value)
	return h, true
}

// at estimates a part at column i, row j.
func (p *Part) at(i, j float64) (Estimate, bool) {
	c := p.Mean.At(i, j)
	index, ok := p.Index(c)
	if c != c || !ok {
		return Estimate{}, false
	}
	off := z10 * p.Deviation(i, j)
	e := Estimate{Average: p.Average, Method: p.Method, Sites: p.Sites, Concentration: Range{c, max(0, c-off), c + off}}
	e.Index = Range{p.Round(index), p.told(e.Concentration.Low, 0), p.told(e.Concentration.High, index)}
	return e, true
}

// told is the index of a concentration as it is told; where the scale has none, the other.
func (p *Part) told(c, other float64) float64 {
	if c != c {
		return c
	}
	if index, ok := p.Index(c); ok {
		return p.Round(index)
	}
	return p.Round(other)
}
