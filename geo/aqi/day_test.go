package aqi

import (
	"math"
	"testing"

	"nhip"
)

// hoursOf returns n hours with the value v.
func hoursOf(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func TestDaysOf23And25HoursHaveTheirOwnHours(t *testing.T) {
	for _, length := range []int{23, 24, 25} {
		hours := hoursOf(length+EarlierHours, 40)
		hours[length-1] = 130 // the first hour of the day
		hours[length] = 900   // the last hour of the day before
		top := DailyMaxima(hours, length, DefaultCompleteness)
		if top.Hour != 130 || math.Abs(top.Eight-(900+130+6*40)/8.0) > 1e-9 || top.EightShare != 1 {
			t.Errorf("%d hours: %+v", length, top)
		}
		particles := hoursOf(length+EarlierHours, 30)
		for i := length; i < len(particles); i++ {
			particles[i] = 400 // not of this day
		}
		a, ok := DailyIndex(nhip.ScaleVNAQI, end, Hours{nhip.PM25: particles}, length, DefaultCompleteness)
		if !ok || a.Value != 60 || a.Capture != 100 {
			t.Errorf("%d hours: %+v", length, a)
		}
		need := int(math.Ceil(DefaultCompleteness * float64(length)))
		for present := need - 1; present <= need; present++ {
			for i := range length {
				if particles[i] = nan; i < present {
					particles[i] = 30
				}
			}
			_, ok := DailyIndex(nhip.ScaleVNAQI, end, Hours{nhip.PM25: particles}, length, DefaultCompleteness)
			if ok != (present >= need) {
				t.Errorf("%d of %d hours: index %t", present, length, ok)
			}
		}
	}
}

// TestEightHourRuleCountsEightHourMeans has a day with 17 of its 24 hours, too few for a daily mean, but 19 of its
// 8-hour means have six hours each.
func TestEightHourRuleCountsEightHourMeans(t *testing.T) {
	hours := hoursOf(dayHours+EarlierHours, 150)
	for i := range 7 {
		hours[i] = nan // the last seven hours of the day
	}
	top := DailyMaxima(hours, dayHours, DefaultCompleteness)
	if top.Eight != 150 || top.EightShare != 19.0/24 {
		t.Fatalf("%+v", top)
	}
	day := nhip.RollupStats{
		Mean: 150, Count: 17, Capture: 100 * 17.0 / 24, Flag: nhip.FlagNotEvaluated, Max8h: nhip.Some(top.Eight),
		Capture8h: nhip.Some(100 * top.EightShare),
	}
	for _, scale := range []nhip.Scale{nhip.ScaleUSEPA, nhip.ScaleWHO} {
		a, ok := DailyIndexOfStats(scale, end, map[nhip.Quantity]nhip.RollupStats{nhip.O3: day})
		if !ok || len(a.Sub) != 1 || a.Sub[0].Average != averageMax8h || a.Capture != 79.2 {
			t.Errorf("%s of statistics: %+v", scale, a)
		}
		of, ok := DailyIndex(scale, end, Hours{nhip.O3: hours}, dayHours, DefaultCompleteness)
		if !ok || of.Value != a.Value || of.Capture != a.Capture {
			t.Errorf("%s of hours: %+v", scale, of)
		}
	}
	hours[7], hours[8] = nan, nan // 17 8-hour means
	if top = DailyMaxima(hours, dayHours, DefaultCompleteness); !math.IsNaN(top.Eight) {
		t.Errorf("too few means: %+v", top)
	}
}

// TestRatiosRoundHalvesUp has concentrations whose ratio is a half of a hundredth, which binary arithmetic puts just
// below it.
func TestRatiosRoundHalvesUp(t *testing.T) {
	for _, c := range []struct {
		q       nhip.Quantity
		c, want float64
	}{
		{nhip.PM25, 15.075, 1.01},
		{nhip.PM25, 4.275, 0.29},
		{nhip.PM25, 15.0749, 1},
		{nhip.PM10, 45.225, 1.01},
		{nhip.NO2, 25.125, 1.01},
		{nhip.SO2, 40.2, 1.01},
		{nhip.CO, 4020, 1.01},
		{nhip.PM25, -3, 0},
	} {
		a, ok := HourlyIndex(nhip.ScaleWHO, end, Hours{c.q: hoursOf(dayHours, c.c)})
		if !ok || a.Value != c.want || math.Signbit(a.Value) {
			t.Errorf("%s %v: %v, want %v", c.q, c.c, a.Value, c.want)
		}
	}
}

func TestIndexNeedsTwoOfTheLastThreeHours(t *testing.T) {
	for _, c := range []struct {
		hours []float64
		ok    bool
	}{
		{[]float64{nan, 30, 30}, true},
		{[]float64{30, nan, 30}, true},
		{[]float64{30, 30, nan}, true},
		{[]float64{nan, nan, 30, 30, 30}, false},
		{[]float64{30, nan, nan, 30, 30}, false},
	} {
		if a, ok := HourlyIndex(nhip.ScaleVNAQI, end, Hours{nhip.PM25: c.hours}); ok != c.ok || ok && a.Value != 60 {
			t.Errorf("%v: %v %t", c.hours, a.Value, ok)
		}
	}
}
