package records

import (
	"context"
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
	exceeded bool   // only rows of limits that were exceeded
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
		return h.stream(r, newRowWriter(w, &q.query, newExceedanceEncoder(q)), rows)
	})
	if q.station == "" {
		return err
	}
	return rest.InField(err, "station")
}

// exceedanceQuery reads the query of GET /v1/exceedances.
func (h *Handler) exceedanceQuery(r *http.Request) (*exceedanceQuery, error) {
	p := rest.ReadQuery(r, "station", "area", "quantity", "from", "to", "level", "exceeded", "format")
	q := &exceedanceQuery{area: p.Text("area"), exceeded: p.Boolean("exceeded")}
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

// The hours of the last days are read by themselves, because their days may not be summed up yet: the current one never
// is, and the one before it is not while late readings are processed.
const unsummedFor = 3 * day

// exceedances yields the rows of a report, sorted by quantity, then station. A station that was silent is in the report
// if it measured the quantity in the year before.
func (h *Handler) exceedances(ctx context.Context, q *exceedanceQuery, yield func(*row) error) error {
	all := limits.Quantities(limits.AverageHour, limits.Average8h, limits.AverageDay, limits.AverageYear)
	of := influx.DayQuery{
		MeanQuery: influx.MeanQuery{
			Stations: q.ids(), Quantities: q.among(all), Quality: q.quality, From: q.from.Add(-8 * time.Hour),
			To: q.to.Add(time.Hour), // the hour around midnight of a zone on the half hour
		},
		Hourly: q.among(limits.Hourly()), Known: q.from.Add(-knownFor),
		Unsummed: h.Clock.Now().Add(-unsummedFor),
	}
	if len(of.Quantities) == 0 {
		return nil
	}
	return h.History.Days(ctx, of, func(s *influx.DaySeries) error {
		if q.stations[s.Station] == nil {
			return nil
		}
		return h.compare(q, s, yield)
	})
}

// compare yields the rows of one quantity at one station.
func (h *Handler) compare(q *exceedanceQuery, of *influx.DaySeries, yield func(*row) error) error {
	s := q.stations[of.Station]
	series := report.Series{Hours: completeMeans(of.Hours), Days: completeMeans(of.Days)}
	from := q.from.In(h.Live.Zone(s.ID))
	for _, e := range report.Exceedances(of.Quantity, series, from, q.to, limitCompleteness) {
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
