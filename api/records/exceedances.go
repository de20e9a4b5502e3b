package records

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/geo/limits"
	"nhip/geo/report"
)

// Maximum time spans of exceedance reports.
const (
	maxSpanOfOne = 11 * 366 * day // for one station
	maxSpanOfAll = 93 * day       // for several stations
)

// exceedancesAnswer is the answer of GET /v1/exceedances.
type exceedancesAnswer struct {
	From   time.Time       `json:"from"`
	To     time.Time       `json:"to"`
	Level  nhip.Quality    `json:"level"`
	Source string          `json:"source"`
	Rows   []exceedanceRow `json:"rows"`
}

// exceedanceRow is the result of one limit at one station.
type exceedanceRow struct {
	Station string `json:"station"`
	Name    string `json:"name,omitempty"`
	Area    string `json:"area,omitempty"`
	report.Exceedance
}

// exceedanceQuery is a query for one station or for all stations in an area.
type exceedanceQuery struct {
	query
	area string // "": all
}

// listExceedances answers GET /v1/exceedances.
func (h *Handler) listExceedances(w http.ResponseWriter, r *http.Request) error {
	q, err := h.exceedanceQuery(r)
	if err != nil {
		return err
	}
	err = h.withSlot(r, q.station, q.quality, q.format, func() error {
		answer := exceedancesAnswer{From: q.from, To: q.to, Level: q.quality, Source: limits.Source, Rows: []exceedanceRow{}}
		stations, err := h.stationsOf(r.Context(), q)
		if err != nil {
			return err
		}
		for _, s := range stations {
			rows, err := h.exceedances(r.Context(), q, s)
			if err != nil {
				return h.historyError(r, err)
			}
			answer.Rows = append(answer.Rows, rows...)
		}
		if q.format == rest.FormatCSV {
			h.CSV(w, "exceedances", rest.Revalidate, answer.csv(q.zone))
			return nil
		}
		return h.JSON(w, rest.NoStore, answer)
	})
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
		q.readSpan(p, h.Clock.Now())
	}
	return q, p.Err
}

// stationsOf returns the stations of a report.
func (h *Handler) stationsOf(ctx context.Context, q *exceedanceQuery) ([]*nhip.Station, error) {
	if q.station != "" {
		s, err := h.Stations.Station(ctx, q.station)
		return []*nhip.Station{s}, err
	}
	all, err := h.Stations.Stations(ctx)
	return slices.DeleteFunc(all, func(s *nhip.Station) bool { return q.area != "" && s.Area != q.area }), err
}

// exceedances returns the rows of one station.
func (h *Handler) exceedances(ctx context.Context, q *exceedanceQuery, s *nhip.Station) ([]exceedanceRow, error) {
	series, err := h.series(ctx, s.ID, q.quantity, q.quality, q.from, q.to)
	if err != nil {
		return nil, err
	}
	zone := h.Live.Zone(s.ID)
	var out []exceedanceRow
	for _, quantity := range slices.Sorted(maps.Keys(series)) {
		for _, e := range report.Exceedances(quantity, *series[quantity], q.from.In(zone), q.to, limitCompleteness) {
			out = append(out, exceedanceRow{s.ID, s.Name.Vi, s.Area, e})
		}
	}
	return out, nil
}

// exceedanceColumns are the columns of the CSV answer.
const exceedanceColumns = "station,name,area,quantity,average,limit,unit,number,evaluated,capture_pct,hours," +
	"longest_hours,max,max_time,utc_offset,from,to,level,source\n"

// csv encodes the answer, with the offsets of zone.
func (e *exceedancesAnswer) csv(zone *time.Location) []byte {
	b := []byte(rest.ByteOrderMark + exceedanceColumns)
	for i := range e.Rows {
		x := &e.Rows[i]
		r := rest.NewCSVRow(b)
		r.Text(x.Station)
		r.Text(x.Name)
		r.Text(x.Area)
		r.Raw(string(x.Quantity))
		r.Raw(string(x.Average))
		r.Number(x.Limit, 10)
		r.Raw(x.Unit)
		r.Raw(strconv.Itoa(x.Number))
		r.Raw(strconv.Itoa(x.Evaluated))
		r.Number(x.Capture, 10)
		r.Number(x.Hours, 10)
		r.Number(x.Longest, 10)
		r.Number(x.Max, 1000)
		r.Time(x.MaxTime)
		r.Raw(x.MaxTime.In(zone).Format("-07:00"))
		r.Time(e.From)
		r.Time(e.To)
		r.Raw(string(e.Level))
		r.Text(e.Source)
		b = r.End()
	}
	return b
}
