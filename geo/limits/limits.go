// Package limits holds the legal limits of ambient air quality: table 1 of QCVN 05:2023/BTNMT, with the days from
// which each limit applies.
package limits

import (
	"slices"
	"time"

	"nhip"
)

// Source is the standard that sets the limits.
const Source = "QCVN 05:2023/BTNMT"

// Average is the averaging time of a limit.
type Average string

// The averaging times of the standard for quantities that monitors measure.
const (
	AverageHour Average = "1h"
	Average8h   Average = "8h" // running mean of eight hours
	AverageDay  Average = "24h"
	AverageYear Average = "year"
)

// Limit is the value that a mean must not exceed from a local day on.
type Limit struct {
	Quantity nhip.Quantity
	Average  Average
	Value    float64 // µg/m³ at 25 °C and 1 atm, the conditions of Nm³ in the standard
	From     string  // YYYY-MM-DD
}

// always is the first day of limits that have applied since the standard came into force on 12 September 2023.
// They are used for earlier measurements, too, because the previous standard is not implemented.
const always = "0000-01-01"

// all is sorted by quantity and average, then by From.
var all = []Limit{
	{nhip.PM25, AverageDay, 50, always},
	{nhip.PM25, AverageDay, 45, "2026-01-01"},
	{nhip.PM25, AverageYear, 25, always},
	{nhip.PM10, AverageDay, 100, always},
	{nhip.PM10, AverageYear, 50, always},
	{nhip.TSP, AverageHour, 300, always},
	{nhip.TSP, AverageDay, 200, always},
	{nhip.TSP, AverageYear, 100, always},
	{nhip.O3, AverageHour, 200, always},
	{nhip.O3, Average8h, 120, always},
	{nhip.NO2, AverageHour, 200, always},
	{nhip.NO2, AverageDay, 100, always},
	{nhip.NO2, AverageYear, 40, always},
	{nhip.SO2, AverageHour, 350, always},
	{nhip.SO2, AverageDay, 125, always},
	{nhip.SO2, AverageYear, 50, always},
	{nhip.CO, AverageHour, 30_000, always},
	{nhip.CO, Average8h, 10_000, always},
}

// Averages returns the averaging times for which a quantity has limits, in the order of the standard.
func Averages(q nhip.Quantity) []Average {
	var out []Average
	for _, l := range all {
		if l.Quantity == q && (len(out) == 0 || out[len(out)-1] != l.Average) {
			out = append(out, l.Average)
		}
	}
	return out
}

// Quantities returns the quantities that have limits of any of the averaging times, in the order of the standard.
func Quantities(averages ...Average) []nhip.Quantity {
	var out []nhip.Quantity
	for _, l := range all {
		if slices.Contains(averages, l.Average) && !slices.Contains(out, l.Quantity) {
			out = append(out, l.Quantity)
		}
	}
	return out
}

// Hourly returns the quantities with limits that are compared with means of hours, or with running means of them.
func Hourly() []nhip.Quantity { return Quantities(AverageHour, Average8h) }

// InForce returns the limit that applies on the day of t in t's own time zone. ok is false if there is none.
func InForce(q nhip.Quantity, a Average, t time.Time) (value float64, ok bool) {
	day := "" // of t; only for limits that have changed: for a year's hours it would take longer than all else
	for i := range all {
		l := &all[i]
		if l.Average != a || l.Quantity != q {
			continue
		}
		if l.From != always && day == "" {
			day = t.Format(time.DateOnly)
		}
		if l.From == always || l.From <= day {
			value, ok = l.Value, true
		}
	}
	return value, ok
}
