package qc

import (
	"math"
	"testing"
	"time"

	"nhip"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

const step = 5 * time.Minute

// midnight is the time of the first value of every test series.
var midnight = time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC).UnixMilli()

// steady returns a series without gaps.
func steady(q nhip.Quantity, period time.Duration, values ...float64) Series {
	s := Series{Quantity: q, Period: period}
	for i, v := range values {
		s.Samples = append(s.Samples, Sample{At: midnight + int64(i)*period.Milliseconds(), Value: v})
	}
	return s
}

// testsOf returns Result.Tests of each value of the first series.
func testsOf(class Class, all ...Series) []string {
	out := make([]string, len(all[0].Samples))
	NewRules().EvaluateStation(class, nhip.Some(orb.Point{105.8, 21}), all, 0, func(series, sample int, v Result) {
		if series == 0 {
			out[sample] = v.Tests()
		}
	})
	return out
}

func repeat(v float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func wave(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 30 + 5*math.Sin(float64(i)/7)
	}
	return out
}

func TestSingleValues(t *testing.T) {
	for _, c := range []struct {
		name  string
		class Class
		q     nhip.Quantity
		value float64
		want  string
	}{
		{"normal", ClassLowCost, nhip.PM25, 35, ""},
		{"broken fan", ClassLowCost, nhip.PM25, 999.9, "gross_range=4"},
		{"fire", ClassReference, nhip.PM25, 700, "gross_range=3"},
		{"beyond the instrument's range", ClassReference, nhip.PM25, 1200, "gross_range=4"},
		{"noise near zero", ClassReference, nhip.PM25, -2, "negative=3"},
		{"below the noise", ClassReference, nhip.PM25, -20, "gross_range=4,negative=3"},
		{"zero particles", ClassLowCost, nhip.PM25, 0, ""},
		{"zero ozone", ClassReference, nhip.O3, 0, "zero=3"},
		{"frost in Hanoi", ClassReference, nhip.Temperature, -12, "gross_range=3"},
	} {
		if got := testsOf(c.class, steady(c.q, step, c.value))[0]; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSpikeIsFlaggedWithoutItsNeighbours(t *testing.T) {
	got := testsOf(ClassLowCost, steady(nhip.PM25, step, 16, 17, 300.8, 16, 15, 90, 17, 18))
	if want := []string{"", "", "spike=4", "", "", "spike=3", "", ""}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if got := testsOf(ClassReference, steady(nhip.PM25, time.Hour, 16, 17, 323, 16, 15)); got[2] != "spike=3" {
		t.Errorf("spike of hourly means: %q", got[2])
	}
	if got := testsOf(ClassLowCost, steady(nhip.PM25, step, 16, 17, 150, 160, 155, 150, 30)); !cmp.Equal(got,
		make([]string, 7)) {
		t.Errorf("step: %q", got)
	}
	apart := steady(nhip.PM25, step, 16, 300, 17)
	apart.Samples[2].At += 4 * step.Milliseconds()
	if got := testsOf(ClassLowCost, apart); got[1] != "" {
		t.Errorf("value before a gap: %q", got[1])
	}
}

func TestRateOfChangeIsPerMinute(t *testing.T) {
	if got := testsOf(ClassLowCost, steady(nhip.Temperature, step, 20, 34, 51)); !cmp.Equal(got, []string{
		"", "", "gross_range=3,rate_of_change=3",
	}) {
		t.Errorf("14 and 17 degrees in five minutes: %q", got)
	}
}

func TestFrozenFeed(t *testing.T) {
	stuck := steady(nhip.NO2, time.Hour, repeat(41, 6)...)
	got := testsOf(ClassReference, stuck, steady(nhip.SO2, time.Hour, repeat(12, 6)...))
	if got[3] != "" || got[4] != "frozen_feed=3" || got[5] != "frozen_feed=4" {
		t.Errorf("frozen feed: %q", got)
	}
	if got = testsOf(ClassReference, stuck); got[5] != "" {
		t.Errorf("frozen feed of one quantity: %q", got[5])
	}
}

func TestHumidityAffectsOpticalSensors(t *testing.T) {
	pm := steady(nhip.PM25, step, wave(3)...)
	wet := steady(nhip.Humidity, step, 90, 97, 96.5)
	if got, want := testsOf(ClassLowCost, pm, wet), []string{"", "humidity=3", "humidity=3"}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if got := testsOf(ClassReference, pm, wet); !cmp.Equal(got, make([]string, 3)) {
		t.Errorf("reference instrument: %q", got)
	}
	day := steady(nhip.PM25, step, wave(200)...)
	stuck := steady(nhip.Humidity, step, repeat(99.9, 200)...)
	if got := testsOf(ClassLowCost, day, stuck); got[199] != "" || got[20] != "" {
		t.Errorf("with a stuck hygrometer: %q and %q", got[199], got[20])
	}
}

func TestPM25AbovePM10IsSuspect(t *testing.T) {
	fine, coarse := steady(nhip.PM25, step, 30, 60), steady(nhip.PM10, step, 30, 40)
	for _, all := range [][]Series{{fine, coarse}, {coarse, fine}} {
		if got, want := testsOf(ClassLowCost, all...), []string{"", "particle_order=3"}; !cmp.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
	}
}

func TestChannelsThatDisagree(t *testing.T) {
	s := steady(nhip.PM25, step, 30, 30, 3)
	s.Samples[0].Channels = &[2]float64{28, 32}
	s.Samples[1].Channels = &[2]float64{15, 45}
	s.Samples[2].Channels = &[2]float64{1, 5}
	if got, want := testsOf(ClassLowCost, s), []string{"", "channels=3", ""}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestDeviceStatusAndLocation(t *testing.T) {
	s := steady(nhip.PM25, step, 30, 31, 32, 33)
	s.Samples[1].Device = nhip.FlagFail
	s.Samples[2].Device = nhip.FlagSuspect
	s.Samples[3].Point = &orb.Point{105.81, 21}
	if got, want := testsOf(ClassReference, s), []string{
		"", "device_status=4", "device_status=3",
		"location=3",
	}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestLocationOfStationWithoutKnownPlace(t *testing.T) {
	s := steady(nhip.PM25, step, 30, 31, 32, 33)
	for i, lon := range []float64{105.8, 105.8, 105.81, 105.81} {
		s.Samples[i].Point = &orb.Point{lon, 21}
	}
	var got []string
	NewRules().EvaluateStation(ClassLowCost, nhip.Opt[orb.Point]{}, []Series{s}, 0, func(_, _ int, v Result) {
		got = append(got, v.Tests())
	})
	if want := []string{"", "", "location=3", ""}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestCompareNeighbours(t *testing.T) {
	var sites []Site
	for i := range 8 {
		sites = append(sites, Site{Lat: 21 + float64(i)*0.003, Lon: 105.8, Elevation: unset})
	}
	sites = append(sites, Site{Lat: 22, Lon: 105.8, Elevation: unset})
	values := []float64{12, 13, 14, 15, 13, 12, 3.8, math.NaN(), 500}
	got := NewRules().Neighbourhood(nhip.PM25, sites).Compare(values)
	want := []nhip.Flag{1, 1, 1, 1, 1, 1, 4, 2, 2}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if got := NewRules().Neighbourhood(nhip.O3, sites).Compare(values); got[6] != nhip.FlagNotEvaluated {
		t.Errorf("flag %d for ozone, which has no neighbour check", got[6])
	}
}

func TestCheckNamesAndParameters(t *testing.T) {
	for c := range checks {
		if back, ok := ParseCheck(c.String()); !ok || back != c {
			t.Errorf("check %d has the name %q", c, c)
		}
		l := Disabled()
		for _, p := range c.Parameters() {
			if l.Fields()[p] == nil {
				t.Errorf("%s: unknown parameter %s", c, p)
			}
		}
	}
	if _, ok := ParseCheck("none"); ok {
		t.Error("unknown check was parsed")
	}
}

func BenchmarkReading(b *testing.B) {
	all := []Series{
		steady(nhip.PM25, step, wave(288)...), steady(nhip.PM10, step, wave(288)...), steady(nhip.NO2, step, wave(288)...),
		steady(nhip.SO2, step, wave(288)...), steady(nhip.O3, step, wave(288)...), steady(nhip.Humidity, step, wave(288)...),
	}
	r := NewRules()
	last := all[0].Samples[286].At // the last but one value of each series is checked again for a spike
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		r.EvaluateStation(ClassLowCost, nhip.Opt[orb.Point]{}, all, last, func(int, int, Result) { n++ })
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/reading")
}
