package records

import (
	"math"
	"time"

	"nhip"
)

// windowHours is the number of hours that the index of an hour needs: 12 for a NowCast, 24 for the WHO guideline.
const windowHours = 24

// hourWindow holds the last hourly means of one quantity, newest first; NaN for hours that are missing or incomplete.
type hourWindow struct {
	end   time.Time
	hours [windowHours]float64
}

// add moves the window forward to the hour that ends at end.
func (w *hourWindow) add(end time.Time, s *nhip.RollupStats) {
	passed := windowHours
	if gap := end.Sub(w.end) / time.Hour; !w.end.IsZero() && gap < windowHours {
		passed = int(gap)
	}
	copy(w.hours[passed:], w.hours[:])
	for i := range passed {
		w.hours[i] = math.NaN()
	}
	if w.end = end; s.Complete() {
		w.hours[0] = s.Mean
	}
}

// until returns the hours up to end, which must not be before the last added hour. The result is valid until the next
// add.
func (w *hourWindow) until(end time.Time) []float64 {
	if w.end.Equal(end) {
		return w.hours[:]
	}
	moved := *w
	moved.add(end, &nhip.RollupStats{})
	return moved.hours[:]
}
