package recorded

import (
	"iter"
	"maps"
	"slices"
	"time"

	"nhip"
	"nhip/geo/surface"
)

// Hours holds the hourly means of monitors with a known position.
type Hours struct {
	quantity nhip.Quantity
	by       map[time.Time]map[string]*stationHour // by end and station
}

// stationHour sums up the readings of one monitor and hour.
type stationHour struct {
	site  surface.Site
	sum   float64
	count int
}

// NewHours returns the hourly means of a quantity, without any yet.
func NewHours(q nhip.Quantity) *Hours {
	return &Hours{quantity: q, by: make(map[time.Time]map[string]*stationHour)}
}

// Add adds the valid readings of facts whose position is known and whose period is at most an hour.
func (h *Hours) Add(f *nhip.Facts) {
	for i := range f.Readings {
		r := &f.Readings[i]
		at, placed := r.Point.Get()
		if !placed || r.Quantity != h.quantity || r.Period > time.Hour ||
			r.Flag == nhip.FlagFail || r.Flag == nhip.FlagMissing {
			continue
		}
		end := r.Time.Add(time.Hour - time.Millisecond).Truncate(time.Hour)
		if h.by[end] == nil {
			h.by[end] = make(map[string]*stationHour)
		}
		hour := h.by[end][r.Station]
		if hour == nil {
			hour = &stationHour{site: surface.Site{ID: r.Station, Point: at}}
			h.by[end][r.Station] = hour
		}
		hour.sum += r.Value
		hour.count++
	}
}

// Observations returns the means of each hour, in the order of the hours, with the monitors in that of their names.
func (h *Hours) Observations() iter.Seq[surface.Observations] {
	return func(yield func(surface.Observations) bool) {
		for _, end := range slices.SortedFunc(maps.Keys(h.by), time.Time.Compare) {
			if !yield(h.at(end)) {
				return
			}
		}
	}
}

// at returns the means of the hour that ends at a time.
func (h *Hours) at(end time.Time) surface.Observations {
	o := surface.Observations{Time: end}
	for _, id := range slices.Sorted(maps.Keys(h.by[end])) {
		hour := h.by[end][id]
		o.Sites, o.Values = append(o.Sites, hour.site), append(o.Values, hour.sum/float64(hour.count))
	}
	return o
}
