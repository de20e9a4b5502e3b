// Package limits holds what the law allows: QCVN 05:2023/BTNMT, table 1, with the days from which each limit holds.
package limits

import (
	"time"

	"nhip"
)

// Source is the text that the limits are from.
const Source = "QCVN 05:2023/BTNMT"

// Average is over how long a limit's mean is.
type Average string

// The averages that the standard knows and that are made of readings.
const (
	Hour  Average = "1h"
	Eight Average = "8h" // running, of eight hours
	Day   Average = "24h"
	Year  Average = "year"
)

// Limit is what a mean must not exceed, from a local day on.
type Limit struct {
	Quantity nhip.Quantity
	Average  Average
	Value    float64 // µg/m³ at 25 °C and 1 atm, which is the standard's Nm³
	From     string  // YYYY-MM-DD
}

// inForce begins the limits that have stood since the standard came into force on 12 September 2023. What was
// measured before is held against them, too: the table of the standard before it is not known here.
const inForce = "0000-01-01"

// all are sorted by quantity and average, and within by From, rising.
var all = []Limit{
	{nhip.PM25, Day, 50, inForce},
	{nhip.PM25, Day, 45, "2026-01-01"},
	{nhip.PM25, Year, 25, inForce},
	{nhip.PM10, Day, 100, inForce},
	{nhip.PM10, Year, 50, inForce},
	{nhip.TSP, Hour, 300, inForce},
	{nhip.TSP, Day, 200, inForce},
	{nhip.TSP, Year, 100, inForce},
	{nhip.O3, Hour, 200, inForce},
	{nhip.O3, Eight, 120, inForce},
	{nhip.NO2, Hour, 200, inForce},
	{nhip.NO2, Day, 100, inForce},
	{nhip.NO2, Year, 40, inForce},
	{nhip.SO2, Hour, 350, inForce},
	{nhip.SO2, Day, 125, inForce},
	{nhip.SO2, Year, 50, inForce},
	{nhip.CO, Hour, 30_000, inForce},
	{nhip.CO, Eight, 10_000, inForce},
}

// Averages returns the averages of a quantity that have limits, in the standard's order.
func Averages(q nhip.Quantity) []Average {
	var out []Average
	for _, l := range all {
		if l.Quantity == q && (len(out) == 0 || out[len(out)-1] != l.Average) {
			out = append(out, l.Average)
		}
	}
	return out
}

// On returns the limit that holds on the local day of a time.
func On(q nhip.Quantity, a Average, t time.Time) (float64, bool) {
	day := t.Format(time.DateOnly)
	value, ok := 0.0, false
	for _, l := range all {
		if l.Quantity == q && l.Average == a && l.From <= day {
			value, ok = l.Value, true
		}
	}
	return value, ok
}
