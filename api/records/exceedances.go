package records

import (
	"cmp"
	"context"
	"maps"
	"math"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/geo/limits"
	"nhip/geo/report"
	"nhip/internal/influx"
)

// Maximum time spans of exceedance reports.
const (
	maxSpanOfOne = 11 * 366 * day // for one station
	maxSpanOfAll = 367 * day      // for several stations: a year, and a day for zones
)

// knownFor is how long before a report a station must have measured a quantity to be in it although it was silent.
const knownFor = 366 * day

// exceedanceRow is the result of one limit at one station.
type exceedanceRow struct {
	Station string `json:"station"`
	Name    string `json:"name,omitempty"`
	Area    string `json:"area,omitempty"`
	report.Exceedance

	zone *time.Location // of its days
}

// exceedanceQuery is a query for one station or for all stations in an area.
type exceedanceQuery struct {
	query
	area     string // "": all
	stations map[string]*nhip.Station
}

// listExceedances answers GET /v1/exceedances.
func (h *Handler) listExceedances(w http.ResponseWriter, r *http.Request) error {
	q, err := h.exceedanceQuery(r)
	if err != nil {
		return err
	}
	err = h.withSlot(r, q.station, q.quality, q.format, func() error {
		if err := h.findStations(r.Context(), q); err != nil {
			return err
		}
		rows := func(ctx context.Context, _ *query, yield func(*row) error) error { return h.exceedances(ctx, q, yield) }
		return h.stream(r, newRowWriter(w, &q.query, newExceedanceEncoder(q.format, len(q.stations))), rows)
	})
	if q.station == "" {
		return err
	}
	return rest.InField(err, "station")
}

// exceedanceQuery reads the query of GET /v1/exceedances.
func (h *Handler) exceedanceQuery(r *http.Request) (*exceedanceQuery, error) {
	p := rest.ReadQuery(r, "station", "area", "quantity", "from", "to", "level", "format")
	q := &exceedanceQuery{area: p.Text("area")}
	q.station, q.quantity = p.Text("station"), nhip.Quantity(p.Text("quantity"))
	q.quality, q.format = p.Quality("level"), p.Format(r)
	q.zone = h.Live.Zone(q.station)
	q.by = resolution{name: "one station", span: 31 * day, maxSpan: maxSpanOfOne}
	if q.station == "" {
		q.by = resolution{name: "several stations", span: 31 * day, maxSpan: maxSpanOfAll}
	}
	if q.quantity != "" && len(limits.Averages(q.quantity)) == 0 {
		p.Fail("quantity", "%q has no limit in %s", string(q.quantity), limits.Source)
	}
	if p.Err == nil {
		now := h.Clock.Now()
		if q.readSpan(p, now); now.Before(q.to) && q.from.Before(now) {
			q.to = now // what has not ended is not missing
		}
	}
	return q, p.Err
}

// findStations finds the stations of a report. The error says that the area is unknown if no station that exists is in
// it.
func (h *Handler) findStations(ctx context.Context, q *exceedanceQuery) error {
	var all []*nhip.Station
	var err error
	if q.station != "" {
		var s *nhip.Station
		s, err = h.Stations.Station(ctx, q.station)
		all = append(all, s)
	} else {
		all, err = h.Stations.Stations(ctx)
	}
	if err != nil {
		return err
	}
	q.stations = make(map[string]*nhip.Station, len(all))
	for _, s := range all {
		if q.area == "" || s.Area == q.area {
			q.stations[s.ID] = s
		}
	}
	if q.area != "" && len(q.stations) == 0 {
		return nhip.Errorf(nhip.CodeNotFound, "area", "no station is in the area %q", q.area)
	}
	return nil
}

// seriesKey identifies the means of one quantity at one station.
type seriesKey struct {
	quantity nhip.Quantity
	station  string
}

func (a seriesKey) compare(b seriesKey) int {
	return cmp.Or(cmp.Compare(a.quantity, b.quantity), cmp.Compare(a.station, b.station))
}

// exceedances yields the rows of a report, sorted by quantity, then station. Days are held in memory, hours only of one
// series at a time. A station that was silent is in the report if it measured the quantity in the year before.
func (h *Handler) exceedances(ctx context.Context, q *exceedanceQuery, yield func(*row) error) error {
	days, err := h.readDays(ctx, q)
	if err != nil {
		return err
	}
	left := slices.SortedFunc(maps.Keys(days), seriesKey.compare)
	hourly := limits.Quantities(limits.AverageHour, limits.Average8h)
	err = h.readMeans(ctx, q, nhip.PeriodHour, q.from.Add(-8*time.Hour), hourly, func(k seriesKey,
		hours []influx.MeanAt,
	) error {
		for len(left) > 0 && left[0].compare(k) < 0 {
			if err := h.compare(q, left[0], days[left[0]], nil, yield); err != nil {
				return err
			}
			left = left[1:]
		}
		if len(left) > 0 && left[0] == k {
			left = left[1:]
		}
		return h.compare(q, k, days[k], hours, yield)
	})
	for err == nil && len(left) > 0 {
		err = h.compare(q, left[0], days[left[0]], nil, yield)
		left = left[1:]
	}
	return err
}

// readDays reads the days of a report. Of a station that was silent there are none.
func (h *Handler) readDays(ctx context.Context, q *exceedanceQuery) (map[seriesKey][]influx.MeanAt, error) {
	days := make(map[seriesKey][]influx.MeanAt)
	all := limits.Quantities(limits.AverageHour, limits.Average8h, limits.AverageDay, limits.AverageYear)
	err := h.readMeans(ctx, q, nhip.PeriodMonth, q.from.Add(-knownFor), all, func(k seriesKey, _ []influx.MeanAt) error {
		days[k] = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return days, h.readMeans(ctx, q, nhip.PeriodDay, q.from, all, func(k seriesKey, means []influx.MeanAt) error {
		days[k] = means
		return nil
	})
}

// readMeans reads the means of a report, sorted by quantity, then station.
func (h *Handler) readMeans(ctx context.Context, q *exceedanceQuery, period string, from time.Time,
	quantities []nhip.Quantity, use func(seriesKey, []influx.MeanAt) error,
) error {
	of := influx.MeanQuery{
		Stations: q.ids(), Quantities: q.among(quantities), Period: period, Quality: q.quality, From: from,
		To: q.to.Add(time.Hour), // the hour around midnight of a zone on the half hour
	}
	if len(of.Quantities) == 0 {
		return nil
	}
	return h.History.Means(ctx, of, func(s influx.MeanSeries) error {
		if q.stations[s.Station] == nil {
			return nil
		}
		return use(seriesKey{s.Quantity, s.Station}, s.Means)
	})
}

// compare yields the rows of one quantity at one station.
func (h *Handler) compare(q *exceedanceQuery, k seriesKey, days, hours []influx.MeanAt, yield func(*row) error) error {
	s := q.stations[k.station]
	series := report.Series{Hours: completeMeans(hours), Days: completeMeans(days)}
	from := q.from.In(h.Live.Zone(s.ID))
	for _, e := range report.Exceedances(k.quantity, series, from, q.to, limitCompleteness) {
		if err := yield(&row{exceedance: &exceedanceRow{s.ID, s.Name.Vi, s.Area, e, from.Location()}}); err != nil {
			return err
		}
	}
	return nil
}

// completeMeans returns the means of complete roll-ups.
func completeMeans(all []influx.MeanAt) []report.Mean {
	out := make([]report.Mean, 0, len(all))
	for _, m := range all {
		if !math.IsNaN(m.Value) {
			out = append(out, report.Mean{End: time.UnixMilli(m.End).UTC(), Value: m.Value})
		}
	}
	return out
}

// maxCondition is the maximum number of stations that a query of the history names. More are selected afterwards.
const maxCondition = 100

// ids returns the stations that the history is asked for; nil for all.
func (q *exceedanceQuery) ids() []string {
	if q.station == "" && q.area == "" || len(q.stations) > maxCondition {
		return nil
	}
	out := make([]string, 0, len(q.stations))
	for id := range q.stations {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// among returns the quantities of a list that the report is about.
func (q *exceedanceQuery) among(all []nhip.Quantity) []nhip.Quantity {
	if q.quantity == "" {
		return all
	}
	if slices.Contains(all, q.quantity) {
		return []nhip.Quantity{q.quantity}
	}
	return nil
}
