package records

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/influx"
)

// Bounds of a query of several stations.
const (
	maxStations   = 500
	maxQuantities = 50 // more than there are

	// Days of all stations together: some million rows of common monitors.
	maxRawDays  = 3_660
	maxHourDays = 200_000
	maxDayDays  = 5_000_000
)

// bulkQuery is a query of several stations, one after the other.
type bulkQuery struct {
	query
	wanted     []string // ids; none: all stations that the caller sees
	stations   []string // sorted
	quantities []nhip.Quantity
	levels     []nhip.Quality
	after      string // the station at which a page begins, at the time of from
}

// listAllReadings answers GET /v1/readings.
func (h *Handler) listAllReadings(w http.ResponseWriter, r *http.Request) error {
	q, err := h.bulkQuery(r)
	if err != nil {
		return err
	}
	return h.withSlot(r, "", q.quality, q.format, func() error {
		if err := h.chooseStations(r, q); err != nil {
			return err
		}
		rows := func(ctx context.Context, _ *query, yield func(*row) error) error { return h.bulkRows(ctx, q, yield) }
		return h.stream(r, newRowWriter(w, &q.query, newEncoder(q.format)), rows)
	})
}

// bulkQuery reads the query of GET /v1/readings.
func (h *Handler) bulkQuery(r *http.Request) (*bulkQuery, error) {
	p := rest.ReadQuery(r, "stations", "quantities", "levels", "from", "to", "period", "index", "limit",
		"cursor", "format")
	q := &bulkQuery{wanted: list(p, "stations", maxStations)}
	q.several, q.license = true, h.License
	q.scale, q.by = p.Scale("index"), readResolution(p, "period")
	q.limit, q.format, q.zone = p.Integer("limit", 0, 1, maxLimit), p.HistoryFormat(r), h.Live.Zone("")
	for _, text := range list(p, "quantities", maxQuantities) {
		if !nhip.Quantity(text).Known() {
			p.Fail("quantities", "%q is not a known quantity", text)
		}
		q.quantities = append(q.quantities, nhip.Quantity(text))
	}
	if len(q.quantities) == 1 {
		q.quantity = q.quantities[0]
	}
	q.readLevels(p)
	cursor := p.Text("cursor")
	at, station, ok := strings.Cut(cursor, "/")
	if cursor != "" && (!ok || nhip.CheckID("cursor", station) != nil) {
		p.Fail("cursor", "must be next of the previous page")
	}
	q.after = station
	if cursor != "" {
		p.Values.Set("cursor", at)
	}
	q.readSpan(p, h.Clock.Now())
	q.from, q.cursor = q.start, q.from
	return q, p.Err
}

// readLevels reads the levels. The one that needs most rights is that of the query.
func (q *bulkQuery) readLevels(p *rest.Query) {
	q.quality = nhip.QualityReviewed
	for _, text := range list(p, "levels", 3) {
		level := nhip.Quality(text)
		switch level {
		case nhip.QualityRaw:
			q.quality = level
		case nhip.QualityAutomatic, nhip.QualityReviewed:
		default:
			p.Fail("levels", "must be raw, automatic or reviewed, separated by commas, got %q", text)
		}
		q.levels = append(q.levels, level)
	}
	if len(q.levels) == 1 {
		q.quality = q.levels[0]
	}
}

// list reads texts that are separated by commas, each once. It returns nil if there is none.
func list(p *rest.Query, name string, most int) []string {
	text := p.Text(name)
	if text == "" {
		return nil
	}
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			p.Fail(name, "must be names separated by commas, got %q", text)
			return nil
		}
		if !slices.Contains(out, part) {
			out = append(out, part)
		}
		if len(out) > most {
			p.Fail(name, "must have at most %d names", most)
			return nil
		}
	}
	return out
}

// chooseStations finds the stations of a query that its caller sees. One that is named and unknown, or out of scope, is
// an error.
func (h *Handler) chooseStations(r *http.Request, q *bulkQuery) error {
	view := rest.ScopeOf(r)
	all, err := h.Stations.Stations(r.Context())
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(all))
	for _, s := range all {
		if view.Station(s) {
			known[s.ID] = true
			if q.wanted == nil {
				q.stations = append(q.stations, s.ID)
			}
		}
	}
	for _, id := range q.wanted {
		if !known[id] {
			return nhip.Errorf(nhip.CodeNotFound, "stations", "there is no station %q", id)
		}
		q.stations = append(q.stations, id)
	}
	slices.Sort(q.stations)
	most := maxDayDays
	switch q.by.period {
	case "":
		most = maxRawDays
	case nhip.PeriodHour:
		most = maxHourDays
	}
	days := int(q.to.Sub(q.from)/day) + 1
	if n := len(q.stations); n > maxStations || n*days > most {
		return nhip.Errorf(nhip.CodeInvalid, "stations",
			"must be at most %d, and with their days at most %d by %s, got %d stations and %d days", maxStations, most,
			q.by.name, n, days)
	}
	return nil
}

// bulkRows yields the rows of each station, in order of time, quantity and level.
func (h *Handler) bulkRows(ctx context.Context, q *bulkQuery, yield func(*row) error) error {
	first, _ := slices.BinarySearch(q.stations, q.after)
	for _, id := range q.stations[first:] {
		one := q.query
		one.station, one.zone = id, h.Live.Zone(id)
		if id == q.after {
			one.from = q.cursor
		}
		q.station, q.zone = id, one.zone // which the encoder writes
		if err := h.stationRows(ctx, q, &one, yield); err != nil {
			return err
		}
	}
	return nil
}

// stationRows yields the rows of one station.
func (h *Handler) stationRows(ctx context.Context, q *bulkQuery, one *query, yield func(*row) error) error {
	wanted := func(r *row) error {
		if len(q.quantities) > 1 && !slices.Contains(q.quantities, r.quantity) {
			return nil
		}
		return yield(r)
	}
	switch {
	case len(q.levels) <= 1:
		return h.readings(ctx, one, wanted)
	case one.by.period == "":
		return h.rawLevels(ctx, one, q.levels, wanted)
	}
	return h.rollupLevels(ctx, one, q.levels, wanted)
}

// rollupLevels yields roll-ups of several levels, side by side. Only what staff decided about has a reviewed one.
func (h *Handler) rollupLevels(ctx context.Context, q *query, levels []nhip.Quality, yield func(*row) error) error {
	from := q.from
	if q.by.period == nhip.PeriodHour {
		from = from.Add(-windowHours * time.Hour)
	}
	type series struct {
		quantity nhip.Quantity
		quality  nhip.Quality
	}
	windows := make(map[series]*hourWindow)
	rollups := q.rollups(from)
	rollups.Levels = levels
	return h.History.Rollups(ctx, rollups, func(r influx.RollupRow) error {
		of := series{r.Quantity, r.Quality}
		if windows[of] == nil {
			windows[of] = new(hourWindow)
		}
		if x := q.rollupWithIndex(&r, windows[of]); x != nil {
			return yield(x)
		}
		return nil
	})
}

// rawLevels yields readings of several levels, side by side. Only what staff decided about has a reviewed one.
func (h *Handler) rawLevels(ctx context.Context, q *query, levels []nhip.Quality, yield func(*row) error) error {
	var reviews []nhip.Review
	if slices.Contains(levels, nhip.QualityReviewed) {
		var err error
		if reviews, err = h.History.Reviews(ctx, q.station, h.Clock.Now().Add(nhip.FutureTolerance)); err != nil {
			return err
		}
	}
	sorted := slices.SortedFunc(slices.Values(levels), func(a, b nhip.Quality) int { return cmp.Compare(a, b) })
	readings := influx.ReadingQuery{Station: q.station, Quantity: q.quantity, From: q.from, To: q.to}
	return h.History.Readings(ctx, readings, func(r nhip.AssessedReading) error {
		for _, level := range sorted {
			x := readingRow(&r, level, reviews)
			if x.quality != level {
				continue // nobody decided
			}
			if err := yield(x); err != nil {
				return err
			}
		}
		return nil
	})
}
