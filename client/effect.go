package client

import (
	"time"

	"nhip"
)

// Effect is what a review or a calibration would change. Before and after are empty where there is, or would be, no
// complete mean.
type Effect struct {
	Values      int                `json:"values"` // readings whose flag or corrected value would change
	Means       []MeanChange       `json:"means"`
	Indices     []IndexChange      `json:"indices"`
	Exceedances []ExceedanceChange `json:"exceedances"`
}

// MeanChange is a mean that would change.
type MeanChange struct {
	Quantity    nhip.Quantity     `json:"quantity"`
	Average     string            `json:"average"` // "1h", "8h" or "24h"
	Time        time.Time         `json:"time"`    // END
	Before      nhip.Opt[float64] `json:"before"`
	After       nhip.Opt[float64] `json:"after"`
	Unit        string            `json:"unit"`
	Limit       nhip.Opt[float64] `json:"limit,omitzero"` // in force for this average, if there is one
	AboveBefore bool              `json:"above_before"`
	AboveAfter  bool              `json:"above_after"`
}

// IndexChange is an index that would change.
type IndexChange struct {
	Scale  nhip.Scale        `json:"scale"`
	Rule   string            `json:"rule"` // hourly or daily, as the contract names it
	Time   time.Time         `json:"time"` // END
	Before nhip.Opt[float64] `json:"before"`
	After  nhip.Opt[float64] `json:"after"`
}

// ExceedanceChange is the comparison with one limit over the local days that would change. The rows have no station
// and no area.
type ExceedanceChange struct {
	Before ExceedanceRow `json:"before"`
	After  ExceedanceRow `json:"after"`
}
