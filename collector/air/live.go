package air

import (
	"slices"
	"time"

	"nhip"
)

// LiveUpdate is the current state of a station for publication.
type LiveUpdate struct {
	Station string
	Flags   map[nhip.Quantity][]LiveFlag // of the newest readings of each quantity
	Hours   *nhip.HourlyMeans            // nil: no complete hour

	// Faults and Unvouched are unknown, and those that were published before hold, until the monitors have been compared.
	FaultsKnown bool
	Faults      []nhip.MonitorFault
	Unvouched   []nhip.Quantity
}

// LiveFlag is the assessment of one reading.
type LiveFlag struct {
	Time  time.Time
	Flag  nhip.Flag
	Tests string
}

// The value that is shown need not be the latest by its time: that may have come from a clock that was ahead.
const (
	liveFlagsMS  = int64(nhip.FutureTolerance / time.Millisecond)
	maxLiveFlags = 32
)

// liveFlags returns the flags of the newest readings, for publication.
func (w *window) liveFlags() map[nhip.Quantity][]LiveFlag {
	flags := make(map[nhip.Quantity][]LiveFlag)
	for i := range w.series {
		series := &w.series[i]
		n := len(series.Samples)
		for j := n - 1; j >= max(n-maxLiveFlags, 0) && series.Samples[n-1].At-series.Samples[j].At <= liveFlagsMS; j-- {
			v := w.assessments[i][j].result
			at := time.UnixMilli(series.Samples[j].At).UTC()
			flags[series.Quantity] = append(flags[series.Quantity], LiveFlag{at, v.Flag, v.Tests()})
		}
	}
	return flags
}

// liveHours returns the means of the last hours up to the latest complete one, or nil if no hour is complete.
func (s *station) liveHours() *nhip.HourlyMeans {
	end := int64(0)
	for _, of := range s.hourly {
		for h, stats := range of {
			if stats.Complete() {
				end = max(end, h)
			}
		}
	}
	if end == 0 {
		return nil
	}
	out := &nhip.HourlyMeans{End: time.UnixMilli(endOf(end)).UTC(), Means: make(map[nhip.Quantity][]nhip.Opt[float64])}
	for q, of := range s.hourly {
		means := make([]nhip.Opt[float64], liveHours)
		some := false
		for i := range means {
			if stats, ok := of[end-int64(i)]; ok && stats.Complete() {
				means[i], some = nhip.Some(stats.Mean), true
				if i == 0 && stats.Flag == nhip.FlagSuspect {
					out.Suspect, out.SuspectQuantities = true, append(out.SuspectQuantities, q)
				}
			}
		}
		if some {
			out.Means[q] = means
		}
	}
	slices.Sort(out.SuspectQuantities)
	return out
}
