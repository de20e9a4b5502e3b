package aqi

import (
	"math"
	"slices"

	"nhip"
)

// What surfaces need to know of a scale: a surface is one of concentrations, and the index is made of them at each
// place, not the other way round.

// Average is one of those that an hourly index is made of.
type Average struct {
	Quantity nhip.Quantity
	Name     string // as nhip.SubIndex.Average

	part  *part
	scale *scale
}

// Averages returns all that the hourly index of a scale is made of, in the order of its text.
func Averages(name nhip.Scale) []Average {
	s := scales[name]
	out := make([]Average, len(s.hourly))
	for i := range s.hourly {
		out[i] = Average{s.hourly[i].quantity, s.hourly[i].average, &s.hourly[i], s}
	}
	return out
}

// Of returns the average of a place's hours, and which share of them was there; false where that is too little.
func (a *Average) Of(hours Hours) (c, share float64, ok bool) {
	return averageOf(a.Name, hours[a.Quantity], UsualCompleteness)
}

// Index returns the index of a concentration before it is rounded; false where the scale has none.
func (a *Average) Index(c float64) (float64, bool) { return a.part.index(c) }

// Round makes of an index what is told.
func (a *Average) Round(index float64) float64 { return a.scale.round(index) }

// Suffices reports whether these quantities make an index.
func Suffices(name nhip.Scale, has func(nhip.Quantity) bool) bool {
	s := scales[name]
	return len(s.needs) == 0 || slices.ContainsFunc(s.needs, has)
}

// Classes returns a scale's levels and, for each but the first, the least index before rounding that belongs to it.
func Classes(name nhip.Scale) (levels []nhip.Level, from []float64) {
	s := scales[name]
	for i, l := range s.levels {
		levels = append(levels, l.Level)
		if i < len(s.levels)-1 {
			from = append(from, s.least(l.to))
		}
	}
	return levels, from
}

// least returns the smallest number that is more than a level's end once it is rounded.
func (s *scale) least(end float64) float64 {
	low, high := end, end+1
	for low < math.Nextafter(high, low) {
		middle := low + (high-low)/2
		if s.round(middle) > end {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

// LevelOf returns the class of an index as it is told.
func LevelOf(name nhip.Scale, index float64) nhip.Level { return scales[name].level(index) }

// SourceOf returns the text that says how a scale is made.
func SourceOf(name nhip.Scale) string { return scales[name].source }
