package nhip

import "time"

// AirHours are the last hours of a station, of which indices are made. A mean is there where its hour is complete.
type AirHours struct {
	End     time.Time                   `json:"end"`               // of the latest that is complete, UTC
	Suspect bool                        `json:"suspect,omitempty"` // the latest is
	Means   map[Quantity][]Opt[float64] `json:"means"`             // newest first, in Quantity.Unit; index i ends i hours before End
}
