package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/fleet"
	"nhip/internal/influx"
	"nhip/internal/topics"
)

// staffKey is the header of a request of staff.
var staffKey = []string{"Authorization", "Bearer s3cret"}

// monthHistory is a history with two stations.
type monthHistory struct{ recordHistory }

func (*monthHistory) Stations(context.Context) ([]string, error) { return []string{"a", "b"}, nil }

// withMonth returns an api, on 16 February 2026, with the hours, days and months of January 2026 and the month of
// January 2025 of two stations in one area, and a silent one in another.
func withMonth(t *testing.T) *API {
	t.Helper()
	p := &monthHistory{}
	january := time.Date(2026, 1, 1, 0, 0, 0, 0, hanoi)
	add := func(station, period string, q nhip.Quantity, end time.Time, mean float64, count int) {
		p.rollups = append(p.rollups, influx.RollupRow{Rollup: nhip.Rollup{
			Station: station, Quantity: q, Period: period, Quality: nhip.QualityAutomatic, Time: end.UTC(),
			RollupStats: nhip.RollupStats{
				Mean: mean, Min: mean - 5, Max: mean + 5, P98: mean + 4, Count: count, Capture: 100, Flag: nhip.FlagGood,
				Max1h: nhip.Some(mean + 5), Max8h: nhip.Some(mean + 1),
			},
		}})
	}
	for station, mean := range map[string]float64{"a": 40, "b": 80} {
		for d := range 31 {
			day := january.AddDate(0, 0, d)
			for h := range 24 {
				add(station, nhip.PeriodHour, nhip.PM25, day.Add(time.Duration(h+1)*time.Hour), mean+float64(h), 60)
			}
			add(station, nhip.PeriodDay, nhip.PM25, day.AddDate(0, 0, 1), mean, 24)
		}
		add(station, nhip.PeriodMonth, nhip.PM25, january.AddDate(0, 1, 0), mean, 744)
	}
	add("a", nhip.PeriodMonth, nhip.PM25, january.AddDate(-1, 1, 0), 50, 744)
	february := time.Date(2026, 2, 1, 0, 0, 0, 0, hanoi)
	for d := range 15 {
		add("a", nhip.PeriodDay, nhip.PM25, february.AddDate(0, 0, d+1), 30, 24)
	}
	a := newAPI(t, withRecords(&p.recordHistory), func(o *Options) { o.History = p })
	for id, area := range map[string]string{"a": "Ba Đình", "b": "Ba Đình", "c": "Đống Đa"} {
		receive(t, a, topics.FleetStationTopic(id), fleet.Station{
			ID: id, Area: area, Name: nhip.LocalizedText{Vi: "Trạm " + id},
		})
	}
	return a
}

func monthlyOf(t *testing.T, a *API, query string) (m struct {
	Complete   bool
	Stations   int
	Silent     []string
	Quantities []struct {
		Quantity           string
		Stations, Complete int
		Mean, Change       *float64
		LastYear           *float64 `json:"last_year_mean"`
		ChangePct          *float64 `json:"change_pct"`
		MaxStation         string   `json:"max_station"`
	}
	Rows []struct {
		Station string
		Mean    *float64
		Capture float64 `json:"capture_pct"`
		Hours   int
	}
	Calendar []struct {
		Date, Station string
		Index         *float64
		Above100      int `json:"above_100"`
	}
	Exceedances []struct {
		Station string
		Number  int
	}
	Profiles []struct{ Diurnal, Weekdays []*float64 }
},
) {
	t.Helper()
	w := checkContract(t, a, "/v1/reports/monthly?"+query, staffKey...)
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", query, w.Code, w.Body)
	}
	return m
}

func TestMonthlyReportOfTheNetwork(t *testing.T) {
	m := monthlyOf(t, withMonth(t), "month=2026-01")
	if !m.Complete || m.Stations != 3 || strings.Join(m.Silent, " ") != "c" || len(m.Rows) != 2 || len(m.Calendar) != 31 {
		t.Fatalf("%+v", m)
	}
	q := m.Quantities[0]
	if q.Quantity != "pm25" || q.Stations != 2 || q.Complete != 2 || *q.Mean != 60 || *q.LastYear != 50 ||
		*q.ChangePct != -20 || q.MaxStation != "b" {
		t.Errorf("%+v", q)
	}
	if d := m.Calendar[0]; d.Date != "2026-01-01" || d.Station != "b" || d.Index == nil || d.Above100 != 1 {
		t.Errorf("%+v", d)
	}
	for _, e := range m.Exceedances { // of the mean of 24 hours, 45 µg/m³
		if want := map[string]int{"a": 0, "b": 31}[e.Station]; e.Number != want {
			t.Errorf("%+v, want %d", e, want)
		}
	}
	if p := m.Profiles[0]; *p.Diurnal[0] != 60 || *p.Diurnal[23] != 83 || len(p.Weekdays) != 7 {
		t.Errorf("%+v", p)
	}
}

func TestMonthlyReportOfAStationAndOfAMonthThatIsNotOver(t *testing.T) {
	a := withMonth(t)
	m := monthlyOf(t, a, "month=2026-01&station=a")
	if len(m.Rows) != 1 || m.Rows[0].Station != "a" || *m.Rows[0].Mean != 40 || m.Stations != 1 {
		t.Errorf("%+v", m.Rows)
	}
	m = monthlyOf(t, a, "month=2026-02&area=Ba+%C4%90%C3%ACnh")
	if m.Complete || m.Stations != 2 || len(m.Rows) != 1 || *m.Rows[0].Mean != 30 || m.Rows[0].Hours != 360 ||
		m.Rows[0].Capture < 90 || m.Rows[0].Capture >= 100 || len(m.Calendar) != 16 || strings.Join(m.Silent, "") != "b" {
		t.Errorf("%+v", m)
	}
}

func TestMonthlyReportAsTableAndPage(t *testing.T) {
	a := withMonth(t)
	csv := checkContract(t, a, "/v1/reports/monthly?month=2026-01&format=csv", staffKey...).Body.String()
	if lines := strings.Split(strings.TrimSpace(csv), "\n"); len(lines) != 3 ||
		lines[1] != "2026-01,a,Trạm a,Ba Đình,pm25,µg/m³,40,35,45,44,744,100,1,50,-20,,,0" {
		t.Errorf("%s", csv)
	}
	page := checkContract(t, a, "/v1/reports/monthly?month=2026-01&format=html", staffKey...).Body.String()
	for _, want := range []string{
		"Báo cáo tháng 1/2026", "Toàn mạng lưới", "Trạm không có số liệu: c", "<td>Trạm b</td>",
		"-20 %", "Người duyệt",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	page = checkContract(t, a, "/v1/reports/monthly?month=2026-01&format=html&lang=en&area=Ba+%C4%90%C3%ACnh",
		staffKey...).Body.String()
	if !strings.Contains(page, "Area: Ba Đình") || strings.Contains(page, "Stations without data") {
		t.Errorf("%s", page)
	}
	if page := checkContract(t, a, "/v1/reports/monthly?month=2026-01&format=html&station=a",
		staffKey...).Body.String(); !strings.Contains(page, "<strong>Trạm a (a)</strong>") {
		t.Error("the page of a station")
	}
}

func TestMonthlyReportNamesWhatIsWrong(t *testing.T) {
	a := withMonth(t)
	for query, field := range map[string]string{
		"": "month", "month=2026-13": "month", "month=2026-03": "month", "month=1900-01": "month",
		"month=2026-01&station=a&area=b": "station", "month=2026-01&station=none": "station",
		"month=2026-01&area=none": "area", "month=2026-01&format=pdf": "format", "month=2026-01&lang=fr": "lang",
		"month=2026-01&x=1": "x",
	} {
		w := checkContract(t, a, "/v1/reports/monthly?"+query, staffKey...)
		if w.Code < 400 || w.Code >= 500 || !strings.Contains(w.Body.String(), `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	if w := checkContract(t, a, "/v1/reports/monthly?month=2026-01"); w.Code != http.StatusUnauthorized {
		t.Errorf("without a key: %d", w.Code)
	}
}
