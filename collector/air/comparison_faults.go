package air

import (
	"slices"
	"strconv"
	"time"

	"nhip"
	"nhip/geo/fault"
)

// publicFault returns a fault as it is published.
func publicFault(w *fault.Window, f *fault.Fault) nhip.MonitorFault {
	out := nhip.MonitorFault{
		Quantity: f.Quantity, Cause: string(f.Cause), Flag: f.Flag(),
		Since: time.UnixMilli(startOf(w.First + int64(f.From))).UTC(),
		Until: time.UnixMilli(endOf(w.First + int64(f.To) - 1)).UTC(),
		Open:  f.Open,
	}
	if f.Factor != 1 && f.Factor != 0 {
		out.Factor = nhip.Some(significant(f.Factor))
	}
	if f.Offset != 0 {
		out.Offset = nhip.Some(significant(f.Offset))
	}
	if f.Shift != 0 {
		out.Shift = nhip.Some(f.Shift)
	}
	return out
}

// appendFault adds a fault. One that continues the last one, with another flag, is joined with it.
func appendFault(to []nhip.MonitorFault, f nhip.MonitorFault) []nhip.MonitorFault {
	n := len(to)
	if n == 0 || to[n-1].Quantity != f.Quantity || to[n-1].Cause != f.Cause || !to[n-1].Until.Equal(f.Since) {
		return append(to, f)
	}
	last := &to[n-1]
	last.Until, last.Open, last.Flag = f.Until, f.Open, max(last.Flag, f.Flag)
	return to
}

// maxFaults is how many faults of a station are published, because each is in every message of its state. A monitor
// whose spikes recur has a hundred a month.
const maxFaults = 50

// newestFaults returns the faults, or those that ended last if they are too many, in the same order.
func newestFaults(all []nhip.MonitorFault) []nhip.MonitorFault {
	if len(all) <= maxFaults {
		return all
	}
	ends := make([]time.Time, len(all))
	for i := range all {
		ends[i] = all[i].Until
	}
	slices.SortFunc(ends, func(a, b time.Time) int { return b.Compare(a) })
	oldest, surplus := ends[maxFaults-1], 0
	for i := range all {
		if !all[i].Until.Before(oldest) {
			surplus++
		}
	}
	surplus -= maxFaults // that end at the same time as the oldest one
	return slices.DeleteFunc(all, func(f nhip.MonitorFault) bool {
		if f.Until.Equal(oldest) && surplus > 0 {
			surplus--
			return true
		}
		return f.Until.Before(oldest)
	})
}

// significant rounds to three significant digits: a correction is not known better.
func significant(v float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	return rounded
}
