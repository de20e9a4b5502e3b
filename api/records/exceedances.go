package records

import (
	"context"
	"net/http"

	"nhip"
	"nhip/api/rest"
	"nhip/geo/limits"
	"nhip/internal/airreport"
)

// Maximum time spans of exceedance reports.
const (
	maxSpanOfOne = 11 * 366 * day // for one station
	maxSpanOfAll = 367 * day      // for several stations: a year, and a day for zones
)

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

// exceedances yields the rows of a report, sorted by quantity, then station.
func (h *Handler) exceedances(ctx context.Context, q *exceedanceQuery, yield func(*row) error) error {
	of := airreport.ExceedanceQuery{
		From: q.from, To: q.to, Quality: q.quality, Quantity: q.quantity, Lang: "vi", Stations: q.stations,
		All: q.station == "" && q.area == "",
	}
	return h.reports().Exceedances(ctx, &of, func(e *airreport.Exceedance) error { return yield(&row{exceedance: e}) })
}
