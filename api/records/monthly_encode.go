package records

import (
	"bytes"
	_ "embed"
	"html/template"
	"math"
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/geo/limits"
	"nhip/geo/report"
	"nhip/internal/airreport"
)

//go:embed monthly.html
var monthlyHTML string

var monthlyTemplate = template.Must(template.New("monthly").Parse(monthlyHTML))

// monthlyView is the report of an area or the network, as the template shows it.
type monthlyView struct {
	*monthReport // the texts and the calendar
	*airreport.Monthly

	MonthName string
	Title     string // the area; "" for the network
	// of which both have one
	Level, Zone, Made, Source string
	Rows                      []airreport.MonthRow
}

// Optional formats a number that may be unknown.
func (v *monthlyView) Optional(n nhip.Opt[float64]) string {
	if f, ok := n.Get(); ok && !math.IsNaN(f) {
		return v.Number(f)
	}
	return "–"
}

// QuantityName returns the name of a quantity.
func (v *monthlyView) QuantityName(q nhip.Quantity) string { return v.quantity(q) }

// AverageName returns the name of an averaging time.
func (v *monthlyView) AverageName(a limits.Average) string {
	return airreport.AverageNames[a].In(v.Lang)
}

// Exceeding returns the comparisons in which a limit was exceeded.
func (v *monthlyView) Exceeding() []airreport.MonthExceedance {
	var out []airreport.MonthExceedance
	for _, e := range v.Monthly.Exceedances {
		if e.Number > 0 {
			out = append(out, e)
		}
	}
	return out
}

// monthlyPage answers with the page of an area or the network, to print.
func (h *Handler) monthlyPage(w http.ResponseWriter, q *monthlyQuery, m *airreport.Monthly) error {
	v := &monthlyView{
		monthReport: &monthReport{Lang: q.Lang, Words: reportWords[q.Lang]},
		Monthly:     m, MonthName: monthName(q.Month, q.Lang), Title: q.Area, Rows: m.Rows, Source: limits.Source,
		Zone: zoneName(q.Month), Level: qualityNames[q.Quality].In(q.Lang),
		Made: localMinute(h.Clock.Now().In(q.Month.Location()), q.Lang),
	}
	for _, day := range weekdayNames {
		v.Weekdays = append(v.Weekdays, day.In(q.Lang))
	}
	byDate := make(map[string]*airreport.MonthDay, len(m.Calendar))
	for i := range m.Calendar {
		byDate[m.Calendar[i].Date] = &m.Calendar[i]
	}
	for _, week := range report.Calendar(q.Month) {
		var row [7]reportDay
		for i, d := range week {
			if !d.IsZero() {
				row[i] = cellOf(byDate[d.Format(time.DateOnly)], d.Day(), q.Lang)
			}
		}
		v.Weeks = append(v.Weeks, row)
	}
	var page bytes.Buffer
	if err := monthlyTemplate.Execute(&page, v); err != nil {
		return err
	}
	h.Bytes(w, "text/html; charset=utf-8", rest.NoStore, page.Bytes())
	return nil
}

// cellOf returns the cell of the calendar of a day, which is nil if it is still to come.
func cellOf(d *airreport.MonthDay, day int, lang string) reportDay {
	if d == nil || d.Level == nil {
		return dayWithoutIndex(day)
	}
	return dayWithIndex(day, d.Index.Or(0), d.Level, lang)
}
