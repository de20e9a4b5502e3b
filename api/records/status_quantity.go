package records

import (
	"maps"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/api/catalog"
	"nhip/internal/influx"
)

// quantityStatus is the state of one quantity of a station.
type quantityStatus struct {
	Quantity nhip.Quantity `json:"quantity"`
	// Flag is that of the newest value; FlagMissing if no value comes.
	Flag  nhip.Flag  `json:"flag"`
	Tests string     `json:"tests,omitempty"` // automatic checks that the newest value did not pass
	Time  *time.Time `json:"time"`            // of the newest value; null without any in the span
	// Since is the begin of the hours with this flag up to now, or when values ceased to come.
	Since time.Time `json:"since"`
	// Before says that the flag is older than the span, and Since the begin of the span.
	Before  bool    `json:"before,omitempty"`
	Capture float64 `json:"capture_pct"` // complete hours of the span
}

// quantityHours are the hours of one quantity in a span.
type quantityHours struct {
	complete int
	flag     nhip.Flag // of the last hour
	from     time.Time // begin of the hours in a row with this flag
	to       time.Time // end of the last hour
}

func (h *quantityHours) add(r *influx.RollupRow) {
	begin := r.Time.Add(-time.Hour)
	if r.Flag != h.flag || !begin.Equal(h.to) {
		h.flag, h.from = r.Flag, begin
	}
	if h.to = r.Time; r.Complete() {
		h.complete++
	}
}

// since returns the begin of the hours with a flag that end at the begin of the current hour, which is to, and whether
// they reach back to the begin of the span.
func (h *quantityHours) since(flag nhip.Flag, from, to time.Time) (time.Time, bool) {
	if h == nil || h.flag != flag || !h.to.Equal(to) {
		return to, false
	}
	return h.from, !h.from.After(from)
}

// quantityStatuses returns the state of each quantity that a station measures or has measured in the span.
func quantityStatuses(s *catalog.Entry, c *hourCounts, from, to, now time.Time) []quantityStatus {
	hours := make(map[nhip.Quantity]*quantityHours)
	if c != nil {
		hours = maps.Clone(c.quantities)
	}
	for q := range s.Values {
		if _, known := hours[q]; !known && !q.Circular() { // which has no hours
			hours[q] = nil
		}
	}
	out := []quantityStatus{}
	for _, q := range slices.Sorted(maps.Keys(hours)) {
		h, row := hours[q], quantityStatus{Quantity: q}
		if h != nil {
			row.Capture = math.Round(1000*float64(h.complete)/to.Sub(from).Hours()) / 10
		}
		value, live := s.Values[q]
		if live {
			row.Time = &value.Time
		} else if h != nil {
			row.Time = &h.to
		}
		if live && s.ValueState(value, now) == nhip.StateLive {
			row.Flag, row.Tests = value.Flag, value.Tests
			row.Since, row.Before = h.since(row.Flag, from, to)
		} else {
			row.Flag, row.Since = nhip.FlagMissing, *row.Time
			row.Since, row.Before = later(row.Since, from), row.Since.Before(from)
		}
		out = append(out, row)
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
