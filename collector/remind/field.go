package remind

import (
	"math"
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/geo/air"
	"nhip/geo/aqi"
	"nhip/geo/surface"
	"nhip/internal/fleet"
)

// fieldEvery is how long the air between the monitors is used before it is estimated anew.
const fieldEvery = time.Minute

// stations are the monitors with what the fleet says of them, and the air between them. Its methods are for one
// goroutine, except for updateFleet.
type stations struct {
	all func() []*nhip.Station // as others may see them

	interpolator *air.Interpolator
	made         time.Time
	byID         map[string]*nhip.Station
	fields       map[nhip.Scale]*air.AQIField

	mu    sync.Mutex
	fleet map[string]fleet.Station
}

func newStations(all func() []*nhip.Station, reach float64) *stations {
	if reach == 0 {
		reach = air.DefaultReach
	}
	return &stations{all: all, interpolator: air.NewInterpolator(reach), fleet: make(map[string]fleet.Station)}
}

// updateFleet applies the fleet's entry of a station; nil removes it.
func (s *stations) updateFleet(id string, f *fleet.Station) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f == nil {
		delete(s.fleet, id)
		return
	}
	s.fleet[id] = *f
}

// refresh reads the stations, if that was not done lately.
func (s *stations) refresh(now time.Time) {
	if s.byID != nil && now.Sub(s.made) < fieldEvery && !now.Before(s.made) {
		return
	}
	s.made, s.byID, s.fields = now, make(map[string]*nhip.Station), make(map[nhip.Scale]*air.AQIField)
	all := s.all()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range all {
		s.byID[st.ID] = s.enrich(st)
	}
}

// enrich adds what the fleet says of a station. The caller holds mu.
func (s *stations) enrich(st *nhip.Station) *nhip.Station {
	f, known := s.fleet[st.ID]
	if !known {
		return st
	}
	out := *st
	out.Name, out.Kind, out.Mobile = f.Name, f.Kind, f.Mobile
	if len(f.At) == 2 && !out.Private && f.Position != fleet.Private {
		out.Lon, out.Lat = nhip.Some(f.At[0]), nhip.Some(f.At[1])
	}
	return &out
}

func (s *stations) station(id string) *nhip.Station { return s.byID[id] }

// field returns the air of the latest hour on a scale, nil without monitors.
func (s *stations) field(scale nhip.Scale) *air.AQIField {
	if f := s.fields[scale]; f != nil {
		return f
	}
	o := s.observations()
	if len(o.Monitors) == 0 {
		return nil
	}
	f := s.interpolator.Interpolate(o, nil, scale)
	s.fields[scale] = f
	return f
}

// observations returns the means of the fixed monitors for the latest hour that at least half of them have completed.
func (s *stations) observations() *air.Observations {
	var ends []time.Time
	for _, st := range s.byID {
		if st.Hours != nil && s.made.Sub(st.Hours.End) < aqi.StationIndexExpiresAfter && !st.Hours.End.After(s.made) {
			ends = append(ends, st.Hours.End)
		}
	}
	if len(ends) == 0 {
		return new(air.Observations)
	}
	slices.SortFunc(ends, func(a, b time.Time) int { return b.Compare(a) })
	o := &air.Observations{End: ends[(len(ends)-1)/2]}
	for _, st := range s.byID {
		if m, ok := monitorOf(st, o.End); ok {
			o.Monitors = append(o.Monitors, m)
		}
	}
	slices.SortFunc(o.Monitors, func(a, b air.Monitor) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return o
}

// monitorOf returns the hours of a station up to an hour. ok is false for one that is mobile or has no public position,
// or not that hour.
func monitorOf(st *nhip.Station, end time.Time) (m air.Monitor, ok bool) {
	p, placed := st.Point()
	if !placed || st.Mobile || st.Hours == nil || end.Sub(st.Hours.End) >= aqi.StationIndexExpiresAfter {
		return m, false
	}
	lag := int(end.Sub(st.Hours.End) / time.Hour) // negative: ahead of the other monitors
	m = air.Monitor{ID: st.ID, Point: p, Class: surface.ClassLowCost, Hours: make(aqi.Hours, len(st.Hours.Means))}
	if st.Kind == fleet.Reference {
		m.Class = surface.ClassReference
	}
	for q, means := range st.Hours.Means {
		values := make([]float64, len(means)+max(lag, 0))
		for i := range values {
			values[i] = math.NaN()
		}
		for i, mean := range means {
			if v, known := mean.Get(); known && i+lag >= 0 && !(i == 0 && st.Hours.SuspectOf(q)) {
				values[i+lag] = v
			}
		}
		m.Hours[q] = values
	}
	return m, true
}
