package air

import (
	"cmp"
	"math"
	"slices"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/surface"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Estimate is an estimated value and its 80 % interval. Low and High are NaN if the uncertainty is unknown.
type Estimate struct{ Value, Low, High float64 }

// AverageEstimate is the estimate of one average at a place.
type AverageEstimate struct {
	Average       aqi.Average
	Concentration Estimate // in Quantity.Unit
	Index         Estimate // rounded for publication
	Method        surface.Method
	Sites         int

	certain bool // enough to be shown as the dominant average
}

// PointEstimate is the air quality at a place.
type PointEstimate struct {
	Index    Estimate
	Category nhip.AQICategory
	Dominant nhip.Quantity
	Averages []AverageEstimate // highest index first
}

// Blank is the reason why a place has no index.
type Blank string

// The reasons.
const (
	BlankNoValues  Blank = "no_values" // no monitor has good values of this hour
	BlankTooFar    Blank = "too_far"   // from the monitors that have
	BlankElsewhere Blank = "elsewhere" // the monitors near enough stand too far from the main cluster to be used
	BlankQuantity  Blank = "quantity"  // a quantity that the scale requires is not measured near enough
	BlankUncertain Blank = "uncertain" // the range extends over too many categories
)

// At returns the air quality at a place (WGS84 lon, lat), or the reason why there is no index, "" otherwise.
func (f *AQIField) At(p orb.Point) (point PointEstimate, blank Blank) {
	i, j := f.Grid.ColumnRow(p)
	for k := range f.Averages {
		if e, ok := f.Averages[k].at(f.Scale, i, j); ok {
			point.Averages = append(point.Averages, e)
		}
	}
	enough := aqi.Suffices(f.Scale, func(q nhip.Quantity) bool {
		return slices.ContainsFunc(point.Averages, func(e AverageEstimate) bool { return e.Average.Quantity == q })
	})
	switch {
	case len(f.Averages) == 0:
		return PointEstimate{}, BlankNoValues
	case len(point.Averages) == 0 && f.nearUnused(p):
		return PointEstimate{}, BlankElsewhere
	case len(point.Averages) == 0:
		return PointEstimate{}, BlankTooFar
	case !enough:
		return PointEstimate{}, BlankQuantity
	}
	slices.SortStableFunc(point.Averages, func(a, b AverageEstimate) int {
		return cmp.Compare(b.Index.Value, a.Index.Value)
	})
	if !point.Averages[0].certain && !f.beside(int(math.Round(j))*f.Grid.W+int(math.Round(i))) {
		return PointEstimate{}, BlankUncertain
	}
	point.Index, point.Dominant = point.Averages[0].Index, point.Averages[0].Average.Quantity
	for _, e := range point.Averages { // the bounds of another quantity may be higher
		point.Index.Low, point.Index.High = math.Max(point.Index.Low, e.Index.Low), math.Max(point.Index.High, e.Index.High)
	}
	point.Category = aqi.CategoryOf(f.Scale, point.Index.Value)
	return point, ""
}

// Estimated reports whether a silent monitor that usually reports is estimated, and the field contains its usual
// difference from its surroundings.
func (f *AQIField) Estimated(id string) bool {
	return slices.ContainsFunc(f.Averages, func(a AverageSurface) bool { return slices.Contains(a.Filled, id) })
}

// nearUnused reports whether a monitor that is not used, because it stands far from the others, is near a place.
func (f *AQIField) nearUnused(p orb.Point) bool {
	return slices.ContainsFunc(f.elsewhere, func(q orb.Point) bool { return geo.Distance(p, q) <= f.reach })
}

// at estimates the average at column i, row j.
func (p *AverageSurface) at(scale nhip.Scale, i, j float64) (AverageEstimate, bool) {
	c := p.Mean.At(i, j)
	index, ok := p.Index(c)
	if math.IsNaN(c) || !ok {
		return AverageEstimate{}, false
	}
	low, high := p.Range(i, j)
	nearest := int(math.Round(j))*p.Mean.W + int(math.Round(i))
	e := AverageEstimate{
		Average: p.Average, Method: p.Method, Sites: p.Sites, Concentration: Estimate{c, low, high},
		certain: p.Beside(nearest) || p.narrow(scale, low, high),
	}
	e.Index = Estimate{p.Round(index), p.roundedIndex(e.Concentration.Low, 0), p.roundedIndex(e.Concentration.High, index)}
	return e, true
}

// roundedIndex returns the rounded index of a concentration, or other, rounded, if the scale has no index for it.
func (p *AverageSurface) roundedIndex(c, other float64) float64 {
	if math.IsNaN(c) {
		return c
	}
	if index, ok := p.Index(c); ok {
		return p.Round(index)
	}
	return p.Round(other)
}
