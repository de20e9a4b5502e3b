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
)

// csv encodes the rows of a report, one for each quantity of each station.
func (m *monthly) csv() []byte {
	counts := make(map[seriesKey]map[limits.Average]int)
	for _, e := range m.Exceedances {
		k := seriesKey{e.Quantity, e.Station}
		if counts[k] == nil {
			counts[k] = make(map[limits.Average]int)
		}
		counts[k][e.Average] = e.Number
	}
	b := []byte(rest.ByteOrderMark + "month,station,name,area,quantity,unit,mean,min,max,p98,hours,capture_pct,flag," +
		"last_year_mean,change_pct,exceeded_1h,exceeded_8h,exceeded_24h\n")
	for i := range m.Rows {
		b = m.Rows[i].appendCSV(b, m.Month, counts[seriesKey{m.Rows[i].Quantity, m.Rows[i].Station}])
	}
	return b
}

func (r *monthlyRow) appendCSV(b []byte, month string, exceeded map[limits.Average]int) []byte {
	c := rest.NewCSVRow(b)
	c.Raw(month)
	c.Text(r.Station)
	c.Text(r.Name)
	c.Text(r.Area)
	c.Raw(string(r.Quantity))
	c.Text(r.Unit)
	for _, v := range []nhip.Opt[float64]{r.Mean, r.Min, r.Max, r.P98} {
		c.Optional(v)
	}
	c.Integer(int64(r.Hours))
	c.Number(r.Capture, 10)
	c.Integer(int64(r.Flag))
	c.Optional(r.LastYear)
	c.Optional(r.Change)
	for _, a := range []limits.Average{limits.AverageHour, limits.Average8h, limits.AverageDay} {
		n, known := exceeded[a]
		if !known {
			c.Raw("")
			continue
		}
		c.Integer(int64(n))
	}
	return c.End()
}

//go:embed monthly.html
var monthlyHTML string

var monthlyTemplate = template.Must(template.New("monthly").Parse(monthlyHTML))

// monthlyView is the report of an area or the network, as the template shows it.
type monthlyView struct {
	*monthReport // the texts and the calendar
	*monthly

	MonthName string
	Title     string // the area; "" for the network
	// of which both have one
	Level, Zone, Made, Source string
	Rows                      []monthlyRow
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
func (v *monthlyView) AverageName(a limits.Average) string { return averageNames[a].In(v.Lang) }

// Exceeding returns the comparisons in which a limit was exceeded.
func (v *monthlyView) Exceeding() []monthlyExceedance {
	var out []monthlyExceedance
	for _, e := range v.monthly.Exceedances {
		if e.Number > 0 {
			out = append(out, e)
		}
	}
	return out
}

// monthlyPage answers with the page of an area or the network, to print.
func (h *Handler) monthlyPage(w http.ResponseWriter, q *monthlyQuery, m *monthly) error {
	v := &monthlyView{
		monthReport: &monthReport{Lang: q.lang, Words: reportWords[q.lang]},
		monthly:     m, MonthName: monthName(q.month, q.lang), Title: q.area, Rows: m.Rows, Source: limits.Source,
		Zone: zoneName(q.month), Level: qualityNames[q.quality].In(q.lang),
		Made: localMinute(h.Clock.Now().In(q.month.Location()), q.lang),
	}
	for _, day := range weekdayNames {
		v.Weekdays = append(v.Weekdays, day.In(q.lang))
	}
	byDate := make(map[string]*monthlyDay, len(m.Calendar))
	for i := range m.Calendar {
		byDate[m.Calendar[i].Date] = &m.Calendar[i]
	}
	for _, week := range report.Calendar(q.month) {
		var row [7]reportDay
		for i, d := range week {
			if !d.IsZero() {
				row[i] = byDate[d.Format(time.DateOnly)].cell(d.Day(), q.lang)
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

// cell returns the cell of the calendar of a day, which is nil if it is still to come.
func (d *monthlyDay) cell(day int, lang string) reportDay {
	if d == nil || d.Level == nil {
		return dayWithoutIndex(day)
	}
	return dayWithIndex(day, d.Index.Or(0), d.Level, lang)
}
