package sim

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

func newAirField(seed uint64) *airField { return &airField{seed: seed, plane: newPlane(cityCenter)} }

// spans are the possible values of the air in Hanoi, all year and anywhere in the city.
var spans = map[nhip.Quantity][2]float64{
	nhip.PM25: {3, 260}, nhip.PM10: {8, 420}, nhip.SO2: {1, 80}, nhip.NO2: {3, 200}, nhip.CO: {350, 5000},
	nhip.O3: {2, 200}, nhip.Temperature: {5, 42}, nhip.Humidity: {25, 100},
}

func TestAirIsInRangeAndSmooth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newAirField(rapid.Uint64().Draw(t, "seed"))
		when := time.Unix(rapid.Int64Range(1_500_000_000, 1_900_000_000).Draw(t, "time"), 0)
		p := orb.Point{rapid.Float64Range(105.70, 105.95).Draw(t, "lon"), rapid.Float64Range(20.90, 21.15).Draw(t, "lat")}
		now, later, beside := s.at(p, when), s.at(p, when.Add(5*time.Minute)), s.at(orb.Point{p[0] + 0.001, p[1]}, when)
		for q, span := range spans {
			v := now[q]
			if !(v >= span[0] && v <= span[1]) {
				t.Fatalf("%s is %f", q, v)
			}
			for _, w := range []float64{later[q], beside[q]} {
				if math.Abs(w-v) > 0.12*v+2 {
					t.Fatalf("%s jumps from %f to %f", q, v, w)
				}
			}
		}
	})
}

// series returns hourly values of a quantity in the city's centre.
func series(s *airField, q nhip.Quantity, days int) []float64 {
	var list []float64
	for h := range days * 24 {
		list = append(list, s.at(cityCenter, at(0, 0).Add(time.Duration(h)*time.Hour))[q])
	}
	return list
}

func meanAt(list []float64, hours ...int) float64 {
	sum, n := 0.0, 0
	for i, v := range list {
		if slices.Contains(hours, i%24) {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n)
}

func TestAirInWinterMonth(t *testing.T) {
	for seed := range uint64(5) {
		s := newAirField(seed)
		pm := series(s, nhip.PM25, 30)
		mean := meanAt(pm, 0, 3, 6, 9, 12, 15, 18, 21)
		if mean < 30 || mean > 90 || slices.Max(pm) < 60 || slices.Max(pm)/slices.Min(pm) < 2 {
			t.Errorf("seed %d: PM2.5 is %.0f on average, from %.0f to %.0f", seed, mean, slices.Min(pm), slices.Max(pm))
		}
		if rush, noon := meanAt(pm, 7, 8, 9, 20, 21), meanAt(pm, 13, 14, 15); rush < 1.2*noon {
			t.Errorf("seed %d: PM2.5 is %.0f in the rush and %.0f in the afternoon", seed, rush, noon)
		}
		no2, o3 := series(s, nhip.NO2, 30), series(s, nhip.O3, 30)
		if meanAt(no2, 8, 18) < 1.3*meanAt(no2, 2, 3) {
			t.Errorf("seed %d: NO2 has no rush hour", seed)
		}
		if meanAt(o3, 13, 14) < 2*meanAt(o3, 2, 7, 21) {
			t.Errorf("seed %d: ozone has no peak in the afternoon", seed)
		}
		if r := correlation(pm, series(s, nhip.PM10, 30)); r < 0.9 {
			t.Errorf("seed %d: PM2.5 and PM10 correlate by %.2f", seed, r)
		}
		if r := correlation(no2, o3); r > -0.1 {
			t.Errorf("seed %d: NO2 and O3 correlate by %.2f", seed, r)
		}
		if r := correlation(series(s, nhip.Temperature, 30), series(s, nhip.Humidity, 30)); r > -0.3 {
			t.Errorf("seed %d: temperature and humidity correlate by %.2f", seed, r)
		}
	}
}

func correlation(a, b []float64) float64 {
	var ma, mb, saa, sbb, sab float64
	for i := range a {
		ma, mb = ma+a[i]/float64(len(a)), mb+b[i]/float64(len(b))
	}
	for i := range a {
		x, y := a[i]-ma, b[i]-mb
		saa, sbb, sab = saa+x*x, sbb+y*y, sab+x*y
	}
	return sab / math.Sqrt(saa*sbb)
}

func TestSummerIsCleaner(t *testing.T) {
	s := newAirField(3)
	mean := func(month time.Month) float64 {
		sum := 0.0
		for h := range 60 * 24 {
			sum += s.at(cityCenter, time.Date(2026, month, 1, h, 0, 0, 0, hanoi))[nhip.PM25]
		}
		return sum / (60 * 24)
	}
	if winter, summer := mean(time.December), mean(time.June); winter < 1.4*summer {
		t.Errorf("PM2.5 is %.0f in winter and %.0f in summer", winter, summer)
	}
}

func TestAirIsWorseNearSources(t *testing.T) {
	s := newAirField(1)
	crossroads, lake := orb.Point{105.8205, 21.0033}, orb.Point{105.8200, 21.0560}
	for _, q := range []nhip.Quantity{nhip.PM25, nhip.NO2, nhip.CO} {
		if c, l := s.at(crossroads, at(8, 0))[q], s.at(lake, at(8, 0))[q]; c < 1.15*l {
			t.Errorf("%s is %.0f at Ngã Tư Sở and %.0f on the lake", q, c, l)
		}
	}
}

func TestStationSpecs(t *testing.T) {
	ids := map[string]bool{}
	grades, faults := map[grade]int{}, map[fault]int{}
	for _, m := range stationSpecs {
		if ids[m.id] || m.name == "" {
			t.Errorf("station %q %q has no name or a duplicate id", m.id, m.name)
		}
		ids[m.id] = true
		grades[m.grade]++
		faults[m.fault]++
		if b := (orb.Bound{Min: orb.Point{105.7, 20.9}, Max: orb.Point{105.95, 21.15}}); !b.Contains(m.point) {
			t.Errorf("%s is outside the city", m.id)
		}
	}
	if len(stationSpecs) != DefaultStations || grades[reference] != 8 || faults[noFault] != 35 || len(faults) != 5 {
		t.Errorf("%d stations, grades %v, faults %v", len(stationSpecs), grades, faults)
	}
}

// dayOfReports returns the reports of a day of a low-cost monitor with a fault, and the number of missing reports.
func dayOfReports(t *testing.T, f fault) (list []map[nhip.Quantity]float64, missing int) {
	t.Helper()
	stations := newStations(len(stationSpecs), 1)
	s := stations[slices.IndexFunc(stations, func(s *station) bool { return s.fault == f && s.grade == lowCost })]
	for i := range int(24 * time.Hour / reportPeriod) {
		end := at(7, 5).Add(time.Duration(i) * reportPeriod)
		payload := s.report(newAirField(1), end)
		if payload == nil {
			missing++
			continue
		}
		values := map[nhip.Quantity]float64{}
		for _, r := range readings(t, nhip.Message{Topic: s.topic, Payload: payload}, end) {
			values[r.Quantity] = r.Value
		}
		list = append(list, values)
	}
	return list, missing
}

// repeatsAndJumps counts the values of a quantity that equal the previous one, and those that exceed five times it.
func repeatsAndJumps(list []map[nhip.Quantity]float64, q nhip.Quantity) (repeats, jumps int) {
	for i := 1; i < len(list); i++ {
		if list[i][q] == list[i-1][q] {
			repeats++
		}
		if list[i][q] > 5*list[i-1][q] {
			jumps++
		}
	}
	return repeats, jumps
}

func TestFaultsShowInReports(t *testing.T) {
	list, missing := dayOfReports(t, noFault)
	if repeats, jumps := repeatsAndJumps(list, nhip.PM25); repeats > 20 || jumps > 0 || missing > 0 {
		t.Errorf("without a fault: %d repeated values, %d jumps, %d missing reports", repeats, jumps, missing)
	}
	list, _ = dayOfReports(t, frozen)
	if repeats, _ := repeatsAndJumps(list, nhip.PM25); repeats < 280 {
		t.Errorf("frozen: %d repeated values", repeats)
	}
	if repeats, _ := repeatsAndJumps(list, nhip.Temperature); repeats > 100 {
		t.Errorf("frozen: %d repeated temperatures", repeats)
	}
	list, _ = dayOfReports(t, saturated)
	if repeats, _ := repeatsAndJumps(list, nhip.Humidity); repeats != len(list)-1 || list[0][nhip.Humidity] != 99.9 {
		t.Errorf("saturated: humidity %v %%", list[0][nhip.Humidity])
	}
	list, _ = dayOfReports(t, spiky)
	if _, jumps := repeatsAndJumps(list, nhip.PM25); jumps < 2 || jumps > 20 {
		t.Errorf("spiky: %d jumps", jumps)
	}
	if _, missing = dayOfReports(t, intermittent); missing < 72 || missing > 108 {
		t.Errorf("intermittent: %d of 288 reports missing, want about 96", missing)
	}
}

func TestLowCostMonitorIsLessAccurate(t *testing.T) {
	meanError := func(g grade) float64 {
		s := &station{stationSpec: stationSpec{point: cityCenter, grade: g}, seed: 5}
		sum := 0.0
		for i := range 288 {
			end := at(0, 0).Add(time.Duration(i) * reportPeriod)
			truth := newAirField(1).at(cityCenter, end.Add(-reportPeriod/2))[nhip.PM25]
			sum += math.Abs(s.measure(newAirField(1), end)[nhip.PM25]-truth) / truth
		}
		return sum / 288
	}
	if r, l := meanError(reference), meanError(lowCost); r > 0.05 || l < 2*r || l > 0.5 {
		t.Errorf("mean relative errors: reference %.3f, low-cost %.3f", r, l)
	}
}

func TestGeneratedStations(t *testing.T) {
	ids := map[string]bool{}
	for _, s := range newStations(500, 9) {
		ids[s.id] = true
		if d := length(newPlane(cityCenter).toPlane(s.point)); d > 14_000 {
			t.Errorf("%s is %.0f m from the centre of the city", s.id, d)
		}
	}
	if len(ids) != 500 {
		t.Errorf("500 stations have %d distinct ids", len(ids))
	}
}

// TestBacklogMatchesLiveReports checks that the backlog is in order of time and equals the reports of an earlier start.
func TestBacklogMatchesLiveReports(t *testing.T) {
	now := at(9, 2)
	s := newSim(t, Options{Buses: None, History: time.Hour}, now)
	if got := s.Backlog(5); got != nil {
		t.Fatalf("%d messages before the first Step", len(got))
	}
	first := s.Step(now)
	if len(first) < 39 || len(first) > 40 {
		t.Fatalf("%d stations report at the start", len(first))
	}
	var past []nhip.Message
	for part := s.Backlog(7); part != nil; part = s.Backlog(7) {
		past = append(past, part...)
	}
	if len(past) < 39*12 || len(past) > 40*12 {
		t.Fatalf("%d reports in the backlog of an hour", len(past))
	}
	var last time.Time
	reports := map[string][]byte{}
	for _, m := range past {
		r := readings(t, m, now)[0]
		if r.Time.Before(last) || !r.Time.Before(at(9, 0)) {
			t.Fatalf("a report of %s comes after one of %s", r.Time, last)
		}
		last = r.Time
		reports[m.Topic+r.Time.String()] = m.Payload
	}
	earlier := newSim(t, Options{Buses: None}, at(8, 31))
	same := 0
	stepThrough(earlier, at(8, 31), at(8, 52), time.Minute, func(m nhip.Message) {
		if want, ok := reports[m.Topic+readings(t, m, now)[0].Time.String()]; ok && bytes.Equal(want, m.Payload) {
			same++
		} else {
			t.Errorf("live %s, backlog %s", m.Payload, want)
		}
	})
	if same < 39*4 {
		t.Errorf("only %d reports were compared", same)
	}
}

// TestReportsAreSpread checks that reports are spread over the two minutes after their period.
func TestReportsAreSpread(t *testing.T) {
	start := at(9, 1)
	s := newSim(t, Options{Buses: None}, start)
	s.Step(start)
	perSecond := map[time.Time]int{}
	n := 0
	stepThrough(s, start, start.Add(12*time.Minute), time.Second, func(m nhip.Message) {
		n++
		r := readings(t, m, m.Received)[0]
		if late := m.Received.Sub(r.Time); late < 0 || late > maxReportDelay || r.Time.Unix()%300 != 0 {
			t.Fatalf("the period that ends at %s is reported at %s", r.Time, m.Received)
		}
		perSecond[m.Received.Truncate(time.Second)]++
	})
	if n < 2*39 {
		t.Errorf("%d reports in two periods", n)
	}
	for second, n := range perSecond {
		if n > 1 {
			t.Errorf("%d reports at %s", n, second)
		}
	}
}
