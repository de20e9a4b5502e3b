package api

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/fleet"
	"nhip/internal/influx"
	"nhip/internal/topics"
)

// withReport returns an api with a named station ("s"), whose history has hours, days and a review in February 2026.
func withReport(t *testing.T) *API {
	t.Helper()
	p := &recordHistory{rollups: hourRollups(nhip.PM25, noon, make([]float64, 300)...)}
	for i := range p.rollups {
		p.rollups[i].Mean = 60.25 + float64(i%24)
	}
	stats := nhip.RollupStats{Mean: 61.5, Min: 3, Max: 99.5, P98: 90, Count: 24, Capture: 100, Flag: nhip.FlagGood}
	for _, period := range []string{nhip.PeriodDay, nhip.PeriodMonth} {
		for _, q := range []nhip.Quantity{nhip.NO2, nhip.PM25, nhip.Temperature} {
			p.rollups = append(p.rollups, influx.RollupRow{Rollup: nhip.Rollup{
				Station: "s", Quantity: q, Period: period, Quality: nhip.QualityReviewed,
				Time: time.Date(2026, 2, 10, 0, 0, 0, 0, hanoi).UTC(), RollupStats: stats,
			}})
		}
	}
	p.reviews = []nhip.Review{{
		ID: "r", Station: "s", Quantity: nhip.PM25, Action: nhip.ActionExclude, By: "Lan", Why: "lọc bụi <bẩn>",
		From: noon.Add(-48 * time.Hour), To: noon.Add(-24 * time.Hour),
	}}
	a := newAPI(t, withRecords(p), func(o *Options) {
		zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
		if err != nil {
			t.Fatal(err)
		}
		o.Zone = zone
	})
	receive(t, a, topics.FleetStationTopic("s"), fleet.Station{
		ID: "s", Name: nhip.LocalizedText{Vi: "Trạm Cầu Giấy"}, Area: "Cầu Giấy",
	})
	return a
}

func TestMonthReportIsInWords(t *testing.T) {
	a := withReport(t)
	for lang, words := range map[string][]string{
		"vi": {
			"<title>Báo cáo tháng 2/2026 · Trạm Cầu Giấy</title>", "<strong>Trạm Cầu Giấy (s)</strong>", "Khu vực: Cầu Giấy",
			"Mức dữ liệu: đã kiểm tra tự động và được cán bộ rà soát", "Bụi mịn PM2.5 (µg/m³)",
			"Nitơ đioxit (NO₂)", "Nhiệt độ (°C)",
			"<td>61,5</td>", "<td>99,5</td>", ">Thứ Hai</th>", ">Chủ nhật</th>", "Theo giờ trong ngày · Bụi mịn PM2.5", "24 giờ",
			"<td>Loại bỏ</td>", "19:00 14/02/2026", "lọc bụi &lt;bẩn&gt;", "Asia/Ho_Chi_Minh (UTC", "19:00 16/02/2026",
		},
		"en": {
			"<title>Monthly report February 2026 · Trạm Cầu Giấy</title>", "Data: checked automatically and reviewed by staff",
			"Fine particles PM2.5 (µg/m³)", "Nitrogen dioxide (NO₂)", "<td>61.5</td>", ">Monday</th>", ">Sunday</th>",
			"By hour of the day · Fine particles PM2.5", "24 hours", "<td>Excluded</td>", "14 February 2026 19:00",
		},
	} {
		page := get(t, a, "/v1/stations/s/report?month=2026-02&lang="+lang).Body.String()
		for _, w := range words {
			if !strings.Contains(page, strings.ReplaceAll(w, "+", "&#43;")) {
				t.Errorf("the report in %s has no %q", lang, w)
			}
		}
		for _, code := range []string{"pm25", "no2 ", "strike", "level=", "<nil>", "ZgotmplZ"} {
			if strings.Contains(page, code) {
				t.Errorf("the report in %s has the code %q", lang, code)
			}
		}
	}
	for level, want := range map[string]string{"automatic": "đã kiểm tra tự động ·", "raw": "giá trị gốc của thiết bị"} {
		page := get(t, a, "/v1/stations/s/report?month=2026-02&level="+level, "Authorization", "Bearer s3cret").Body.String()
		if !strings.Contains(page, want) {
			t.Errorf("level %s: no %q", level, want)
		}
	}
}

// TestTablesOfTheReportFitThePage: no table has more columns than an A4 page has room for, and all are as wide as the
// page.
func TestTablesOfTheReportFitThePage(t *testing.T) {
	page := get(t, withReport(t), "/v1/stations/s/report?month=2026-02").Body.String()
	rows := regexp.MustCompile(`<tr>.*?</tr>`).FindAllString(page, -1)
	if len(rows) < 15 || !strings.Contains(page, "table-layout: fixed") {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		if n := strings.Count(row, "<td") + strings.Count(row, "<th"); n > 12 {
			t.Errorf("%d columns: %.200s", n, row)
		}
	}
}
