package air

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"nhip"
	geoair "nhip/geo/air"
)

// mobileMonitors are the recent readings of monitors on buses.
type mobileMonitors struct {
	mu        sync.Mutex
	byStation map[string][]geoair.MobileReading
}

// maxMobileReadings bounds the readings of one monitor: six quantities every 10 s for a little more than an hour.
const maxMobileReadings = 2500

// observe adds the newest readings of a mobile station. A station that is not mobile, or has no public position, is
// removed.
func (m *mobileMonitors) observe(s *nhip.Station) {
	p, placed := s.Point()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !s.Mobile || !placed {
		delete(m.byStation, s.ID)
		return
	}
	for q, v := range s.Values {
		if v.Time.Equal(s.Time) && interpolated[q] && v.Period <= time.Hour.Seconds() {
			m.put(geoair.MobileReading{ID: s.ID, Point: p, Class: classOf(s), Quantity: q, Time: v.Time, Value: v.Value}, v.Flag)
		}
	}
}

// put adds a reading, or replaces the one of the same station, quantity and time. A reading that is flagged suspect or
// worse is not added. The caller holds mu, unless m is not shared.
func (m *mobileMonitors) put(x geoair.MobileReading, flag nhip.Flag) {
	all := slices.DeleteFunc(m.byStation[x.ID], func(o geoair.MobileReading) bool {
		return o.Quantity == x.Quantity && o.Time.Equal(x.Time)
	})
	if flag == nhip.FlagGood || flag == nhip.FlagNotEvaluated {
		all = append(all, x)
	}
	if len(all) > maxMobileReadings {
		all = slices.Delete(all, 0, len(all)-maxMobileReadings/2)
	}
	if m.byStation == nil {
		m.byStation = make(map[string][]geoair.MobileReading)
	}
	m.byStation[x.ID] = all
}

// putAll adds good readings.
func (m *mobileMonitors) putAll(all []geoair.MobileReading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, x := range all {
		m.put(x, nhip.FlagGood)
	}
}

// since returns the readings after t, ordered by time.
func (m *mobileMonitors) since(t time.Time) []geoair.MobileReading {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []geoair.MobileReading
	for _, readings := range m.byStation {
		for _, x := range readings {
			if x.Time.After(t) {
				out = append(out, x)
			}
		}
	}
	slices.SortFunc(out, func(a, b geoair.MobileReading) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Quantity, b.Quantity))
	})
	return out
}
