package sta

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// datastream is a quantity at a station, with the times of its first and its last reading; zero if it has none.
type datastream struct {
	station     *nhip.Station
	quantity    nhip.Quantity
	first, last time.Time
}

// city is what the caller of a request sees, but readings.
type city struct {
	stations   []*nhip.Station // ordered by id
	byID       map[string]*nhip.Station
	streams    map[string][]*datastream // by station; ordered by quantity
	quantities []nhip.Quantity          // of any datastream, ordered
}

// readCity reads the stations and their series.
func (h *Handler) readCity(ctx context.Context) (*city, error) {
	stations, err := h.Stations.Stations(ctx)
	if err != nil {
		return nil, err
	}
	spans, err := h.Series.all(ctx)
	if err != nil {
		return nil, h.historyError(ctx, err)
	}
	c := &city{stations: stations, byID: make(map[string]*nhip.Station), streams: make(map[string][]*datastream)}
	for _, s := range stations {
		c.byID[s.ID] = s
	}
	for key, span := range spans {
		if s := c.byID[key.Station]; s != nil && key.Quantity.Known() {
			c.streams[s.ID] = append(c.streams[s.ID], &datastream{s, key.Quantity, span.First, span.Last})
		}
	}
	measured := make(map[nhip.Quantity]bool)
	for _, s := range stations {
		h.addCurrent(c, s)
		for _, d := range c.streams[s.ID] {
			measured[d.quantity] = true
		}
	}
	c.quantities = slices.Sorted(maps.Keys(measured))
	return c, nil
}

// addCurrent adds what the live state and the fleet know of a station's series, which are ahead of the list.
func (h *Handler) addCurrent(c *city, s *nhip.Station) {
	streamOf := func(q nhip.Quantity) *datastream {
		if d := c.stream(s.ID, q); d != nil {
			return d
		}
		d := &datastream{station: s, quantity: q}
		c.streams[s.ID] = append(c.streams[s.ID], d)
		return d
	}
	for q, v := range s.Values {
		d, at := streamOf(q), v.ByDevice()
		if d.first.IsZero() || at.Before(d.first) {
			d.first = at
		}
		if at.After(d.last) {
			d.last = at
		}
	}
	if f := h.Live.FleetStation(s.ID); f != nil {
		for _, q := range f.Quantities {
			streamOf(q.Name)
		}
	}
	slices.SortFunc(c.streams[s.ID], func(a, b *datastream) int {
		return strings.Compare(string(a.quantity), string(b.quantity))
	})
}

// stream returns a datastream, nil if there is none.
func (c *city) stream(station string, q nhip.Quantity) *datastream {
	for _, d := range c.streams[station] {
		if d.quantity == q {
			return d
		}
	}
	return nil
}

// span returns the time span of the series of some stations and quantities; nil for all. ok is false if none has a
// reading.
func (c *city) span(stations []string, quantities []nhip.Quantity) (first, last time.Time, ok bool) {
	if stations == nil {
		stations = slices.Collect(maps.Keys(c.streams))
	}
	for _, id := range stations {
		for _, d := range c.streams[id] {
			if d.last.IsZero() || quantities != nil && !slices.Contains(quantities, d.quantity) {
				continue
			}
			if !ok || d.first.Before(first) {
				first = d.first
			}
			if !ok || d.last.After(last) {
				last = d.last
			}
			ok = true
		}
	}
	return first, last, ok
}

// streamID returns the id of a datastream.
func streamID(station string, q nhip.Quantity) string { return station + ":" + string(q) }

// readStreamID returns the series of a datastream's id. Quantities have no : in their names.
func readStreamID(id string) influx.Series {
	at := strings.LastIndexByte(id, ':')
	if at < 0 {
		return influx.Series{}
	}
	return influx.Series{Station: id[:at], Quantity: nhip.Quantity(id[at+1:])}
}
