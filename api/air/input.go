package air

import (
	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/surface"
)

// interpolated is the set of interpolated quantities: those that any scale uses.
var interpolated = func() map[nhip.Quantity]bool {
	out := make(map[nhip.Quantity]bool)
	for _, scale := range aqi.Scales() {
		for _, a := range aqi.Averages(scale) {
			out[a.Quantity] = true
		}
	}
	return out
}()

// classOf returns how well a station measures.
func classOf(s *nhip.Station) surface.Class {
	if s.Kind == "reference" {
		return surface.ClassReference
	}
	return surface.ClassLowCost
}
