// Package catalog knows every station that exists: those in the live state, those of the fleet that are silent, and
// those of the history that left the live state or were only ever imported.
package catalog

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/api/cache"
	"nhip/api/live"
	"nhip/api/scope"
)

// History is the part of the history database that a Catalog reads.
type History interface {
	// Stations returns the ids of all stations with readings or roll-ups, each at least once.
	Stations(ctx context.Context) ([]string, error)
	// StationSpans yields the time span of the readings of each station.
	StationSpans(ctx context.Context, yield func(nhip.StationSpan) error) error
	// AgencySpans yields the time span of the rows of a measurement of each agency.
	AgencySpans(ctx context.Context, measurement string, yield func(nhip.AgencySpan) error) error
}

// Catalog lists and finds stations. Its methods are safe for concurrent use.
type Catalog struct {
	live   *live.State
	log    *slog.Logger
	ids    *stationIDs
	spans  *cache.Timed[map[string]nhip.StationSpan]
	buses  *cache.Timed[map[string]BusSpans] // by agency
	took   atomic.Int64                      // ns, of the last read of the spans
	source History
}

// New returns the catalog of a live state and a history. Close must be called at the end.
func New(state *live.State, history History, log *slog.Logger) *Catalog {
	return &Catalog{
		live: state, log: log, ids: newStationIDs(history.Stations), source: history,
		spans: cache.NewTimed[map[string]nhip.StationSpan](1, 1), buses: cache.NewTimed[map[string]BusSpans](1, 1),
	}
}

// Close cancels running reads of the history and waits for them.
func (c *Catalog) Close() {
	c.ids.close()
	c.spans.Close()
	c.buses.Close()
}

// Station returns a station that exists and that the caller of the context sees: from the live state, from the fleet
// without values, or, of one that only the history has, with its id only. The error is live.UnknownStation if there
// is none. A station is taken to exist if the history does not answer.
func (c *Catalog) Station(ctx context.Context, id string) (*nhip.Station, error) {
	s, err := c.station(ctx, id)
	if err == nil && !scope.Of(ctx).Station(s) {
		return nil, live.UnknownStation(id)
	}
	return s, err
}

// station is Station for a caller who sees everything.
func (c *Catalog) station(ctx context.Context, id string) (*nhip.Station, error) {
	if s, ok := c.live.Known(id); ok {
		return s, nil
	}
	known, err := c.ids.has(ctx, id)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && !known:
		c.log.Warn("history query failed", "query", "stations", "error", err)
	case !known:
		return nil, live.UnknownStation(id)
	}
	return &nhip.Station{ID: id}, nil
}

// Known returns a station of the live state or of the fleet.
func (c *Catalog) Known(id string) (*nhip.Station, bool) { return c.live.Known(id) }

// Stations returns all stations, ordered by id, with what Station returns of each. The error is live.ErrHistoryAway if
// the history has never answered.
func (c *Catalog) Stations(ctx context.Context) ([]*nhip.Station, error) {
	ids, err := c.ids.all(ctx)
	if err != nil {
		return nil, c.away(ctx, "stations", err)
	}
	return seen(ctx, c.merge(slices.Values(ids))), nil
}

// Entry is a station with the time span of its readings. First and Last are zero if it has none.
type Entry struct {
	*nhip.Station
	First, Last time.Time
}

// Entries returns all stations with their spans, ordered by id. The spans are at most listLifetime old. The error is
// live.ErrHistoryAway if the history does not answer.
func (c *Catalog) Entries(ctx context.Context) ([]Entry, error) {
	spans, err := c.spans.Get(ctx, time.Time{}, listLifetime(time.Duration(c.took.Load())), c.readSpans)
	if err != nil {
		return nil, c.away(ctx, "station spans", err)
	}
	stations := seen(ctx, c.merge(maps.Keys(spans)))
	entries := make([]Entry, len(stations))
	for i, s := range stations {
		entries[i] = entryOf(s, spans[s.ID])
	}
	return entries, nil
}

// Entry returns a station with its span. The error is live.UnknownStation if it does not exist, and live.ErrHistoryAway
// if the history does not answer.
func (c *Catalog) Entry(ctx context.Context, id string) (Entry, error) {
	entries, err := c.Entries(ctx)
	if err != nil {
		return Entry{}, err
	}
	at, ok := slices.BinarySearchFunc(entries, id, func(e Entry, id string) int { return cmp.Compare(e.ID, id) })
	if ok {
		return entries[at], nil
	}
	s, err := c.Station(ctx, id) // one that is younger than the list
	return Entry{Station: s}, err
}

// entryOf returns the entry of a station. A station that has just reported is ahead of the span that was read.
func entryOf(s *nhip.Station, span nhip.StationSpan) Entry {
	e := Entry{s, span.First, span.Last}
	for _, v := range s.Values {
		at := v.ByDevice()
		if e.First.IsZero() || at.Before(e.First) {
			e.First = at
		}
		if at.After(e.Last) {
			e.Last = at
		}
	}
	return e
}

// readSpans reads the spans of all stations of the history.
func (c *Catalog) readSpans(ctx context.Context) (map[string]nhip.StationSpan, error) {
	began := time.Now()
	spans := make(map[string]nhip.StationSpan)
	err := c.source.StationSpans(ctx, func(s nhip.StationSpan) error {
		spans[s.Station] = s
		return nil
	})
	c.took.Store(int64(time.Since(began)))
	return spans, err
}

// Span is the time from the first to the last row of something; zero if there is none.
type Span struct{ First, Last time.Time }

// extend makes a span contain another one.
func (s *Span) extend(o Span) {
	if s.First.IsZero() || !o.First.IsZero() && o.First.Before(s.First) {
		s.First = o.First
	}
	if o.Last.After(s.Last) {
		s.Last = o.Last
	}
}

// BusSpans are the spans of what buses did.
type BusSpans struct{ Positions, Arrivals Span }

// busSpansLifetime is for how long the spans of buses are used: they grow by the minute.
const busSpansLifetime = 10 * time.Minute

// BusSpans returns the spans of what the buses did of the agencies that the caller sees, which may be busSpansLifetime
// old. The error is live.ErrHistoryAway if the history does not answer.
func (c *Catalog) BusSpans(ctx context.Context) (all BusSpans, err error) {
	spans, err := c.buses.Get(ctx, time.Time{}, busSpansLifetime, c.readBusSpans)
	if err != nil {
		return BusSpans{}, c.away(ctx, "bus spans", err)
	}
	view := scope.Of(ctx)
	for agency, s := range spans {
		if view.Agency(agency) {
			all.Positions.extend(s.Positions)
			all.Arrivals.extend(s.Arrivals)
		}
	}
	return all, nil
}

func (c *Catalog) readBusSpans(ctx context.Context) (map[string]BusSpans, error) {
	spans := make(map[string]BusSpans)
	err := c.source.AgencySpans(ctx, positions, func(a nhip.AgencySpan) error {
		spans[a.Agency] = BusSpans{Positions: Span{a.First, a.Last}}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = c.source.AgencySpans(ctx, arrivals, func(a nhip.AgencySpan) error {
		s := spans[a.Agency]
		s.Arrivals = Span{a.First, a.Last}
		spans[a.Agency] = s
		return nil
	})
	return spans, err
}

// Measurements of the history, which models know by name only: its package reaches HTTP.
const (
	positions = "position"
	arrivals  = "arrival"
)

// merge returns the stations of the live state, of the fleet and of the history, ordered by id.
func (c *Catalog) merge(history func(yield func(string) bool)) []*nhip.Station {
	all := c.live.AllKnown()
	for id := range history {
		if all[id] == nil {
			all[id] = &nhip.Station{ID: id}
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *nhip.Station) int { return cmp.Compare(a.ID, b.ID) })
}

// seen returns the stations that the caller sees.
func seen(ctx context.Context, stations []*nhip.Station) []*nhip.Station {
	view := scope.Of(ctx)
	return slices.DeleteFunc(stations, func(s *nhip.Station) bool { return !view.Station(s) })
}

// Sees reports whether the caller sees a station with an id, whether it exists or not.
func (c *Catalog) Sees(ctx context.Context, id string) bool {
	view := scope.Of(ctx)
	if !view.Limits().LimitsStations() {
		return true
	}
	s, ok := c.live.Known(id)
	if !ok {
		s = &nhip.Station{ID: id}
	}
	return view.Station(s)
}

// away logs the error of a query of the history and returns the public one.
func (c *Catalog) away(ctx context.Context, query string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.log.Warn("history query failed", "query", query, "error", err)
	return live.ErrHistoryAway
}
