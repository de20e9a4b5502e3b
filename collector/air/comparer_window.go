package air

import (
	"cmp"
	"math"
	"slices"

	"nhip"
	"nhip/geo/fault"
	"nhip/geo/qc"
)

// comparedStation is a station in a window: the hours at one place. One that was moved within the window is compared as
// two monitors, because what its surroundings make usual for it ended there.
type comparedStation struct {
	*station
	earlier bool // before it was moved to its present place
}

// comparedIndex finds the monitor of a window that an hour of a station belongs to.
// comparedStations are the monitors of a window.
type comparedStations struct {
	all   []comparedStation // in the order of Window.Monitors
	index map[comparedStation]int
	moved map[*station]int64 // first hour at its present place
}

// add adds a monitor.
func (c *comparedStations) add(s comparedStation) {
	c.index[s] = len(c.all)
	c.all = append(c.all, s)
}

// at returns the monitor that an hour of a station belongs to.
func (c *comparedStations) at(s *station, h int64) (i int, ok bool) {
	i, ok = c.index[comparedStation{s, h < c.moved[s]}]
	return i, ok
}

// window returns the window of a job, and the stations of its monitors, by id: of equally near ones, the order decides
// which are compared. Monitors on vehicles are left out: they have no lasting bias against places.
func (c *comparer) window(j *comparisonJob) (*fault.Window, *comparedStations) {
	w := &fault.Window{First: j.first, Length: int(j.end - j.first)}
	members := &comparedStations{index: make(map[comparedStation]int), moved: make(map[*station]int64)}
	all := slices.SortedFunc(slices.Values(j.all), func(a, b *station) int { return cmp.Compare(a.id, b.id) })
	c.p.mu.Lock()
	for _, s := range all {
		if s.config.Mobile {
			continue
		}
		m := fault.Monitor{
			LowCost: s.class == qc.ClassLowCost, Lat: math.NaN(), Lon: math.NaN(), Hours: make(map[nhip.Quantity][]fault.Hour),
		}
		if s.moved > j.first { // its place then is not known any more
			before := m
			before.Hours = make(map[nhip.Quantity][]fault.Hour)
			members.moved[s] = s.moved
			members.add(comparedStation{s, true})
			w.Monitors = append(w.Monitors, before)
		}
		if at, ok := s.position(); ok {
			m.Lat, m.Lon = at.Lat(), at.Lon()
		}
		members.add(comparedStation{s, false})
		w.Monitors = append(w.Monitors, m)
	}
	c.p.mu.Unlock()
	c.fill(w, members)
	return w, members
}

// fill puts the hours that were read into a window.
func (c *comparer) fill(w *fault.Window, members *comparedStations) {
	for h, rows := range c.hours {
		for k := range rows {
			i, ok := members.at(rows[k].station, h)
			if !ok {
				continue
			}
			hours := w.Monitors[i].Hours[rows[k].quantity]
			if hours == nil {
				hours = fault.NoHours(w.Length)
				w.Monitors[i].Hours[rows[k].quantity] = hours
			}
			hours[h-w.First] = rows[k].hour
		}
	}
}
