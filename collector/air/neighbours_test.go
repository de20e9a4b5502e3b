package air

import (
	"fmt"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/fleet"
	"nhip/internal/influx"
)

func testNeighbourhood(t *testing.T, db *influx.DB) {
	h := newHarness(t, db)
	send := func(end time.Time) {
		for i := range 8 {
			v := 30 + float64(i)
			if i == 3 {
				v = 4
			}
			all := series(fmt.Sprintf("s%d", i), nhip.PM25, time.Hour, end, v)
			h.UpdateStation(all[0].Station, fleet.Station{
				ID: all[0].Station, Kind: fleet.LowCost, At: []float64{105.8 + float64(i)*0.002, 21},
			})
			h.store(t, all...)
		}
		h.waitIdle(t)
	}
	check := func(name string, end time.Time) {
		awaittest.True(t, name, func() bool {
			ok := true
			for i := range 8 {
				got := h.readings(t, fmt.Sprintf("s%d", i), end.Add(-time.Hour), end)
				want := ""
				if i == 3 {
					want = "neighbours=4"
				}
				ok = ok && len(got) == 1 && got[0].Assessment.Tests == want
			}
			return ok
		})
		at := "pm25 " + end.In(hanoi).Format("2006-01-02T15")
		if s := h.rollups(t, "s3", nhip.PeriodHour, nhip.QualityAutomatic)[at]; s.Count != 0 || s.Flag != nhip.FlagFail {
			t.Errorf("%s: hour of the outlier is %+v", name, s)
		}
		if s := h.rollups(t, "s2", nhip.PeriodHour, nhip.QualityAutomatic)[at]; s.Count != 1 {
			t.Errorf("%s: hour of another station is %+v", name, s)
		}
	}
	send(noon)
	check("recent outlier", noon)
	old := noon.AddDate(0, 0, -20)
	send(old)
	check("old outlier", old)
	// A second check changes nothing.
	if _, err := h.Recompute(nhip.RecomputeQuery{From: old.Add(-time.Hour), To: old}); err != nil {
		t.Fatal(err)
	}
	h.waitIdle(t)
	check("old outlier after recompute", old)
}
