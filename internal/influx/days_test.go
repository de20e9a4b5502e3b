package influx_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"

	"github.com/google/go-cmp/cmp"
)

// dayWriter writes roll-ups of days that end at noon of UTC, and of their hours.
type dayWriter struct{ lines []byte }

// day writes a day whose hours have the mean, but the first, which is not complete. packed: its row has them, too.
func (w *dayWriter) day(station string, q nhip.Quantity, day int, quality nhip.Quality, mean float64, packed bool) {
	end := noon.AddDate(0, 0, day)
	r := nhip.Rollup{
		Station: station, Quantity: q, Quality: quality, Period: nhip.PeriodDay, Time: end,
		RollupStats: nhip.RollupStats{Mean: mean, Count: 23, Flag: nhip.FlagGood},
	}
	means := make([]float64, 24)
	for i := range means {
		hour := r
		hour.Period, hour.Time = nhip.PeriodHour, end.Add(time.Duration(i-23)*time.Hour)
		if means[i] = mean; i == 0 {
			hour.Flag, means[i] = nhip.FlagNotEvaluated, math.NaN()
		}
		if !packed {
			w.lines = influx.AppendRollup(w.lines, &hour, influx.NetworkHour{}, received)
		}
	}
	if !packed {
		means = nil
	}
	w.lines = influx.AppendRollupHours(w.lines, &r, means, received)
}

// testDays writes days with and without their hours. Days of an earlier version lack them, so that they come from the
// roll-ups of hours; days that have them have no other hours here, which shows which ones are read.
func testDays(t *testing.T, db database) {
	automatic, reviewed := nhip.QualityAutomatic, nhip.QualityReviewed
	var w dayWriter
	w.day("a", nhip.O3, 1, automatic, 1, true)
	w.day("a", nhip.O3, 2, automatic, 2, true)
	w.day("a", nhip.O3, 3, automatic, 3, true)
	w.day("a", nhip.O3, 2, reviewed, 20, true)
	w.day("b\\,= c", nhip.O3, 1, automatic, 1.5, true)
	w.day("b\\,= c", nhip.O3, 2, automatic, 2.5, false)
	w.day("a", nhip.PM25, 1, automatic, 9, true)
	hour := nhip.Rollup{
		Quality: automatic, Period: nhip.PeriodHour, Time: noon.AddDate(0, 0, 3).Add(time.Hour),
		RollupStats: nhip.RollupStats{Mean: 4, Count: 12, Flag: nhip.FlagGood},
	}
	for _, station := range []string{"a", "b]", "new"} { // the current day. The order is that of what is stored for \
		hour.Station, hour.Quantity = station, nhip.O3
		w.lines = influx.AppendRollup(w.lines, &hour, influx.NetworkHour{}, received)
	}
	month := hour
	month.Station, month.Period, month.Time = "silent", nhip.PeriodMonth, noon.AddDate(0, -1, 0)
	w.lines = influx.AppendRollup(w.lines, &month, influx.NetworkHour{}, received)
	if err := db.Write(t.Context(), w.lines); err != nil {
		t.Fatal(err)
	}
	q := influx.DayQuery{
		MeanQuery: influx.MeanQuery{
			Quality: reviewed, Quantities: []nhip.Quantity{nhip.O3, nhip.PM25}, From: noon.Add(-8 * time.Hour),
			To: noon.AddDate(0, 0, 3).Add(2 * time.Hour),
		},
		Hourly: []nhip.Quantity{nhip.O3}, Known: noon.AddDate(-1, 0, 0), Unsummed: noon.AddDate(0, 0, 3),
	}
	want := []string{
		"o3 a 1:1 2:20 3:3 | -23:NaN 23×1 1:NaN 23×20 25:NaN 23×3 49:4",
		"o3 b] | 49:4", "o3 b\\,= c 1:1.5 2:2.5 | -23:NaN 23×1.5 1:NaN 23×2.5",
		"o3 new | 49:4", "o3 silent |", "pm25 a 1:9 |",
	}
	if diff := cmp.Diff(want, readDays(t, db, q)); diff != "" {
		t.Error(diff)
	}
	q.Quality, q.Quantities, q.Stations = automatic, q.Hourly, []string{"a"}
	if got := readDays(t, db, q); len(got) != 1 ||
		got[0] != "o3 a 1:1 2:2 3:3 | -23:NaN 23×1 1:NaN 23×2 25:NaN 23×3 49:4" {
		t.Errorf("automatic: %q", got)
	}
}

// readDays returns a line for each series: its days, and its hours from noon of the second day on, of which equal ones
// are counted.
func readDays(t *testing.T, db database, q influx.DayQuery) (got []string) {
	t.Helper()
	err := db.Days(t.Context(), q, func(s *influx.DaySeries) error {
		line := fmt.Sprintf("%s %s", s.Quantity, s.Station)
		for _, m := range s.Days {
			line += fmt.Sprintf(" %d:%v", time.UnixMilli(m.End).Sub(noon)/(24*time.Hour), m.Value)
		}
		line += " |"
		for i := 0; i < len(s.Hours); {
			n := 1
			for i+n < len(s.Hours) && s.Hours[i+n].Value == s.Hours[i].Value &&
				s.Hours[i+n].End == s.Hours[i+n-1].End+3_600_000 {
				n++
			}
			if n > 1 {
				line += fmt.Sprintf(" %d×%v", n, s.Hours[i].Value)
			} else {
				line += fmt.Sprintf(" %d:%v", time.UnixMilli(s.Hours[i].End).Sub(noon)/time.Hour-24, s.Hours[i].Value)
			}
			i += n
		}
		got = append(got, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
