package nhip

import "time"

// Periods of roll-ups, as written to InfluxDB and JSON.
const (
	PeriodHour  = "1h"
	PeriodDay   = "1d"
	PeriodMonth = "1mo"
)

// Rollup aggregates the values of one quantity at one station over an hour, a local day or a local month. Days and
// months aggregate complete hours only.
type Rollup struct {
	Station  string    `json:"station"`
	Quantity Quantity  `json:"quantity"`
	Period   string    `json:"period"`
	Quality  Quality   `json:"level"`
	Time     time.Time `json:"time"` // END, UTC
	RollupStats
}

// RollupStats are the statistics of a Rollup, in Quantity.Unit. They are meaningless where Count is 0.
type RollupStats struct {
	Mean   float64      `json:"mean"`
	Min    float64      `json:"min"`
	Max    float64      `json:"max"`
	P98    float64      `json:"p98"`
	Median float64      `json:"median"`
	Max1h  Opt[float64] `json:"max_1h,omitzero"` // days only: highest hourly mean
	Max8h  Opt[float64] `json:"max_8h,omitzero"` // days only: highest 8-hour mean that ends within the day
	// days only: percentage of the 8-hour means that end within the day, of which Max8h is the highest
	Capture8h Opt[float64] `json:"capture_8h_pct,omitzero"`
	Count     int          `json:"count"`       // values in an hour; complete hours in a day or a month
	Capture   float64      `json:"capture_pct"` // Count as a percentage of the possible count, 0 to 100

	// Flag is Good or Suspect for a complete one, FlagNotEvaluated where too little was captured to stand for the
	// whole, Fail where there were values and none was any good.
	Flag Flag `json:"flag"`
}

// Complete reports whether enough was captured for the statistics to represent the period.
func (s *RollupStats) Complete() bool { return s.Flag == FlagGood || s.Flag == FlagSuspect }
