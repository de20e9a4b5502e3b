package records

import (
	"context"
	"net/http"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/internal/airreport"
)

// formatHTML is the media type of pages to print.
const formatHTML = "text/html"

// monthlyQuery is a query of GET /v1/reports/monthly. Its stations are those in the caller's scope.
type monthlyQuery struct {
	airreport.MonthQuery
	format string
}

// monthlyQuery reads the query of GET /v1/reports/monthly.
func (h *Handler) monthlyQuery(r *http.Request) (*monthlyQuery, error) {
	p := rest.ReadQuery(r, "month", "station", "area", "lang", "level", "format")
	q := &monthlyQuery{MonthQuery: airreport.MonthQuery{
		Station: p.Text("station"), Area: p.Text("area"), Lang: "vi", Quality: p.Quality("level"),
	}}
	if q.Station != "" && q.Area != "" {
		p.Fail("station", "can't be given with area")
	}
	q.Month = readMonth(p, h.Live.Zone(q.Station), h.Clock.Now())
	switch lang := p.Text("lang"); lang {
	case "":
	case "vi", "en":
		q.Lang = lang
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
	if q.Station != "" {
		s, err := h.Stations.Station(ctx, q.Station)
		if err == nil && !view.Station(s) {
			err = live.UnknownStation(q.Station)
		}
		q.Stations = []*nhip.Station{s}
		return rest.InField(err, "station")
	}
	all, err := h.Stations.Stations(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if (q.Area == "" || s.Area == q.Area) && view.Station(s) {
			q.Stations = append(q.Stations, s)
		}
	}
	if q.Area != "" && len(q.Stations) == 0 {
		return nhip.Errorf(nhip.CodeNotFound, "area", "no station is in the area %q", q.Area)
	}
	return nil
}

// getMonthly answers GET /v1/reports/monthly.
func (h *Handler) getMonthly(w http.ResponseWriter, r *http.Request) error {
	q, err := h.monthlyQuery(r)
	if err != nil {
		return err
	}
	return h.withSlot(r, "", q.Quality, q.format, func() error {
		if err := q.findStations(r.Context(), h, r); err != nil {
			return err
		}
		if q.Station != "" && q.format == formatHTML {
			return h.monthAsHTML(w, r, &reportQuery{
				station: q.Station, month: q.Month, lang: q.Lang, quality: q.Quality,
			})
		}
		m, err := h.reports().Monthly(r.Context(), &q.MonthQuery)
		if err != nil {
			return h.historyError(r, err)
		}
		switch q.format {
		case rest.FormatCSV:
			h.CSV(w, "monthly-"+m.Month, rest.NoStore, m.CSV())
			return nil
		case formatHTML:
			return h.monthlyPage(w, q, m)
		}
		return h.JSON(w, rest.NoStore, m)
	})
}
