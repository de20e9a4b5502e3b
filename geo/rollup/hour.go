package rollup

import "time"

// Bounds of the readings of an hour that count. They are far above what a monitor sends.
const (
	MaxPerHour   = 3_600  // of one series: one each second
	maxHourTotal = 14_400 // of all series of a station, if each has more than minPerHour
	minPerHour   = 240
)

// PerHour returns the number of readings of one hour that count in each of a station's series.
func PerHour(series int) int { return min(max(maxHourTotal/max(series, 1), minPerHour), MaxPerHour) }

// Expected returns the number of values that a series has in an hour. A reportEvery of 0 means one report for each
// averaging period. perHour is the bound of PerHour.
func Expected(period, reportEvery time.Duration, perHour int) float64 {
	return min(float64(time.Hour)/float64(max(period, reportEvery)), float64(perHour))
}

// Coverage is what a series of one quantity has in an hour.
type Coverage struct {
	Period time.Duration // averaging period
	Values int
}

// Best returns the index of the series that covers most of an hour, -1 if none has a value. Of a station that sends
// both minutes and hours these are the minutes, or the hour if minutes are missing. Longer periods than an hour don't
// count.
func Best(series []Coverage, reportEvery time.Duration, perHour int) int {
	best, most := -1, 0.0
	for i, c := range series {
		if c.Period > time.Hour {
			continue
		}
		share := min(float64(c.Values)/Expected(c.Period, reportEvery, perHour), 1)
		if share > most || share == most && best >= 0 && c.Period < series[best].Period {
			best, most = i, share
		}
	}
	return best
}
