package records

import (
	"context"
	"net/http"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/rest"
)

// formatHTML is the media type of pages to print.
const formatHTML = "text/html"

// monthlyQuery is a query of GET /v1/reports/monthly.
type monthlyQuery struct {
	station, area string    // both "": the network
	month         time.Time // local start in the zone of the station, or of the city
	quality       nhip.Quality
	lang          string
	format        string
	stations      []*nhip.Station // in the caller's scope, by id
}

// monthlyQuery reads the query of GET /v1/reports/monthly.
func (h *Handler) monthlyQuery(r *http.Request) (*monthlyQuery, error) {
	p := rest.ReadQuery(r, "month", "station", "area", "lang", "level", "format")
	q := &monthlyQuery{station: p.Text("station"), area: p.Text("area"), lang: "vi", quality: p.Quality("level")}
	if q.station != "" && q.area != "" {
		p.Fail("station", "can't be given with area")
	}
	q.month = readMonth(p, h.Live.Zone(q.station), h.Clock.Now())
	switch lang := p.Text("lang"); lang {
	case "":
	case "vi", "en":
		q.lang = lang
	default:
		p.Fail("lang", "must be vi or en, got %q", lang)
	}
	switch f := p.Text("format"); f {
	case "", "json":
		q.format = rest.FormatJSON
	case "csv":
		q.format = rest.FormatCSV
	case "html":
		q.format = formatHTML
	default:
		p.Fail("format", "must be json, csv or html, got %q", f)
	}
	return q, p.Err
}

// readMonth reads the parameter month, as in 2026-02. The month must have begun.
func readMonth(p *rest.Query, zone *time.Location, now time.Time) time.Time {
	month, err := time.ParseInLocation("2006-01", p.Text("month"), zone)
	switch {
	case err != nil || month.Before(rest.FirstTime) || month.After(rest.LastTime):
		p.Fail("month", "must be a month, as in 2026-02")
	case month.After(now):
		p.Fail("month", "must not be in the future")
	}
	return month
}

// findStations finds the stations of the query in the caller's scope. An area is unknown if none is in it.
func (q *monthlyQuery) findStations(ctx context.Context, h *Handler, r *http.Request) error {
	view := rest.ScopeOf(r)
	if q.station != "" {
		s, err := h.Stations.Station(ctx, q.station)
		if err == nil && !view.Station(s) {
			err = live.UnknownStation(q.station)
		}
		q.stations = []*nhip.Station{s}
		return rest.InField(err, "station")
	}
	all, err := h.Stations.Stations(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if (q.area == "" || s.Area == q.area) && view.Station(s) {
			q.stations = append(q.stations, s)
		}
	}
	if q.area != "" && len(q.stations) == 0 {
		return nhip.Errorf(nhip.CodeNotFound, "area", "no station is in the area %q", q.area)
	}
	return nil
}

// ids returns the stations that the history is asked for; nil for all.
func (q *monthlyQuery) ids() []string {
	if q.station == "" && q.area == "" || len(q.stations) > maxCondition {
		return nil
	}
	out := make([]string, len(q.stations))
	for i, s := range q.stations {
		out[i] = s.ID
	}
	return out
}

// getMonthly answers GET /v1/reports/monthly.
func (h *Handler) getMonthly(w http.ResponseWriter, r *http.Request) error {
	q, err := h.monthlyQuery(r)
	if err != nil {
		return err
	}
	return h.withSlot(r, "", q.quality, q.format, func() error {
		if err := q.findStations(r.Context(), h, r); err != nil {
			return err
		}
		if q.station != "" && q.format == formatHTML {
			return h.monthAsHTML(w, r, &reportQuery{
				station: q.station, month: q.month, lang: q.lang, quality: q.quality,
			})
		}
		m, err := h.monthly(r.Context(), q)
		if err != nil {
			return h.historyError(r, err)
		}
		switch q.format {
		case rest.FormatCSV:
			h.CSV(w, "monthly-"+m.Month, rest.NoStore, m.csv())
			return nil
		case formatHTML:
			return h.monthlyPage(w, q, m)
		}
		return h.JSON(w, rest.NoStore, m)
	})
}
