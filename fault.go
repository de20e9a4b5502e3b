package nhip

import "time"

// MonitorFault is a fault of a monitor that the comparison with the others shows: a span of one quantity's hours that
// are likely to be wrong.
type MonitorFault struct {
	Quantity Quantity `json:"quantity"`
	// gain, offset, unit, drift, zero, level, burst, spike, noise, swap, clock, stuck, equal or contradiction
	Cause string    `json:"cause"`
	Since time.Time `json:"since"` // begin of its first hour, UTC
	Until time.Time `json:"until"` // END of its last hour so far, UTC
	Open  bool      `json:"open"`  // it reaches up to the newest hour
	Flag  Flag      `json:"flag"`  // suspect, or fail where it is certain

	// The correction that is proposed to staff, if any: value × Factor + Offset (in Quantity.Unit), and Shift hours added
	// to the time.
	Factor Opt[float64] `json:"factor,omitzero"`
	Offset Opt[float64] `json:"offset,omitzero"`
	Shift  Opt[int]     `json:"shift_h,omitzero"`
}
