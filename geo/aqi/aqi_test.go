package aqi

import (
	"math"
	"testing"
	"time"

	"nhip"

	"github.com/google/go-cmp/cmp"
)

var end = time.Date(2019, 11, 12, 13, 0, 0, 0, time.UTC)

var nan = math.NaN()

// reversed reverses hours that are listed oldest first.
func reversed(hours ...float64) []float64 {
	out := make([]float64, len(hours))
	for i, c := range hours {
		out[len(hours)-1-i] = c
	}
	return out
}

func TestNowCast(t *testing.T) {
	for _, c := range []struct {
		name   string
		hours  []float64 // oldest first
		want   float64
		exists bool
	}{
		{
			"example of the Decision",
			[]float64{26.9, 24.7, 20.5, 23.5, 19.5, 16.5, 19, 16.5, 20.3, 22.4, 19.6, 20.6},
			20.3,
			true,
		},
		{
			"one of the last three hours is missing",
			[]float64{34.9, 43, 50, 64.9, 69.2, 66.2, 53.7, 48.6, 49.2, 35, nan, 21},
			28.4, true,
		},
		{
			"two of the last three hours are missing",
			[]float64{34.9, 43, 50, 64.9, 69.2, 66.2, 53.7, 48.6, 49.2, 35, nan, nan},
			0, false,
		},
		{"constant", []float64{20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20}, 20, true},
		{"all zero", []float64{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0, true},
		{"two hours are enough", []float64{10, 10}, 10, true},
		{"normalised where hours are missing", []float64{nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, 40, 10}, 20, true},
		{"no hours", nil, 0, false},
	} {
		got, ok := NowCast(reversed(c.hours...))
		if ok != c.exists || math.Abs(got-c.want) > 0.06 {
			t.Errorf("%s: %v %t, want %v %t", c.name, got, ok, c.want, c.exists)
		}
	}
}

// subs returns the rounded sub-indices by quantity and average.
func subs(a nhip.AQI) map[string]float64 {
	out := make(map[string]float64)
	for _, s := range a.Sub {
		out[string(s.Quantity)+" "+s.Average] = s.Value
	}
	return out
}

// The Decision prints 60 for the hourly mean of 118.7 µg/m³ NO2, which is a misprint: its own formula gives 59.35.
func TestHourlyIndexMatchesDecisionExample(t *testing.T) {
	a, ok := HourlyIndex(nhip.ScaleVNAQI, end, Hours{
		nhip.O3: {136.1}, nhip.NO2: {118.7},
		nhip.PM25: reversed(26.9, 24.7, 20.5, 23.5, 19.5, 16.5, 19, 16.5, 20.3, 22.4, 19.6, 20.6),
	})
	if want := map[string]float64{"o3 1h": 43, "no2 1h": 59, "pm25 nowcast": 41}; !ok || !cmp.Equal(subs(a), want) {
		t.Errorf("sub-indices: %s", cmp.Diff(want, subs(a)))
	}
	if a.Value != 59 || a.Dominant != nhip.NO2 || a.Category.Name.Vi != "Trung bình" || a.Category.Color != "#FFFF00" ||
		a.Capture != 100 || !a.Time.Equal(end) {
		t.Errorf("hourly index: %+v", a)
	}
}

func TestDailyIndexMatchesDecisionExample(t *testing.T) {
	flat := func(v float64, hours int) []float64 {
		out := make([]float64, hours)
		for i := range out {
			out[i] = v
		}
		return out
	}
	no2 := flat(20, dayHours+EarlierHours)
	no2[5] = 130.8
	ozone := flat(89.3, dayHours+EarlierHours)
	ozone[3] = 114.6
	for i := 4; i < 11; i++ { // the highest 8-hour mean stays 89.3
		ozone[i] = 89.3 - (114.6-89.3)/7
	}
	a, ok := DailyIndex(nhip.ScaleVNAQI, end, Hours{nhip.PM25: flat(55.7, dayHours), nhip.NO2: no2, nhip.O3: ozone},
		dayHours, DefaultCompleteness)
	want := map[string]float64{"o3 max_8h": 45, "o3 max_1h": 36, "no2 max_1h": 65, "pm25 24h": 110}
	if got := subs(a); !ok || !cmp.Equal(got, want) {
		t.Errorf("sub-indices: %s", cmp.Diff(want, got))
	}
	if a.Value != 110 || a.Dominant != nhip.PM25 || a.Category.Number != 3 {
		t.Errorf("daily index: %+v", a)
	}
}

// The Decision prints 44.7 for the mean that ends at 12:00, but its hourly values give 44.64.
func TestEightHourMeansMatchDecisionExample(t *testing.T) {
	hours := reversed(15.7, 14.2, 17.7, 18.9, 19.3, 15.7, 19.7, 22.6, 27.1, 29.0, 31.9, 25.3, 34.7, 35.2, 41.6, 45.7,
		49.2, 55.8, 69.6, 78.3, 91.5, 97.7, 81.2, 71.8, 43.5, 34.3, 21.5, 20.5, 19.4, 20.4, 21.3)
	printed := []float64{
		18.0, 19.4, 21.2, 23.0, 23.8, 25.8, 28.2, 30.9, 33.8, 36.6, 39.9, 44.7, 51.3, 58.4, 66.2, 71.1,
		74.4, 73.7, 71.0, 65.0, 57.8, 48.7, 39.1, 31.6,
	}
	const slip = 11
	for i, want := range printed {
		got, _, ok := mean(hours[dayHours-1-i:], eightHours, DefaultCompleteness)
		if i == slip {
			want = 44.64
		}
		if !ok || math.Abs(got-want) > 0.051 {
			t.Errorf("the mean that ends at %d:00 is %v, want %v", i+1, got, want)
		}
	}
	top, share, ok := maxMean(hours, eightHours, dayHours, DefaultCompleteness)
	if !ok || math.Abs(top-74.4) > 0.05 || share != 1 {
		t.Errorf("highest mean %v from %v of the day", top, share)
	}
}

func TestVNAQIHasNoGapsAndEndsAt500(t *testing.T) {
	for _, c := range []struct {
		q        nhip.Quantity
		c        float64
		value    float64
		category string
	}{
		{nhip.PM25, -4, 0, "Tốt"},
		{nhip.PM25, 25, 50, "Tốt"},
		{nhip.PM25, 25.2, 50, "Tốt"}, // 50.4 rounds down, and the category follows the rounded number
		{nhip.PM25, 25.25, 51, "Trung bình"},
		{nhip.PM25, 35.4, 71, "Trung bình"},
		{nhip.PM25, 65, 125, "Kém"},
		{nhip.PM25, 150, 200, "Xấu"},
		{nhip.PM25, 250, 300, "Rất xấu"},
		{nhip.PM25, 500, 500, "Nguy hại"},
		{nhip.PM25, 9000, 500, "Nguy hại"},
		{nhip.PM10, 600, 500, "Nguy hại"},
	} {
		a, ok := HourlyIndex(nhip.ScaleVNAQI, end, Hours{c.q: {c.c, c.c}})
		if !ok || a.Value != c.value || a.Category.Name.Vi != c.category {
			t.Errorf("%s %v: %v %q, want %v %q", c.q, c.c, a.Value, a.Category.Name.Vi, c.value, c.category)
		}
	}
}

func TestVNAQIRequiresParticles(t *testing.T) {
	if a, ok := HourlyIndex(nhip.ScaleVNAQI, end, Hours{nhip.O3: {136}, nhip.NO2: {100}}); ok {
		t.Errorf("VN_AQI without PM2.5 and PM10: %+v", a)
	}
	if a, ok := HourlyIndex(nhip.ScaleUSEPA, end, Hours{nhip.NO2: {100}}); !ok || a.Value != 50 ||
		a.Scale != nhip.ScaleUSEPA {
		t.Errorf("US AQI: %+v", a)
	}
}

func TestEightHourOzoneAbove400UsesOneHourColumn(t *testing.T) {
	day := make([]float64, dayHours+EarlierHours)
	particles := make([]float64, dayHours+EarlierHours)
	for i := range day {
		day[i] = 410
	}
	a, _ := DailyIndex(nhip.ScaleVNAQI, end, Hours{nhip.O3: day, nhip.PM25: particles}, dayHours, DefaultCompleteness)
	if want := map[string]float64{"o3 max_1h": 203, "pm25 24h": 0}; !cmp.Equal(subs(a), want) {
		t.Errorf("sub-indices: %s", cmp.Diff(want, subs(a)))
	}
}

func TestDailyIndexRequiresCompleteness(t *testing.T) {
	day := make([]float64, dayHours)
	for i := range day {
		if day[i] = 30; i >= 18 {
			day[i] = nan
		}
	}
	a, ok := DailyIndex(nhip.ScaleVNAQI, end, Hours{nhip.PM25: day}, dayHours, DefaultCompleteness)
	if !ok || a.Value != 60 || a.Capture != 75 {
		t.Errorf("18 of 24 hours: %+v", a)
	}
	day[0] = nan
	if a, ok := DailyIndex(nhip.ScaleVNAQI, end, Hours{nhip.PM25: day}, dayHours, DefaultCompleteness); ok {
		t.Errorf("17 of 24 hours: %+v", a)
	}
	if _, ok := DailyIndex(nhip.ScaleVNAQI, end, Hours{nhip.PM25: day}, dayHours, 0.5); !ok {
		t.Error("no index of 17 hours with a completeness of 0.5")
	}
}

func TestUSAQI(t *testing.T) {
	ppb := func(q nhip.Quantity, v float64) float64 {
		mass, _ := q.MolarMass()
		return v * mass / nhip.MolarVolume
	}
	for _, c := range []struct {
		q    nhip.Quantity
		c    float64
		want float64
	}{
		{nhip.PM25, 9.0, 50},
		{nhip.PM25, 9.09, 50},
		{nhip.PM25, 9.1, 51},
		{nhip.PM25, 35.4, 100},
		{nhip.PM25, 35.49, 100},
		{nhip.PM25, 125.4, 200},
		{nhip.PM25, 400, 500},
		{nhip.PM10, 154.9, 100},
		{nhip.NO2, ppb(nhip.NO2, 100), 100},
		{nhip.SO2, ppb(nhip.SO2, 75), 100},
		{nhip.CO, ppb(nhip.CO, 9400), 100},
		{nhip.O3, ppb(nhip.O3, 70), 100},
		{nhip.O3, ppb(nhip.O3, 210), 203}, // the 8-hour table ends, the 1-hour table continues
	} {
		hours := make([]float64, nowCastHours)
		for i := range hours {
			hours[i] = c.c
		}
		if a, ok := HourlyIndex(nhip.ScaleUSEPA, end, Hours{c.q: hours}); !ok || a.Value != c.want {
			t.Errorf("%s %v: %v, want %v", c.q, c.c, a.Value, c.want)
		}
	}
	if a, ok := HourlyIndex(nhip.ScaleUSEPA, end, Hours{nhip.PM25: {-3, -3}}); ok {
		t.Errorf("index of a negative NowCast: %+v", a)
	}
}

func TestRatioToWHOGuidelines(t *testing.T) {
	hours := make([]float64, dayHours)
	for i := range hours {
		hours[i] = 45
	}
	a, ok := HourlyIndex(nhip.ScaleWHO, end, Hours{nhip.PM25: hours, nhip.PM10: hours})
	if want := map[string]float64{"pm25 24h": 3, "pm10 24h": 1}; !ok || !cmp.Equal(subs(a), want) ||
		a.Category.Number != 2 {
		t.Errorf("%s\n%+v", cmp.Diff(want, subs(a)), a)
	}
}

func TestAdviceExistsForVNAQIOnly(t *testing.T) {
	for n := 1; n <= len(scales[nhip.ScaleVNAQI].categories); n++ {
		adv, ok := AdviceFor(&nhip.AQI{Scale: nhip.ScaleVNAQI, Category: nhip.AQICategory{Number: n}})
		for _, text := range []nhip.LocalizedText{adv.Effect, adv.Everyone, adv.Sensitive} {
			if !ok || text.Vi == "" || text.En == "" {
				t.Errorf("category %d: advice %+v", n, adv)
			}
		}
	}
	if _, ok := AdviceFor(&nhip.AQI{Scale: nhip.ScaleUSEPA, Category: nhip.AQICategory{Number: 1}}); ok {
		t.Error("VN_AQI advice for another scale")
	}
}

func BenchmarkCityHour(b *testing.B) {
	stations := make([]Hours, 400)
	for i := range stations {
		stations[i] = make(Hours)
		for _, q := range []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.O3, nhip.NO2, nhip.SO2, nhip.CO} {
			hours := make([]float64, nowCastHours)
			for h := range hours {
				hours[h] = float64(20 + (i*7+h*13)%60)
			}
			stations[i][q] = hours
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range stations {
			if _, ok := HourlyIndex(nhip.ScaleVNAQI, end, stations[i]); !ok {
				b.Fatal("no index")
			}
		}
	}
}
