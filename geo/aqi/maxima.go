package aqi

import (
	"math"

	"nhip"
)

// SetMaxima sets the highest hourly mean and the highest 8-hour mean of a day, as far as enough of them exist. hour
// returns the hour that ends a number of hours before the day does: of the day of length hours and EarlierHours before.
func SetMaxima(day *nhip.RollupStats, length int, completeness float64, hour func(back int) (nhip.RollupStats, bool)) {
	means := make([]float64, length+EarlierHours)
	for i := range means {
		means[i] = math.NaN()
		if stats, ok := hour(i); ok && stats.Complete() {
			means[i] = stats.Mean
		}
	}
	top := DailyMaxima(means, length, completeness)
	if !math.IsNaN(top.Hour) {
		day.Max1h = nhip.Some(top.Hour)
	}
	if !math.IsNaN(top.Eight) {
		day.Max8h, day.Capture8h = nhip.Some(top.Eight), nhip.Some(100*top.EightShare)
	}
}
