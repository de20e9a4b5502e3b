package audit

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/limits"
	"nhip/geo/qc"
	"nhip/geo/report"
	"nhip/geo/rollup"
	"nhip/internal/suitetest"

	"github.com/paulmach/orb"
)

// madeUp returns some days of a made-up station with gaps, failed, suspect and excluded values, and what the packages
// that the platform uses compute of it.
func madeUp(seed uint64, zone *time.Location, from time.Time, days int, gaps float64) *Station {
	random := rand.New(rand.NewPCG(seed, 1))
	s := &Station{Zone: zone, Completeness: 0.75, From: from, To: from.AddDate(0, 0, days)}
	s.Until = s.To.Add(time.Hour)
	silent, flat, whole := 0, 0, false // hours that are left; all quantities are flat
	for at := from.UTC().Truncate(time.Hour).Add(-Lookback); at.Before(s.Until.Add(Lookahead)); at = at.Add(time.Hour) {
		if silent--; silent < 0 && random.Float64() < gaps/20 {
			silent = random.IntN(30)
		}
		if flat--; flat < 0 && random.Float64() < 0.04 {
			flat, whole = 5+random.IntN(15), random.Float64() < 0.5
		}
		for _, q := range []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.O3, nhip.CO, nhip.NO2, nhip.Humidity} {
			if silent > 0 || random.Float64() < gaps {
				continue
			}
			level := 60 + 50*math.Sin(float64(at.Unix())/40_000)
			if q == nhip.CO {
				level *= 100
			}
			if frozen := flat > 0 && (whole || q == nhip.NO2 || q == nhip.Humidity); frozen {
				s.addUnchanged(q, at)
				continue
			}
			for i := range 4 {
				v := math.Round(10*level*(0.9+0.2*random.Float64())) / 10
				if q == nhip.PM10 {
					v += 170 // PM2.5 is a part of it
				}
				switch p := random.Float64(); {
				case q == nhip.Humidity:
					v = min(v, 100)
				case p < 0.02:
					v = 9000 // fails
				case p < 0.03:
					v = -3
				case p < 0.04:
					v = 0
				case p < 0.05:
					v *= 4
				}
				s.Readings = append(s.Readings, Reading{
					Quantity: q, Time: at.Add(time.Duration(i+1) * 15 * time.Minute), Period: 15 * time.Minute, Raw: v,
					Device: nhip.FlagGood,
				})
			}
		}
	}
	s.assess(random)
	for _, quality := range []nhip.Quality{nhip.QualityAutomatic, nhip.QualityReviewed} {
		s.Served = append(s.Served, s.serve(quality))
	}
	return s
}

// addUnchanged adds an hour of the last value of a quantity.
func (s *Station) addUnchanged(q nhip.Quantity, at time.Time) {
	for i := len(s.Readings) - 1; i >= 0; i-- {
		if x := s.Readings[i]; x.Quantity == q {
			for k := range 4 {
				x.Time = at.Add(time.Duration(k+1) * 15 * time.Minute)
				s.Readings = append(s.Readings, x)
			}
			return
		}
	}
}

// assess makes the automatic checks, and excludes some readings by staff.
func (s *Station) assess(random *rand.Rand) {
	var all []qc.Series
	var of [][]int
	for i := range s.Readings {
		x := &s.Readings[i]
		k := slices.IndexFunc(all, func(o qc.Series) bool { return o.Quantity == x.Quantity })
		if k < 0 {
			k = len(all)
			all, of = append(all, qc.Series{Quantity: x.Quantity, Period: x.Period}), append(of, nil)
		}
		all[k].Samples = append(all[k].Samples, qc.Sample{At: x.Time.UnixMilli(), Value: x.Raw, Device: x.Device})
		of[k] = append(of[k], i)
	}
	qc.NewRules().EvaluateStation(qc.ClassLowCost, nhip.Opt[orb.Point]{}, all, 0, func(k, j int, r qc.Result) {
		x := &s.Readings[of[k][j]]
		x.Flag, x.Tests, x.FinalFlag = r.Flag, r.Tests(), r.Flag
		if x.Flag != nhip.FlagFail {
			x.Corrected, x.Final = nhip.Some(x.Raw), nhip.Some(x.Raw)
		}
		if random.Float64() < 0.03 {
			x.FinalFlag, x.Final = nhip.FlagFail, nhip.Opt[float64]{}
		}
	})
}

// serve returns what the platform's packages compute.
func (s *Station) serve(quality nhip.Quality) Served {
	out := Served{Quality: quality}
	values := make(map[nhip.Quantity]map[int64][]rollup.Value)
	for _, x := range s.Readings {
		end := x.Time.Add(time.Hour - 1).Truncate(time.Hour).Unix()
		if values[x.Quantity] == nil {
			values[x.Quantity] = make(map[int64][]rollup.Value)
		}
		v := rollup.Value{Value: x.Raw, Flag: x.Flag}
		if quality == nhip.QualityReviewed {
			v.Flag = x.FinalFlag
		}
		values[x.Quantity][end] = append(values[x.Quantity][end], v)
	}
	hours := make(map[nhip.Quantity]map[int64]nhip.RollupStats)
	for q, byEnd := range values {
		hours[q] = make(map[int64]nhip.RollupStats)
		for end, of := range byEnd {
			stats, _ := rollup.FromValues(of, 4, 0.75)
			hours[q][end] = stats
			out.add(q, nhip.PeriodHour, time.Unix(end, 0), stats)
		}
	}
	first := s.From.UTC().Add(time.Hour - 1).Truncate(time.Hour)
	for end := first.Add(time.Hour); !end.Add(-time.Hour).Add(1).After(s.To); end = end.Add(time.Hour) {
		of := make(aqi.Hours)
		for q := range hours {
			of[q] = window(hours[q], end, 24)
		}
		out.index(func(scale nhip.Scale) (nhip.AQI, bool) { return aqi.HourlyIndex(scale, end, of) })
	}
	series := make(map[nhip.Quantity]*report.Series)
	for i := 0; s.From.AddDate(0, 0, i).Before(s.To); i++ {
		s.serveDay(&out, hours, series, s.From.AddDate(0, 0, i), s.From.AddDate(0, 0, i+1))
	}
	for q := range hours {
		if series[q] == nil {
			series[q] = new(report.Series)
		}
		for end := first.Add(-8 * time.Hour); end.Before(s.Until.Add(time.Hour)); end = end.Add(time.Hour) {
			if h, ok := hours[q][end.Unix()]; ok && h.Complete() {
				series[q].Hours = append(series[q].Hours, report.Mean{End: end, Value: h.Mean})
			}
		}
		out.Exceedances = append(out.Exceedances, report.Exceedances(q, *series[q], s.From, s.To, 0.75)...)
	}
	return out
}

// serveDay adds the roll-ups and the indices of a local day.
func (s *Station) serveDay(out *Served, hours map[nhip.Quantity]map[int64]nhip.RollupStats,
	series map[nhip.Quantity]*report.Series, begin, end time.Time,
) {
	up := func(t time.Time) time.Time { return t.UTC().Add(time.Hour - 1).Truncate(time.Hour) }
	length := int(up(end).Sub(up(begin)) / time.Hour)
	stats := make(map[nhip.Quantity]nhip.RollupStats)
	for q, byEnd := range hours {
		var of []nhip.RollupStats
		for i := range length {
			if h, ok := byEnd[up(begin).Add(time.Duration(i+1)*time.Hour).Unix()]; ok {
				of = append(of, h)
			}
		}
		day, ok := rollup.FromHours(of, length, 0.75)
		if !ok {
			continue
		}
		top := aqi.DailyMaxima(window(byEnd, up(end), length+aqi.EarlierHours), length, 0.75)
		if !math.IsNaN(top.Hour) {
			day.Max1h = nhip.Some(top.Hour)
		}
		if !math.IsNaN(top.Eight) {
			day.Max8h = nhip.Some(top.Eight)
		}
		stats[q] = day
		out.add(q, nhip.PeriodDay, end, day)
		if day.Complete() {
			if series[q] == nil {
				series[q] = new(report.Series)
			}
			series[q].Days = append(series[q].Days, report.Mean{End: end.UTC(), Value: day.Mean})
		}
	}
	out.index(func(scale nhip.Scale) (nhip.AQI, bool) { return aqi.DailyIndexOfStats(scale, end, stats) })
}

// window returns n hours up to an END, newest first.
func window(hours map[int64]nhip.RollupStats, end time.Time, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
		if h, ok := hours[end.Add(-time.Duration(i)*time.Hour).Unix()]; ok && h.Complete() {
			out[i] = h.Mean
		}
	}
	return out
}

func (v *Served) add(q nhip.Quantity, period string, end time.Time, stats nhip.RollupStats) {
	v.Rollups = append(v.Rollups, nhip.Rollup{
		Quantity: q, Period: period, Quality: v.Quality, Time: end.UTC(), RollupStats: stats,
	})
}

func (v *Served) index(of func(nhip.Scale) (nhip.AQI, bool)) {
	for _, scale := range aqi.Scales() {
		if x, ok := of(scale); ok {
			v.Indices = append(v.Indices, x)
		}
	}
}

// TestTwoImplementationsAgree audits made-up weeks in zones with all kinds of days.
func TestTwoImplementationsAgree(t *testing.T) {
	type span struct {
		zone string
		from time.Time
	}
	spans := []span{
		{"Asia/Ho_Chi_Minh", time.Date(2025, 12, 26, 0, 0, 0, 0, time.UTC)}, // the limit of PM2.5 changes
		{"Europe/Berlin", time.Date(2026, 3, 25, 0, 0, 0, 0, time.UTC)},     // a day of 23 hours
		{"Europe/Berlin", time.Date(2025, 10, 22, 0, 0, 0, 0, time.UTC)},    // 25
		{"Australia/Lord_Howe", time.Date(2025, 10, 2, 0, 0, 0, 0, time.UTC)},
		{"Asia/Kolkata", time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)},
		{"Asia/Kathmandu", time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)},
	}
	for i, at := range spans {
		zone, err := time.LoadLocation(at.zone)
		if err != nil {
			t.Fatal(err)
		}
		y, m, d := at.from.Date()
		for k, gaps := range []float64{0, 0.05, 0.25, 0.5} {
			if !suitetest.Full() && k%2 != i%2 {
				continue
			}
			for seed := range uint64(suitetest.Pick(1, 10)) {
				s := madeUp(100*uint64(i)+10*uint64(k)+seed, zone, time.Date(y, m, d, 0, 0, 0, 0, zone), 9, gaps)
				r := Run(s)
				for i := range r.Differences {
					t.Errorf("%s, gaps %v, seed %d: %s", at.zone, gaps, seed, r.Differences[i].String())
				}
				if r.Flags < 100 || r.Rollups < 100 || r.Indices < 100 || r.Exceedances < 10 {
					t.Errorf("%s, gaps %v: compared only %d, %d, %d, %d", at.zone, gaps, r.Flags, r.Rollups, r.Indices, r.Exceedances)
				}
			}
		}
	}
}

// TestEveryAlterationIsFound alters one number after another.
func TestEveryAlterationIsFound(t *testing.T) {
	zone := time.FixedZone("", 7*3600)
	from := time.Date(2026, 1, 3, 0, 0, 0, 0, zone)
	pick := func(s *Station, period string) *nhip.Rollup {
		for i := range s.Served[0].Rollups {
			if x := &s.Served[0].Rollups[i]; x.Period == period && x.Count > 0 && x.Time.After(from.Add(30*time.Hour)) &&
				!x.Time.After(s.To) {
				return x
			}
		}
		t.Fatal("no", period)
		return nil
	}
	for _, c := range []struct {
		kind  string
		alter func(*Station)
	}{
		{"1h mean", func(s *Station) { pick(s, nhip.PeriodHour).Mean += 0.01 }},
		{"1h count", func(s *Station) { pick(s, nhip.PeriodHour).Count++ }},
		{"1h flag", func(s *Station) { pick(s, nhip.PeriodHour).Flag = nhip.FlagMissing }},
		{"1d p98", func(s *Station) { pick(s, nhip.PeriodDay).P98 += 0.01 }},
		{"1d max", func(s *Station) { pick(s, nhip.PeriodDay).Max += 0.01 }},
		{"1d capture_pct", func(s *Station) { pick(s, nhip.PeriodDay).Capture -= 1 }},
		{"1d row", func(s *Station) { pick(s, nhip.PeriodDay).Quantity = nhip.SO2 }},
		{"index VN_AQI hourly", func(s *Station) { s.Served[0].Indices[0].Value++ }},
		{"index US_EPA hourly", func(s *Station) { s.Served[0].Indices[1].Scale = "none" }},
		{"exceedance 24h number", func(s *Station) { s.exceedanceOf(limits.AverageDay).Number++ }},
		{"exceedance 8h capture_pct", func(s *Station) { s.exceedanceOf(limits.Average8h).Capture++ }},
		{"1h mean", func(s *Station) { pick(s, nhip.PeriodHour).Mean = math.NaN() }},
		{"1h capture_pct", func(s *Station) { pick(s, nhip.PeriodHour).Capture = math.NaN() }},
		{"index VN_AQI hourly category", func(s *Station) { s.Served[0].Indices[0].Category.Number++ }},
		{"index VN_AQI hourly dominant", func(s *Station) { s.Served[0].Indices[0].Dominant = nhip.SO2 }},
		{"index VN_AQI hourly nowcast", func(s *Station) { s.Served[0].Indices[0].Sub[0].Value += 2 }},
		{"index US_EPA hourly 1h", func(s *Station) { s.Served[0].Indices[1].Sub[0].Average = "1h" }},
		{"index US_EPA hourly", func(s *Station) {
			x := s.Served[0].Indices[1]
			x.Time = x.Time.Add(30 * time.Minute)
			s.Served[0].Indices = append(s.Served[0].Indices, x)
		}},
		{"exceedance 24h longest_hours", func(s *Station) { s.exceedanceOf(limits.AverageDay).Longest += 24 }},
		{"exceedance 24h limit", func(s *Station) { s.exceedanceOf(limits.AverageDay).Limit++ }},
		{"exceedance 1h max_time", func(s *Station) {
			x := s.exceedanceOf(limits.AverageHour)
			x.MaxTime = nhip.Some(x.MaxTime.Or(from).Add(time.Hour))
		}},
		{"exceedance 1h max", func(s *Station) { s.exceedanceOf(limits.AverageHour).Max = nhip.Opt[float64]{} }},
		{"exceedance 1h number", func(s *Station) {
			s.Served[0].Exceedances = append(s.Served[0].Exceedances, report.Exceedance{
				Quantity: nhip.SO2, Average: limits.AverageHour, Number: 1,
			})
		}},
		{"exceedance 1h hours", func(s *Station) { s.exceedanceOf(limits.AverageHour).Hours++ }},
		{"flag negative", func(s *Station) { s.altered(nhip.PM25).Raw = -3 }},
		{"flag rate_of_change", func(s *Station) { s.altered(nhip.O3).Raw = 1100 }},
		{"flag spike", func(s *Station) { s.altered(nhip.NO2).Raw = 700 }},
		{"flag device_status", func(s *Station) { s.altered(nhip.O3).Device = nhip.FlagFail }},
		{"flag zero", func(s *Station) { s.altered(nhip.NO2).Raw = 0 }},
		{"flag gross_range", func(s *Station) { s.altered(nhip.PM25).Raw = 5000 }},
		{"flag particle_order", func(s *Station) { s.altered(nhip.PM25).Raw = 590 }},
		{"flag flat_line", func(s *Station) { s.flagged("flat_line=").Tests = "" }},
		{"flag frozen_feed", func(s *Station) { s.flagged("frozen_feed=").Tests = "" }},
		{"flag humidity", func(s *Station) { s.flagged("humidity=").Tests = "" }},
		{"flag worst", func(s *Station) { s.altered(nhip.PM25).Flag = nhip.FlagFail }},
	} {
		s := madeUp(8, zone, from, 6, 0)
		c.alter(s)
		found := false
		for _, d := range Run(s).Differences {
			found = found || strings.HasPrefix(d.Kind+" "+d.What, c.kind)
		}
		if !found {
			t.Errorf("an altered %s is not found", c.kind)
		}
	}
}

func (s *Station) exceedanceOf(a limits.Average) *report.Exceedance {
	for i := range s.Served[0].Exceedances {
		if x := &s.Served[0].Exceedances[i]; x.Average == a {
			return x
		}
	}
	return nil
}

// flagged returns a reading after the first day of the span that a check flagged.
func (s *Station) flagged(check string) *Reading {
	for i := range s.Readings {
		if x := &s.Readings[i]; strings.Contains(x.Tests, check) && x.Time.After(s.From.AddDate(0, 0, 1)) {
			return x
		}
	}
	panic("no reading is flagged by " + check)
}

// altered returns a good reading of a quantity, after the first day of the span.
func (s *Station) altered(q nhip.Quantity) *Reading {
	for i := range s.Readings {
		if x := &s.Readings[i]; x.Quantity == q && x.Flag == nhip.FlagGood && x.Time.After(s.From.AddDate(0, 0, 1)) {
			return x
		}
	}
	return nil
}

// TestSpikesOfDenseReadingsAreTakenAsStored audits readings each 20 s, of which the running check compares a selection.
// Other checks are repeated.
func TestSpikesOfDenseReadingsAreTakenAsStored(t *testing.T) {
	from := time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)
	s := &Station{Zone: time.UTC, Completeness: 0.75, From: from, To: from.AddDate(0, 0, 1), Until: from.AddDate(0, 0, 1)}
	random := rand.New(rand.NewPCG(5, 1))
	for at := from.Add(20 * time.Second); !at.After(s.To); at = at.Add(20 * time.Second) {
		v := math.Round(40 + 5*random.NormFloat64())
		if random.Float64() < 0.3 {
			v += 120
		}
		s.Readings = append(s.Readings, Reading{
			Quantity: nhip.PM25, Time: at, Period: 20 * time.Second, Raw: v, Device: nhip.FlagGood,
		})
	}
	s.assess(random)
	r := Run(s)
	if r.Flags != len(s.Readings) || len(r.Differences) > 0 {
		t.Errorf("%d flags of %d, %d differences", r.Flags, len(s.Readings), len(r.Differences))
	}
	s.Readings[100].Raw = 5000
	if r := Run(s); len(r.Differences) == 0 {
		t.Error("an altered dense reading is not found")
	}
}
