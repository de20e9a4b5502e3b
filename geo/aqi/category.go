package aqi

import (
	"math"

	"nhip"
)

// category is a category and the highest rounded index that belongs to it.
type category struct {
	to float64
	nhip.AQICategory
}

// category returns the category of a rounded index.
func (s *scale) category(v float64) nhip.AQICategory {
	for i := range s.categories {
		if v <= s.categories[i].to {
			return s.categories[i].AQICategory
		}
	}
	return s.categories[len(s.categories)-1].AQICategory
}

// CategoryBound is one category of a scale with its bounds.
type CategoryBound struct {
	nhip.AQICategory
	From float64 // the lowest unrounded index that rounds into the category; 0 for the first
	To   float64 // the highest rounded index in the category; +Inf for the last
}

// Categories returns the categories of a scale, the cleanest first.
func Categories(name nhip.Scale) []CategoryBound {
	s := scales[name]
	out := make([]CategoryBound, len(s.categories))
	from := 0.0
	for i, l := range s.categories {
		out[i] = CategoryBound{AQICategory: l.AQICategory, From: from, To: l.to}
		if !math.IsInf(l.to, 1) {
			from = s.leastAbove(l.to)
		}
	}
	return out
}

// leastAbove returns the smallest number that exceeds end once it is rounded.
func (s *scale) leastAbove(end float64) float64 {
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

// CategoryOf returns the category of a rounded index.
func CategoryOf(name nhip.Scale, index float64) nhip.AQICategory { return scales[name].category(index) }
