package records

import (
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/influx"
)

// resolution is the period that one row of an answer covers, with the limits of the time span.
type resolution struct {
	name    string        // as in requests and answers; in exceedance reports, the stations
	period  string        // of the roll-up; "" for readings
	span    time.Duration // default
	maxSpan time.Duration
}

const day = 24 * time.Hour

var (
	byReading = resolution{"raw", "", day, 366 * day}
	byHour    = resolution{"hour", nhip.PeriodHour, 7 * day, 11 * 366 * day}
	byDay     = resolution{"day", nhip.PeriodDay, 31 * day, 50 * 366 * day}
	byMonth   = resolution{"month", nhip.PeriodMonth, 366 * day, 50 * 366 * day}
)

// query is a query of a station's history.
type query struct {
	station  string
	quantity nhip.Quantity // "": all
	from, to time.Time     // exclusive, inclusive
	by       resolution
	quality  nhip.Quality
	scale    nhip.Scale
	limit    int            // rows; 0: all
	format   string         // "": the client accepts no format
	zone     *time.Location // of the station's local days
	license  rest.License
	several  bool      // stations, one after the other; station and zone are those of the present row
	start    time.Time // from without the cursor
	cursor   time.Time // of several stations: from of the first one
}

// maxLimit is the maximum number of rows of a page.
const maxLimit = 100_000

// readingsQuery reads the query of GET /v1/stations/{id}/readings.
func (h *Handler) readingsQuery(r *http.Request) (*query, error) {
	id, err := rest.PathID(r, "id")
	if err != nil {
		return nil, err
	}
	p := rest.ReadQuery(r, "from", "to", "quantity", "period", "level", "index", "limit", "cursor", "format")
	q := &query{
		station: id, quantity: nhip.Quantity(p.Text("quantity")), license: h.License,
		scale: p.Scale("index"), by: readResolution(p, "period"),
		quality: p.Quality("level"), limit: p.Integer("limit", 0, 1, maxLimit), format: p.HistoryFormat(r),
		zone: h.Live.Zone(id),
	}
	if q.quantity != "" && !q.quantity.Known() {
		p.Fail("quantity", "%q is not a known quantity", string(q.quantity))
	}
	q.readSpan(p, h.Clock.Now())
	return q, p.Err
}

// readResolution reads the period of a row. The default is readings.
func readResolution(p *rest.Query, name string) resolution {
	s := p.Text(name)
	if s == "" {
		return byReading
	}
	for _, r := range []resolution{byReading, byHour, byDay, byMonth} {
		if r.name == s {
			return r
		}
	}
	p.Fail(name, "must be raw, hour, day or month, got %q", s)
	return byReading
}

// readSpan reads from, to and cursor, and checks them against the limits of the resolution.
func (q *query) readSpan(p *rest.Query, now time.Time) {
	latest := now.Add(nhip.FutureTolerance)
	q.to = p.LocalTime("to", now, q.zone, 1)
	if q.to.After(latest) {
		q.to = latest // no stored fact is later
	}
	q.from = p.LocalTime("from", q.to.Add(-q.by.span), q.zone, 0)
	switch {
	case !q.from.Before(q.to):
		p.Fail("from", "must be before to and not in the future")
	case q.to.Sub(q.from) > q.by.maxSpan:
		p.Fail("from", "must be at most %d days before to for %s", int(q.by.maxSpan/day), q.by.name)
	}
	q.start = q.from
	if at := p.Time("cursor", q.from); at.After(q.from) {
		q.from = at
	}
}

// rollups returns the query of the roll-ups that end after from.
func (q *query) rollups(from time.Time) influx.RollupQuery {
	return influx.RollupQuery{
		Station: q.station, Quantity: q.quantity, Period: q.by.period, Quality: q.quality, From: from, To: q.to, Brief: true,
	}
}

// fileName returns the name under which a browser saves the answer.
func (q *query) fileName() string {
	if q.several {
		return "readings"
	}
	return q.station
}

// date returns the local day or month of a roll-up that ends at end; "" for shorter periods.
func (q *query) date(end time.Time) string {
	last := end.Add(-time.Nanosecond).In(q.zone) // the last moment of the period
	switch q.by.period {
	case nhip.PeriodDay:
		return last.Format(time.DateOnly)
	case nhip.PeriodMonth:
		return last.Format("2006-01")
	}
	return ""
}

// offset returns the zone's offset from UTC just before the end of a row's period.
func (q *query) offset(end time.Time) string {
	return end.Add(-time.Nanosecond).In(q.zone).Format("-07:00")
}
