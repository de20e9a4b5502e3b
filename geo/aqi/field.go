package aqi

import (
	"slices"

	"nhip"
)

// The surface package interpolates concentrations. The index is then computed from the concentrations at each
// place, because interpolating the index itself would be wrong. The functions of this file support that.

// Average is one average of one quantity that contributes to an hourly index.
type Average struct {
	Quantity nhip.Quantity
	Name     string // the value of nhip.SubIndex.Average

	component *component
	scale     *scale
}

// Averages returns the averages that the hourly index of a scale is computed from, in the order of the scale's
// source document.
func Averages(name nhip.Scale) []Average {
	s := scales[name]
	out := make([]Average, len(s.hourly))
	for i := range s.hourly {
		out[i] = Average{s.hourly[i].quantity, s.hourly[i].average, &s.hourly[i], s}
	}
	return out
}

// Of returns the average over the hours of a place and the share of hours that is present. ok is false if the
// share is too small.
func (a *Average) Of(hours Hours) (c, share float64, ok bool) {
	return averageFromHours(a.Name, hours[a.Quantity], dayHours, DefaultCompleteness)
}

// Index returns the unrounded index of a concentration. The second result is false if the scale has no index for it.
func (a *Average) Index(c float64) (float64, bool) { return a.component.index(c) }

// Round rounds an index as the scale prescribes for publication.
func (a *Average) Round(index float64) float64 { return a.scale.round(index) }

// Suffices reports whether the quantities for which has returns true are enough for an index.
func Suffices(name nhip.Scale, has func(nhip.Quantity) bool) bool {
	s := scales[name]
	return len(s.requires) == 0 || slices.ContainsFunc(s.requires, has)
}

// SourceOf returns the document that defines a scale.
func SourceOf(name nhip.Scale) string { return scales[name].source }
