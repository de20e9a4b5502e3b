package report

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"nhip"
	"nhip/geo/limits"

	"pgregory.net/rapid"
)

var hanoi = time.FixedZone("", 7*3600)

func days(from time.Time, values ...float64) []Mean {
	var out []Mean
	for i, v := range values {
		out = append(out, Mean{from.AddDate(0, 0, i+1).UTC(), v})
	}
	return out
}

func hoursFrom(from time.Time, values ...float64) []Mean {
	var out []Mean
	for i, v := range values {
		out = append(out, Mean{from.Add(time.Duration(i+1) * time.Hour).UTC(), v})
	}
	return out
}

func TestExceedancesUseLimitOfEachDay(t *testing.T) {
	from := time.Date(2025, 12, 30, 0, 0, 0, 0, hanoi)
	s := Series{Days: days(from, 48, 51, 48, 45, 46, 60)}
	got := Exceedances(nhip.PM25, s, from, from.AddDate(0, 0, 8), 0.75)
	want := []Exceedance{{
		Quantity: nhip.PM25, Average: limits.AverageDay, Limit: 45, Unit: "µg/m³", Number: 4, Evaluated: 6, Capture: 75,
		Hours: 96, Longest: 48,
		Max: nhip.Some(60.0), MaxTime: nhip.Some(from.AddDate(0, 0, 6).UTC()),
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

func TestExceedancesOfEightHourMean(t *testing.T) {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, hanoi)
	s := Series{Hours: hoursFrom(from, 100, 100, 100, 100, 100, 210, 210, 210, 210, 100, 100, 100)}
	got := Exceedances(nhip.O3, s, from, from.Add(12*time.Hour), 0.75)
	if len(got) != 2 || got[0].Average != limits.AverageHour || got[0].Number != 4 || got[0].Longest != 4 {
		t.Fatalf("%+v", got)
	}
	// From the seventh hour on, six or more of the eight hours exist: (5·100+2·210)/7 = 131.
	if e := got[1]; e.Average != limits.Average8h || e.Evaluated != 7 || e.Number != 6 || e.Max.Or(0) != 155 ||
		e.Limit != 120 {
		t.Errorf("%+v", e)
	}
}

func TestAnnualMeanRequiresCompleteness(t *testing.T) {
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, hanoi)
	whole := make([]float64, 274)
	for i := range whole {
		whole[i] = 30
	}
	year := func(n int) Exceedance {
		got := Exceedances(nhip.PM25, Series{Days: days(from, whole[:n]...)}, from, from.AddDate(1, 0, 0), 0.75)
		for _, e := range got {
			if e.Average == limits.AverageYear {
				return e
			}
		}
		return Exceedance{}
	}
	if e := year(274); e.Number != 1 || e.Evaluated != 1 || e.Capture != 75.1 || e.Hours != 8760 || e.Longest != 8760 {
		t.Errorf("274 days: %+v", e)
	}
	if e := year(273); e.Number != 0 || e.Evaluated != 0 || e.Capture != 74.8 || e.Max.Known() {
		t.Errorf("273 days: %+v", e)
	}
	if got := Exceedances(nhip.Humidity, Series{Days: days(from, 90)}, from, from.AddDate(0, 0, 1), 0.75); got != nil {
		t.Errorf("limits of humidity: %+v", got)
	}
}

// oneOf returns the row of an average.
func oneOf(t *testing.T, all []Exceedance, a limits.Average) Exceedance {
	t.Helper()
	for _, e := range all {
		if e.Average == a {
			return e
		}
	}
	t.Fatalf("no %s in %+v", a, all)
	return Exceedance{}
}

// TestEightHourMeanCountsWhicheverHoursAreMissing compares the running means with those of every eight hours, summed up
// by the definition, for any hours.
func TestEightHourMeanCountsWhicheverHoursAreMissing(t *testing.T) {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, hanoi)
	rapid.Check(t, func(t *rapid.T) {
		known := rapid.SliceOfN(rapid.Bool(), 30, 60).Draw(t, "known")
		var s Series
		for i, k := range known {
			if k {
				s.Hours = append(s.Hours, Mean{from.Add(time.Duration(i+1) * time.Hour).UTC(), float64(100 + i*37%60)})
			}
		}
		n := len(known) + 9
		var want, over int
		top := math.Inf(-1)
		for end := 1; end <= n; end++ {
			sum, count := 0.0, 0
			for h := end - 7; h <= end; h++ {
				if h >= 1 && h <= len(known) && known[h-1] {
					sum, count = sum+float64(100+(h-1)*37%60), count+1
				}
			}
			if count >= 6 {
				want++
				top = max(top, sum/float64(count))
				if sum > 120*float64(count) {
					over++
				}
			}
		}
		got := Exceedances(nhip.O3, s, from, from.Add(time.Duration(n)*time.Hour), 0.75)[1]
		if got.Evaluated != want || got.Number != over || want > 0 && math.Abs(got.Max.Or(0)-top) > 0.001 {
			t.Fatalf("%+v, want %d means, %d above, %v", got, want, over, top)
		}
	})
}

// TestExactlyTheLimitIsNotAboveIt has hours around 120 µg/m³ whose every eight have a mean of exactly that, and days
// around 45, in tenths that have no exact binary form.
func TestExactlyTheLimitIsNotAboveIt(t *testing.T) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, hanoi)
	random := rand.New(rand.NewPCG(1, 2))
	eight := make([]float64, 8)
	for i := 0; i < 8; i += 2 {
		by := float64(random.IntN(1190)) / 10
		eight[i], eight[i+1] = 120+by, 120-by
	}
	hours, same := make([]float64, 8760), make([]float64, 365)
	for i := range hours {
		hours[i] = eight[i%8]
	}
	for i := range same {
		same[i] = 45.1 - 0.1
	}
	s := Series{Hours: hoursFrom(from, hours...), Days: days(from, same...)}
	second := from.AddDate(0, 0, 1) // the first means have fewer than eight hours
	if e := oneOf(t, Exceedances(nhip.O3, s, second, from.AddDate(1, 0, 0), 0.75), limits.Average8h); e.Number != 0 ||
		e.Max.Or(0) != 120 {
		t.Errorf("8 hours: %+v", e)
	}
	if e := oneOf(t, Exceedances(nhip.PM25, s, from, from.AddDate(1, 0, 0), 0.75), limits.AverageDay); e.Number != 0 ||
		e.Evaluated != 365 {
		t.Errorf("days: %+v", e)
	}
	s.Hours[5000].Value += 0.01
	if e := oneOf(t, Exceedances(nhip.O3, s, second, from.AddDate(1, 0, 0), 0.75), limits.Average8h); e.Number != 8 ||
		e.Longest != 8 {
		t.Errorf("a hundredth above in one hour: %+v", e)
	}
}

// inZone loads a time zone.
func inZone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// TestMonthWithChangedClocks has a month with a day of 23, 25, 23.5 and 24.5 hours.
func TestMonthWithChangedClocks(t *testing.T) {
	for _, c := range []struct {
		zone  string
		month time.Month
		hours float64
	}{
		{"Europe/Berlin", time.March, 743},
		{"Europe/Berlin", time.October, 745},
		{"Australia/Lord_Howe", time.October, 743.5},
		{"Australia/Lord_Howe", time.April, 720.5},
		{"America/Santiago", time.September, 719}, // clocks skip midnight
		{"Asia/Kolkata", time.October, 744},
		{"Asia/Kathmandu", time.October, 744},
	} {
		zone := inZone(t, c.zone)
		from := time.Date(2025, c.month, 1, 0, 0, 0, 0, zone)
		to := from.AddDate(0, 1, 0)
		var s Series
		for end := from.UTC().Truncate(time.Hour).Add(-9 * time.Hour); end.Before(to.Add(9 * time.Hour)); {
			end = end.Add(time.Hour)
			s.Hours = append(s.Hours, Mean{end, 250})
		}
		n := 0
		for d := time.Date(2025, c.month, 2, 0, 0, 0, 0, zone); !d.After(to); n++ {
			s.Days = append(s.Days, Mean{d.UTC(), 150})
			d = time.Date(2025, c.month, 3+n, 0, 0, 0, 0, zone)
		}
		day := oneOf(t, Exceedances(nhip.NO2, s, from, to, 0.75), limits.AverageDay)
		if day.Number != n || day.Capture != 100 || day.Hours != c.hours || day.Longest != c.hours {
			t.Errorf("%s %s: %d days of %v hours: %+v", c.zone, c.month, n, c.hours, day)
		}
		hour := oneOf(t, Exceedances(nhip.NO2, s, from, to, 0.75), limits.AverageHour)
		if math.Abs(hour.Hours-c.hours) > 0.5 || hour.Capture != 100 || float64(hour.Number) != hour.Longest {
			t.Errorf("%s %s: hours %+v", c.zone, c.month, hour)
		}
	}
}

// TestHourBelongsToTheDayInWhichItBegins has a high hour from 23:30 to 0:30 in India: it counts on the first day only.
func TestHourBelongsToTheDayInWhichItBegins(t *testing.T) {
	india := inZone(t, "Asia/Kolkata")
	for i, want := range []int{1, 0} {
		from := time.Date(2026, 3, 1+i, 0, 0, 0, 0, india)
		s := Series{Hours: []Mean{{time.Date(2026, 3, 1, 19, 0, 0, 0, time.UTC), 500}}}
		e := oneOf(t, Exceedances(nhip.NO2, s, from, from.AddDate(0, 0, 1), 0.75), limits.AverageHour)
		if e.Number != want || e.Capture != []float64{4.2, 0}[i] {
			t.Errorf("day %d: %+v", i+1, e)
		}
	}
	if p := Diurnal([]Mean{{time.Date(2026, 3, 1, 19, 0, 0, 0, time.UTC), 5}}, india); p[23] != 5 {
		t.Errorf("profile %v", p)
	}
}

func TestPeriodWithoutMeansHasCaptureOfZero(t *testing.T) {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, hanoi)
	got := Exceedances(nhip.PM25, Series{}, from, from.AddDate(0, 0, 4), 0.75)
	if len(got) != 1 || got[0].Evaluated != 0 || got[0].Capture != 0 || got[0].Limit != 45 || got[0].Max.Known() ||
		got[0].MaxTime.Known() {
		t.Errorf("%+v", got)
	}
}

func TestYearsAreReal(t *testing.T) {
	from := time.Date(2023, 1, 1, 0, 0, 0, 0, hanoi)
	var s Series
	for d := range 365 + 366 {
		if d < 300 || d >= 365 {
			s.Days = append(s.Days, Mean{from.AddDate(0, 0, d+1).UTC(), 26})
		}
	}
	e := oneOf(t, Exceedances(nhip.PM25, s, from, from.AddDate(2, 0, 0), 0.75), limits.AverageYear)
	if e.Number != 2 || e.Hours != 8760+8784 || e.Longest != 8760+8784 || e.Capture != 91.1 {
		t.Errorf("%+v", e)
	}
}
