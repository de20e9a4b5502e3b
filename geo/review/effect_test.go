package review

import (
	"testing"
	"time"

	"nhip"
	"nhip/geo/limits"
)

var zone = time.FixedZone("", 7*3600)

// input returns a local day of hourly PM2.5 and CO, 60 µg/m³ and 20 mg/m³ from 08:00 to 16:00 and 10 µg/m³ and 1 mg/m³
// at the other hours, and a change.
func input(change nhip.Review) *Input {
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, zone)
	in := &Input{Zone: zone, Completeness: 0.75, Now: day.AddDate(0, 0, 3), Change: change}
	for h := -24; h < 48; h++ {
		end := day.Add(time.Duration(h+1) * time.Hour).UTC()
		for q, values := range map[nhip.Quantity][2]float64{nhip.PM25: {10, 60}, nhip.CO: {1000, 20000}} {
			value := values[0]
			if h >= 8 && h < 16 {
				value = values[1]
			}
			in.Stored = append(in.Stored, nhip.Rollup{Quantity: q, Time: end, RollupStats: nhip.RollupStats{
				Mean: value, Min: value, Max: value, Count: 1, Capture: 100, Flag: nhip.FlagGood,
			}})
			if from, to, _, _ := Touched(&change, zone); end.After(from) && !end.After(to) {
				in.Readings = append(in.Readings, nhip.AssessedReading{
					Reading:    nhip.Reading{Station: "s", Quantity: q, Period: time.Hour, Time: end, Value: value},
					Assessment: nhip.Assessment{Flag: nhip.FlagGood},
				})
			}
		}
	}
	return in
}

func strike(from, to int, q nhip.Quantity) nhip.Review {
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, zone)
	return nhip.Review{
		ID: "x", Station: "s", Quantity: q, Action: nhip.ActionExclude, Time: day.AddDate(0, 0, 2),
		From: day.Add(time.Duration(from) * time.Hour), To: day.Add(time.Duration(to) * time.Hour),
	}
}

// changes returns the number of means of an average that change, and the last one.
func (e *Effect) changes(q nhip.Quantity, a limits.Average) (n int, last MeanChange) {
	for _, m := range e.Means {
		if m.Quantity == q && m.Average == a {
			n, last = n+1, m
		}
	}
	return n, last
}

func TestEffectOfAStrike(t *testing.T) {
	e := Of(input(strike(8, 14, "")))
	if e.Values != 12 {
		t.Errorf("%d values", e.Values)
	}
	if n, last := e.changes(nhip.PM25, limits.AverageHour); n != 6 || last.Before != nhip.Some(60.0) ||
		last.After.Known() || last.Limit.Known() {
		t.Errorf("hours: %d, %+v", n, last)
	}
	n, day := e.changes(nhip.PM25, limits.AverageDay)
	if n != 1 || day.Before != nhip.Some(26.667) || day.After != nhip.Some(15.556) || day.AboveBefore || day.AboveAfter ||
		day.Limit != nhip.Some(45.0) {
		t.Errorf("days: %d, %+v", n, day)
	}
	if n, _ := e.changes(nhip.CO, limits.Average8h); n < 6 {
		t.Errorf("running means: %d", n)
	}
	var number [2]int
	for _, x := range e.Exceedances {
		if x.Before.Quantity == nhip.CO && x.Before.Average == limits.Average8h {
			number = [2]int{x.Before.Number, x.After.Number}
		}
	}
	if number[0] == 0 || number[1] >= number[0] {
		t.Errorf("exceedances of CO: %v", number)
	}
	if hourly, daily := e.indices(); daily != 0 || hourly < 6 { // the highest hour of CO stays
		t.Errorf("indices: %d hourly, %d daily", hourly, daily)
	}
	e = Of(input(strike(8, 16, nhip.CO)))
	if _, daily := e.indices(); daily != 1 {
		t.Errorf("without the highest hours: %+v", e.Indices)
	}
}

// indices returns the number of hourly and of daily indices that change.
func (e *Effect) indices() (hourly, daily int) {
	for _, x := range e.Indices {
		if x.Rule == "daily" {
			daily++
		} else {
			hourly++
		}
	}
	return hourly, daily
}

func TestEffectIsEmptyWhereNothingChanges(t *testing.T) {
	in := input(strike(8, 14, nhip.PM25))
	in.Reviews = []nhip.Review{strike(8, 14, "")} // which strikes them already
	in.Reviews[0].Time = in.Reviews[0].Time.Add(-time.Hour)
	if e := Of(in); e.Values != 0 || len(e.Means)+len(e.Indices)+len(e.Exceedances) != 0 || e.Means == nil {
		t.Errorf("struck twice: %+v", e)
	}
	in = input(strike(8, 14, ""))
	in.Change.Action = nhip.ActionAnnotate
	if e := Of(in); e.Values != 0 {
		t.Errorf("a remark: %+v", e)
	}
	if e := Of(&Input{Change: strike(1, 2, ""), Zone: zone}); e.Values != 0 {
		t.Errorf("no readings: %+v", e)
	}
}

func TestADayThatIsNotOverHasNoMean(t *testing.T) {
	in := input(strike(8, 10, ""))
	in.Now = time.Date(2026, 3, 2, 20, 0, 0, 0, zone)
	e := Of(in)
	if n, _ := e.changes(nhip.PM25, limits.AverageDay); n != 0 {
		t.Errorf("%+v", e.Means)
	}
	for _, x := range e.Indices {
		if x.Time.After(in.Now) {
			t.Errorf("an index of the future: %+v", x)
		}
	}
}
