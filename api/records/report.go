package records

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/api/rest"
	"nhip/geo/aqi"
	"nhip/geo/limits"
	"nhip/geo/report"
	"nhip/internal/airreport"
	"nhip/internal/influx"
)

//go:embed report.html
var reportHTML string

var reportPage = template.Must(template.New("report").Parse(reportHTML))

// monthReport is the monthly report of a station, as the template shows it.
type monthReport struct {
	Station, Name, Area string
	Month               string // in words
	Lang                string
	Words               map[string]string // texts in this language, by key
	Zone                string
	Level               string // in words
	Made                string
	Source              string
	Rows                []reportRow
	Weekdays            []string // from Monday
	Weeks               [][7]reportDay
	Charts              []reportChart
	Exceedances         []reportExceedance
	Notes               []reportNote // that overlap the month
}

// reportRow is a line of the table of statistics.
type reportRow struct {
	Quantity, Unit string
	nhip.RollupStats
	Known bool
}

// reportExceedance is a line of the table of exceedances.
type reportExceedance struct {
	report.Exceedance
	Name, AverageName string
}

// reportNote is a line of the table of reviews.
type reportNote struct {
	Action, Quantity, From, To, By, Why string
}

// Number formats a number to a tenth: with a decimal comma in Vietnamese.
func (m *monthReport) Number(f float64) string {
	text := strconv.FormatFloat(encode.Round(f, 10), 'f', -1, 64)
	if m.Lang == "vi" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}

// quantity returns the name of a quantity.
func (m *monthReport) quantity(q nhip.Quantity) string { return cmp.Or(q.Name().In(m.Lang), string(q)) }

// addExceedances adds the lines of the averages that have means.
func (m *monthReport) addExceedances(all []report.Exceedance) {
	for _, e := range all {
		if e.Evaluated == 0 {
			continue
		}
		average := airreport.AverageNames[e.Average].In(m.Lang)
		m.Exceedances = append(m.Exceedances, reportExceedance{e, m.quantity(e.Quantity), average})
	}
}

// addNote adds the line of a review, with local times.
func (m *monthReport) addNote(r *nhip.Review, zone *time.Location) {
	quantity := m.Words["all"]
	if r.Quantity != "" {
		quantity = m.quantity(r.Quantity)
	}
	m.Notes = append(m.Notes, reportNote{
		actionNames[r.Action].In(m.Lang), quantity, localMinute(r.From.In(zone), m.Lang), localMinute(r.To.In(zone), m.Lang),
		r.By, r.Why,
	})
}

// reportDay is a cell of the calendar. Day is 0 in a cell outside the month.
type reportDay struct {
	Day   int
	Value string
	Level string
	Color template.CSS
	Ink   template.CSS
}

// reportQuery is a query of GET /v1/stations/{id}/report.
type reportQuery struct {
	station string
	month   time.Time // local start
	lang    string    // vi or en
	quality nhip.Quality
	csv     bool
}

// reportQuery reads the query of GET /v1/stations/{id}/report.
func (h *Handler) reportQuery(r *http.Request) (*reportQuery, error) {
	id, err := rest.PathID(r, "id")
	if err != nil {
		return nil, err
	}
	p := rest.ReadQuery(r, "month", "lang", "level", "format")
	q := &reportQuery{station: id, lang: "vi"}
	if q.month, err = time.ParseInLocation("2006-01", p.Text("month"), h.Live.Zone(id)); err != nil ||
		q.month.Before(rest.FirstTime) || q.month.After(rest.LastTime) {
		p.Fail("month", "must be a month, as in 2026-02")
	}
	lang := p.Text("lang")
	q.quality = p.Quality("level")
	switch lang {
	case "":
	case "vi", "en":
		q.lang = lang
	default:
		p.Fail("lang", "must be vi or en, got %q", lang)
	}
	switch f := p.Text("format"); f {
	case "", "html":
	case "csv":
		q.csv = true
	default:
		p.Fail("format", "must be html or csv, got %q", f)
	}
	return q, p.Err
}

// getReport answers GET /v1/stations/{id}/report with a month, as HTML for printing or as CSV.
func (h *Handler) getReport(w http.ResponseWriter, r *http.Request) error {
	q, err := h.reportQuery(r)
	if err != nil {
		return err
	}
	if q.csv {
		return h.monthAsCSV(w, r, q)
	}
	return h.withSlot(r, q.station, q.quality, "text/html", func() error { return h.monthAsHTML(w, r, q) })
}

// monthAsHTML answers with the page of a month.
func (h *Handler) monthAsHTML(w http.ResponseWriter, r *http.Request, q *reportQuery) error {
	m, err := h.monthReport(r.Context(), q)
	if err != nil {
		return h.historyError(r, err)
	}
	var page bytes.Buffer
	if err := reportPage.Execute(&page, m); err != nil {
		return err
	}
	h.Bytes(w, "text/html; charset=utf-8", rest.Revalidate, page.Bytes())
	return nil
}

// monthAsCSV answers with the days of the month, as GET /v1/stations/{id}/readings does.
func (h *Handler) monthAsCSV(w http.ResponseWriter, r *http.Request, q *reportQuery) error {
	days := &query{
		station: q.station, from: q.month.UTC(), to: q.month.AddDate(0, 1, 0).UTC(), by: byDay, quality: q.quality,
		scale: nhip.ScaleVNAQI, format: rest.FormatCSV, zone: q.month.Location(),
	}
	return h.withSlot(r, days.station, days.quality, days.format, func() error {
		return h.stream(r, newRowWriter(w, days, newEncoder(days.format)), h.readings)
	})
}

// monthReport reads the report of a month.
func (h *Handler) monthReport(ctx context.Context, q *reportQuery) (*monthReport, error) {
	from, to, zone := q.month.UTC(), q.month.AddDate(0, 1, 0).UTC(), q.month.Location()
	m := &monthReport{
		Station: q.station, Month: monthName(q.month, q.lang), Lang: q.lang, Words: reportWords[q.lang],
		Zone: zoneName(q.month), Level: qualityNames[q.quality].In(q.lang),
		Made: localMinute(h.Clock.Now().In(zone), q.lang), Source: limits.Source,
	}
	if s, ok := h.Live.Known(q.station); ok { // withSlot has checked that the caller sees it
		m.Name, m.Area = s.Name.In(q.lang), s.Area
	}
	for _, day := range weekdayNames {
		m.Weekdays = append(m.Weekdays, day.In(q.lang))
	}
	series, err := h.series(ctx, q.station, "", q.quality, from, to)
	if err != nil {
		return nil, err
	}
	if err := h.fillDays(ctx, m, q); err != nil {
		return nil, err
	}
	for _, quantity := range slices.Sorted(maps.Keys(series)) {
		s := series[quantity]
		until := to
		if now := h.Clock.Now(); now.Before(until) {
			until = now // the rest of the month is not missing yet
		}
		m.addExceedances(report.Exceedances(quantity, *s, q.month, until, airreport.LimitCompleteness))
		if quantity == nhip.PM25 || len(m.Charts) == 0 {
			m.Charts = m.profiles(quantity, s.Hours, from, zone)
		}
	}
	reviews, err := h.History.Reviews(ctx, q.station, h.Clock.Now().Add(nhip.FutureTolerance))
	for i := range reviews {
		if r := &reviews[i]; r.From.Before(to) && r.To.After(from) {
			m.addNote(r, zone)
		}
	}
	return m, err
}

// fillDays reads the statistics of the month and the calendar of its days.
func (h *Handler) fillDays(ctx context.Context, m *monthReport, q *reportQuery) error {
	from, to := q.month.UTC(), q.month.AddDate(0, 1, 0).UTC()
	rollups := influx.RollupQuery{Station: q.station, Period: nhip.PeriodDay, Quality: q.quality, From: from, To: to}
	sums := make(map[time.Time]map[nhip.Quantity]nhip.RollupStats)
	err := h.History.Rollups(ctx, rollups, func(r influx.RollupRow) error {
		if sums[r.Time] == nil {
			sums[r.Time] = make(map[nhip.Quantity]nhip.RollupStats)
		}
		sums[r.Time][r.Quantity] = r.RollupStats
		return nil
	})
	if err != nil {
		return err
	}
	rollups.Period = nhip.PeriodMonth
	err = h.History.Rollups(ctx, rollups, func(r influx.RollupRow) error {
		m.Rows = append(m.Rows, reportRow{m.quantity(r.Quantity), r.Quantity.Unit(), r.RollupStats, r.Count > 0})
		return nil
	})
	for _, week := range report.Calendar(q.month) {
		var row [7]reportDay
		for i, d := range week {
			if !d.IsZero() {
				row[i] = calendarDay(d, sums[d.AddDate(0, 0, 1).UTC()], m.Lang)
			}
		}
		m.Weeks = append(m.Weeks, row)
	}
	return err
}

// calendarDay returns the cell of a local day with these means.
func calendarDay(d time.Time, sums map[nhip.Quantity]nhip.RollupStats, lang string) reportDay {
	index, ok := aqi.DailyIndexOfStats(nhip.ScaleVNAQI, d, sums)
	if !ok {
		return dayWithoutIndex(d.Day())
	}
	return dayWithIndex(d.Day(), index.Value, &index.Category, lang)
}

func dayWithoutIndex(day int) reportDay {
	return reportDay{Day: day, Value: "–", Color: "#eee", Ink: "#000"}
}

func dayWithIndex(day int, value float64, category *nhip.AQICategory, lang string) reportDay {
	out := reportDay{
		Day: day, Value: strconv.Itoa(int(value)), Level: category.Name.In(lang), Color: template.CSS(category.Color),
		Ink: "#000",
	}
	if category.Number >= 4 {
		out.Ink = "#fff"
	}
	return out
}
