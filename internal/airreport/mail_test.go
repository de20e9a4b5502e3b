package airreport

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/geo/limits"
	"nhip/geo/report"
)

func TestMailListsTheFirstExceedances(t *testing.T) {
	day := time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC)
	var rows []Exceedance
	for i := range 150 {
		rows = append(rows, Exceedance{
			Station: fmt.Sprintf("s%03d", i), Name: "<script>", Zone: time.UTC, Exceedance: report.Exceedance{
				Quantity: nhip.PM25, Average: limits.AverageDay, Limit: 45, Unit: "µg/m³", Number: i % 2, Max: nhip.Some(50.25),
			},
		})
	}
	rows = append(rows, rows...)
	o := MailOptions{Lang: "en", Schedule: "Daily", Simulated: true, Now: day}
	m, err := ExceedancesMail(day, 150, rows, []byte("x"), &o)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(m.Text, "- <script>: "); n != maxListed || !strings.Contains(m.Text, "… +50.") {
		t.Errorf("%d rows of\n%s", n, m.Text)
	}
	if strings.Contains(m.HTML, "<script>") || !strings.Contains(m.HTML, "&lt;script&gt;") {
		t.Error("a name is not escaped")
	}
	if m.Subject != "[Nhịp] Exceedances of 16 February 2026 · Whole network · SIMULATED DATA" ||
		m.File != "exceedances-2026-02-16.csv" {
		t.Errorf("%q, %q", m.Subject, m.File)
	}
}

func TestMailOfAnEmptyMonth(t *testing.T) {
	for lang, want := range map[string]string{"vi": "Không có dữ liệu hợp lệ", "en": "No valid data"} {
		m, err := (&Monthly{Month: "2026-01", Complete: true, Area: "Ba Đình"}).Mail(&MailOptions{
			Lang: lang, Area: "Ba Đình", PublicURL: "https://air.example",
		})
		if err != nil || !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) ||
			!strings.Contains(m.Text, "/v1/reports/monthly?area=Ba+%C4%90%C3%ACnh&format=html&lang="+lang+"&month=2026-01") {
			t.Errorf("%v:\n%s", err, m.Text)
		}
	}
}
