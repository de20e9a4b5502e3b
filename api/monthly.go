package api

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strconv"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/limits"
	"nhip/geo/report"
	"nhip/internal/influx"
)

//go:embed monthly.html
var monthlyHTML string

var monthlyPage = template.Must(template.New("monthly").Funcs(template.FuncMap{
	"number": func(f float64) string { return strconv.FormatFloat(roundTo(f, 10), 'f', -1, 64) },
}).Parse(monthlyHTML))

// monthly is a station's report of a month.
type monthly struct {
	Station, Name, Area string
	Month               string // 2026-02
	Lang                string
	Words               map[string]string
	Zone                string
	Level               nhip.Quality
	Made                string
	Source              string
	Rows                []monthlyRow
	Weeks               [][7]monthlyDay
	Charts              []monthlyChart
	Exceedances         []report.Exceedance
	Notes               []nhip.Review
}

type monthlyRow struct {
	Quantity, Unit string
	nhip.Stats
	Known bool
}

// monthlyDay is a square of the calendar; Day 0 is none.
type monthlyDay struct {
	Day    int
	Value  string
	Level  string
	Colour template.CSS
	Ink    template.CSS
}

// monthlyChart is a profile as bars, in a box of 0 to 100.
type monthlyChart struct {
	Title, Unit string
	Top         string
	Bars        []monthlyBar
}

type monthlyBar struct {
	Label           string
	Value           string
	X, Y, W, H, Mid float64
}

var monthlyWords = map[string]map[string]string{
	"vi": {
		"title": "Báo cáo tháng", "station": "Trạm", "area": "Khu vực", "values": "Thống kê", "quantity": "Thông số", "mean": "Trung bình",
		"max": "Lớn nhất", "min": "Nhỏ nhất", "p98": "Phân vị 98", "capture": "Tỷ lệ dữ liệu", "hours": "giờ hợp lệ", "calendar": "Chỉ số VN_AQI theo ngày",
		"diurnal": "Theo giờ trong ngày", "weekdays": "Theo ngày trong tuần", "exceed": "Vượt quy chuẩn", "limit": "Giới hạn", "number": "Số lần",
		"longest": "Dài nhất (giờ)", "none": "Không có", "notes": "Ghi chú của cán bộ", "made": "Lập lúc", "nodata": "Không có dữ liệu hợp lệ",
		"average": "Trung bình trong", "days": "T2,T3,T4,T5,T6,T7,CN", "by": "Người quyết định", "why": "Lý do", "evaluated": "Số giá trị", "from": "Từ", "to": "Đến",
	},
	"en": {
		"title": "Monthly report", "station": "Station", "area": "Area", "values": "Statistics", "quantity": "Quantity", "mean": "Mean",
		"max": "Highest", "min": "Lowest", "p98": "98th percentile", "capture": "Data capture", "hours": "complete hours", "calendar": "VN_AQI day by day",
		"diurnal": "By hour of the day", "weekdays": "By day of the week", "exceed": "Above the limits", "limit": "Limit", "number": "Times",
		"longest": "Longest (hours)", "none": "None", "notes": "Remarks of staff", "made": "Made", "nodata": "No valid data",
		"average": "Mean over", "days": "Mon,Tue,Wed,Thu,Fri,Sat,Sun", "by": "Decided by", "why": "Why", "evaluated": "Values", "from": "From", "to": "To",
	},
}

// getReport answers GET /v1/stations/{id}/report: a month, as a page that prints well or as CSV.
func (a *API) getReport(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r, "id")
	q := readQuery(r, "month", "lang", "level", "format")
	zone := a.zoneOf(id)
	month, fault := time.ParseInLocation("2006-01", q.text("month"), zone)
	if fault != nil || month.Before(firstTime) || month.After(lastTime) {
		q.fail("month", "must be a month, as in 2026-02")
	}
	lang, quality, csv := q.text("lang"), q.quality("level"), false
	switch lang {
	case "":
		lang = "vi"
	case "vi", "en":
	default:
		q.fail("lang", "must be vi or en, got %q", lang)
	}
	switch f := q.text("format"); f {
	case "", "html":
	case "csv":
		csv = true
	default:
		q.fail("format", "must be html or csv, got %q", f)
	}
	if err == nil {
		err = q.err
	}
	if err == nil && quality == nhip.Raw && !a.isOperator(r) {
		err = errStaffOnly
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	if csv {
		a.monthAsCSV(w, r, id, month, quality)
		return
	}
	m, err := a.monthly(r.Context(), id, month, lang, quality)
	if err != nil {
		a.historyFailed(w, r, err)
		return
	}
	var page bytes.Buffer
	if err := monthlyPage.Execute(&page, m); err != nil {
		a.problem(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(page.Bytes()) // the client may be gone
}

// monthAsCSV answers with the days of the month, as the history does.
func (a *API) monthAsCSV(w http.ResponseWriter, r *http.Request, id string, month time.Time, quality nhip.Quality) {
	ask := &historyQuestion{
		station: id, from: month.UTC(), to: month.AddDate(0, 1, 0).UTC(), as: resolutions[2], quality: quality, scale: nhip.VNAQI,
		form: formCSV, zone: month.Location(),
	}
	if !a.mayAsk(r.Context()) {
		a.problem(w, r, nhip.Errorf(nhip.Unavailable, "", "too many questions to the history are under way"))
		return
	}
	defer func() { <-a.questions }()
	a.answerHistory(w, r, newHistoryWriter(w, ask))
}

func (a *API) monthly(ctx context.Context, id string, month time.Time, lang string, quality nhip.Quality) (*monthly, error) {
	from, to, zone := month.UTC(), month.AddDate(0, 1, 0).UTC(), month.Location()
	m := &monthly{
		Station: id, Month: month.Format("2006-01"), Lang: lang, Words: monthlyWords[lang], Zone: zone.String(), Level: quality,
		Made: a.o.Clock.Now().In(zone).Format("2006-01-02 15:04 -07:00"), Source: limits.Source,
	}
	if s, ok := a.city.station(id); ok {
		m.Name, m.Area = s.Name.Vi, s.Area
		if lang == "en" {
			m.Name = s.Name.En
		}
	}
	series, err := a.series(ctx, id, "", quality, from, to)
	if err != nil {
		return nil, err
	}
	if err := a.monthlyDays(ctx, m, id, month, quality); err != nil {
		return nil, err
	}
	for _, q := range sortedKeys(series) {
		m.Exceedances = append(m.Exceedances, report.Exceedances(q, *series[q], month, to, limitCompleteness)...)
		if q == nhip.PM25 || len(m.Charts) == 0 {
			m.Charts = m.profiles(q, series[q].Hours, from, zone)
		}
	}
	reviews, err := a.o.History.Reviews(ctx, id, a.o.Clock.Now().Add(nhip.FutureTolerance))
	for _, r := range reviews {
		if r.From.Before(to) && r.To.After(from) {
			m.Notes = append(m.Notes, r)
		}
	}
	return m, err
}

// monthlyDays fills in the statistics of the month and the calendar of its days.
func (a *API) monthlyDays(ctx context.Context, m *monthly, id string, month time.Time, quality nhip.Quality) error {
	from, to := month.UTC(), month.AddDate(0, 1, 0).UTC()
	sums := make(map[time.Time]map[nhip.Quantity]nhip.Stats)
	err := a.o.History.Rollups(ctx, influx.RollupQuery{Station: id, Period: nhip.DayPeriod, Quality: quality, From: from, To: to}, func(r influx.Rolled) error {
		if sums[r.Time] == nil {
			sums[r.Time] = make(map[nhip.Quantity]nhip.Stats)
		}
		sums[r.Time][r.Quantity] = r.Stats
		return nil
	})
	if err != nil {
		return err
	}
	err = a.o.History.Rollups(ctx, influx.RollupQuery{Station: id, Period: nhip.MonthPeriod, Quality: quality, From: from, To: to}, func(r influx.Rolled) error {
		m.Rows = append(m.Rows, monthlyRow{string(r.Quantity), r.Quantity.Unit(), r.Stats, r.Count > 0})
		return nil
	})
	for _, week := range report.Calendar(month) {
		var row [7]monthlyDay
		for i, d := range week {
			if !d.IsZero() {
				row[i] = calendarDay(d, sums[d.AddDate(0, 0, 1).UTC()], m.Lang)
			}
		}
		m.Weeks = append(m.Weeks, row)
	}
	return err
}

func calendarDay(d time.Time, sums map[nhip.Quantity]nhip.Stats, lang string) monthlyDay {
	out := monthlyDay{Day: d.Day(), Value: "–", Colour: "#eee", Ink: "#000"}
	index, ok := aqi.OfDaySums(nhip.VNAQI, d, sums)
	if !ok {
		return out
	}
	out.Value, out.Level, out.Colour = strconv.Itoa(int(index.Value)), index.Level.Name.Vi, template.CSS(index.Level.Colour)
	if lang == "en" {
		out.Level = index.Level.Name.En
	}
	if index.Level.Number >= 4 {
		out.Ink = "#fff"
	}
	return out
}

// profiles draws how a quantity goes over the day and over the week.
func (m *monthly) profiles(q nhip.Quantity, hours []report.Mean, from time.Time, zone *time.Location) []monthlyChart {
	var own []report.Mean
	for _, h := range hours {
		if h.End.After(from) {
			own = append(own, h)
		}
	}
	label := func(i int) string { return fmt.Sprintf("%02d", i) }
	names := bytes.Split([]byte(m.Words["days"]), []byte(","))
	return []monthlyChart{
		bars(fmt.Sprintf("%s · %s", m.Words["diurnal"], q), q.Unit(), report.Diurnal(own, zone), label),
		bars(fmt.Sprintf("%s · %s", m.Words["weekdays"], q), q.Unit(), report.Weekdays(own, zone), func(i int) string { return string(names[i]) }),
	}
}

func bars(title, unit string, p report.Profile, label func(int) string) monthlyChart {
	c := monthlyChart{Title: title, Unit: unit}
	top := p.Max()
	c.Top = strconv.FormatFloat(roundTo(top, 10), 'f', -1, 64)
	width := 100 / float64(len(p))
	for i, v := range p {
		b := monthlyBar{Label: label(i), X: float64(i)*width + width/10, W: width * 0.8, Mid: (float64(i) + 0.5) * width, Value: "–"}
		if !math.IsNaN(v) && top > 0 {
			b.H = 100 * max(v, 0) / top
			b.Y = 100 - b.H
			b.Value = strconv.FormatFloat(roundTo(v, 10), 'f', -1, 64)
		}
		c.Bars = append(c.Bars, b)
	}
	return c
}
