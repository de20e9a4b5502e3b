package air

import (
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

// significant rounds to three significant digits: a correction is not known better.
func significant(v float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	return rounded
}
