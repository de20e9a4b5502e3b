package nhip

import (
	"slices"
	"time"
)

// HourlyMeans holds the latest hourly means of a station, from which indices are computed. An hour that is not complete
// has no mean.
type HourlyMeans struct {
	End     time.Time `json:"end"`               // END of the latest complete hour, UTC
	Suspect bool      `json:"suspect,omitempty"` // the latest hour of any quantity has the flag suspect
	// the quantities whose latest hour has the flag suspect, in alphabetical order
	SuspectQuantities []Quantity `json:"suspect_quantities,omitempty"`
	// newest first, in Quantity.Unit; element i ends i hours before End
	Means map[Quantity][]Opt[float64] `json:"means"`
}

// SuspectOf reports whether the latest hour of a quantity has the flag suspect. Collectors before SuspectQuantities
// existed send only Suspect; it then holds for all quantities.
func (h *HourlyMeans) SuspectOf(q Quantity) bool {
	return h.Suspect && len(h.SuspectQuantities) == 0 || slices.Contains(h.SuspectQuantities, q)
}
