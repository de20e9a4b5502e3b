package air

import (
	"math"
	"testing"
	"time"

	"nhip"
	"nhip/geo/qc"
)

// TestMaximaOfADayAreOfItsOwnHours has days of 23, 24, 25 and 24.5 hours, with high hours just before and after them.
func TestMaximaOfADayAreOfItsOwnHours(t *testing.T) {
	for _, c := range []struct {
		zone       string
		year       int
		month      time.Month
		day, hours int64
	}{
		{"Europe/Berlin", 2026, time.March, 29, 23},
		{"Europe/Berlin", 2025, time.October, 26, 25},
		{"Asia/Ho_Chi_Minh", 2026, time.March, 29, 24},
		{"Asia/Kolkata", 2026, time.March, 29, 24},
		{"Australia/Lord_Howe", 2026, time.April, 5, 25},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		s := &setup{zone: zone}
		noon := time.Date(c.year, c.month, int(c.day), 12, 0, 0, 0, zone)
		from, to := s.dayOf(hourOf(noon.UnixMilli())).hours()
		if n := to - from; n != c.hours && n != c.hours-1 {
			t.Errorf("%s: a day of %d hours", c.zone, n)
		}
		hours := make(map[int64]nhip.RollupStats)
		for h := from - 10; h < to+3; h++ {
			hours[h] = nhip.RollupStats{Mean: 40, Count: 1, Flag: nhip.FlagGood}
		}
		for h, v := range map[int64]float64{from - 1: 900, from: 130, to - 1: 120, to: 800} {
			hours[h] = nhip.RollupStats{Mean: v, Count: 1, Flag: nhip.FlagGood}
		}
		var day nhip.RollupStats
		addMaxima(&day, hours, from, to, 0.75)
		if day.Max1h.Or(0) != 130 || math.Abs(day.Max8h.Or(0)-(900+130+6*40)/8.0) > 1e-9 || day.Capture8h.Or(0) != 100 {
			t.Errorf("%s: %+v", c.zone, day)
		}
		for h := from; h < to-17; h++ { // 17 hours are left, but too few 8-hour means
			delete(hours, h)
		}
		day = nhip.RollupStats{}
		if addMaxima(&day, hours, from, to, 0.75); day.Max1h.Known() || day.Max8h.Known() || day.Capture8h.Known() {
			t.Errorf("%s: of 17 hours: %+v", c.zone, day)
		}
	}
}

func TestDirectionIsNotSummedUp(t *testing.T) {
	w := window{series: []qc.Series{{Quantity: nhip.WindDirection}, {Quantity: nhip.WindSpeed}}}
	if got := w.quantities(); len(got) != 1 || got[0] != nhip.WindSpeed {
		t.Error(got)
	}
}
