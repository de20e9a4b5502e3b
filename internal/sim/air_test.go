package sim

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"nhip"
)

func newSky(seed uint64) *sky { return &sky{seed: seed, plane: newPlane(oldQuarter)} }

// spans are what the air over Hanoi can be, all year round and anywhere in the city.
var spans = map[nhip.Quantity][2]float64{
	nhip.PM25: {3, 260}, nhip.PM10: {8, 420}, nhip.SO2: {1, 80}, nhip.NO2: {3, 200}, nhip.CO: {350, 5000},
	nhip.O3: {2, 200}, nhip.Temperature: {5, 42}, nhip.Humidity: {25, 100},
}

func TestAirIsInRangeAndSmooth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSky(rapid.Uint64().Draw(t, "seed"))
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

// series is a quantity over days at a place, one value an hour.
func series(s *sky, q nhip.Quantity, days int) []float64 {
	var list []float64
	for h := range days * 24 {
		list = append(list, s.at(oldQuarter, at(0, 0).Add(time.Duration(h)*time.Hour))[q])
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

func TestAirOfAWinterMonth(t *testing.T) {
	for seed := range uint64(5) {
		s := newSky(seed)
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
			t.Errorf("seed %d: NO2 knows no rush hour", seed)
		}
		if meanAt(o3, 13, 14) < 2*meanAt(o3, 2, 7, 21) {
			t.Errorf("seed %d: ozone has no afternoon", seed)
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
	s := newSky(3)
	mean := func(month time.Month) float64 {
		sum := 0.0
		for h := range 60 * 24 {
			sum += s.at(oldQuarter, time.Date(2026, month, 1, h, 0, 0, 0, hanoi))[nhip.PM25]
		}
		return sum / (60 * 24)
	}
	if winter, summer := mean(time.December), mean(time.June); winter < 1.4*summer {
		t.Errorf("PM2.5 is %.0f in winter and %.0f in summer", winter, summer)
	}
}

func TestDirtIsWhereItsSourcesAre(t *testing.T) {
	s := newSky(1)
	crossroads, lake := orb.Point{105.8205, 21.0033}, orb.Point{105.8200, 21.0560}
	for _, q := range []nhip.Quantity{nhip.PM25, nhip.NO2, nhip.CO} {
		if c, l := s.at(crossroads, at(8, 0))[q], s.at(lake, at(8, 0))[q]; c < 1.15*l {
			t.Errorf("%s is %.0f at Ngã Tư Sở and %.0f on the lake", q, c, l)
		}
	}
}

func TestMonitorsTable(t *testing.T) {
	ids := map[string]bool{}
	grades, faults := map[grade]int{}, map[fault]int{}
	for _, m := range monitors {
		if ids[m.id] || m.name == "" {
			t.Errorf("monitor %q %q is nameless or there twice", m.id, m.name)
		}
		ids[m.id] = true
		grades[m.grade]++
		faults[m.fault]++
		if b := (orb.Bound{Min: orb.Point{105.7, 20.9}, Max: orb.Point{105.95, 21.15}}); !b.Contains(m.point) {
			t.Errorf("%s is not in the city", m.id)
		}
	}
	if len(monitors) != DefaultStations || grades[reference] != 8 || faults[sound] != 35 || len(faults) != 5 {
		t.Errorf("%d monitors, grades %v, faults %v", len(monitors), grades, faults)
	}
}

// aDay returns what a monitor of that fault reports in a day, and how often it is silent.
func aDay(t *testing.T, f fault) (list []map[nhip.Quantity]float64, silent int) {
	t.Helper()
	stations := newStations(len(monitors), 1)
	s := stations[slices.IndexFunc(stations, func(s *station) bool { return s.fault == f && s.grade == lowCost })]
	for i := range int(24 * time.Hour / period) {
		end := at(7, 5).Add(time.Duration(i) * period)
		payload := s.report(newSky(1), end)
		if payload == nil {
			silent++
			continue
		}
		values := map[nhip.Quantity]float64{}
		for _, r := range readings(t, nhip.Message{Topic: s.topic, Payload: payload}, end) {
			values[r.Quantity] = r.Value
		}
		list = append(list, values)
	}
	return list, silent
}

// steady counts how often a quantity is the same as before, and jumps how often it is five times it.
func steadyAndJumps(list []map[nhip.Quantity]float64, q nhip.Quantity) (steady, jumps int) {
	for i := 1; i < len(list); i++ {
		if list[i][q] == list[i-1][q] {
			steady++
		}
		if list[i][q] > 5*list[i-1][q] {
			jumps++
		}
	}
	return steady, jumps
}

func TestFaults(t *testing.T) {
	list, silent := aDay(t, sound)
	if steady, jumps := steadyAndJumps(list, nhip.PM25); steady > 20 || jumps > 0 || silent > 0 {
		t.Errorf("the sound monitor repeats %d values, jumps %d times and is silent %d times", steady, jumps, silent)
	}
	list, _ = aDay(t, frozen)
	if steady, _ := steadyAndJumps(list, nhip.PM25); steady < 280 {
		t.Errorf("the frozen monitor repeats %d values", steady)
	}
	if steady, _ := steadyAndJumps(list, nhip.Temperature); steady > 100 {
		t.Errorf("the frozen monitor's temperature is frozen too")
	}
	list, _ = aDay(t, wet)
	if steady, _ := steadyAndJumps(list, nhip.Humidity); steady != len(list)-1 || list[0][nhip.Humidity] != 99.9 {
		t.Errorf("the wet monitor says %v %%", list[0][nhip.Humidity])
	}
	list, _ = aDay(t, spiky)
	if _, jumps := steadyAndJumps(list, nhip.PM25); jumps < 2 || jumps > 20 {
		t.Errorf("the spiky monitor jumps %d times", jumps)
	}
	if _, silent = aDay(t, absent); silent < 72 || silent > 108 {
		t.Errorf("the absent monitor is silent %d times of 288, want about 96", silent)
	}
}

// A low-cost box is further off than an analyser.
func TestGradesDiffer(t *testing.T) {
	off := func(g grade) float64 {
		s := &station{monitor: monitor{point: oldQuarter, grade: g}, seed: 5}
		sum := 0.0
		for i := range 288 {
			end := at(0, 0).Add(time.Duration(i) * period)
			truth := newSky(1).at(oldQuarter, end.Add(-period/2))[nhip.PM25]
			sum += math.Abs(s.measure(newSky(1), end)[nhip.PM25]-truth) / truth
		}
		return sum / 288
	}
	if r, l := off(reference), off(lowCost); r > 0.05 || l < 2*r || l > 0.5 {
		t.Errorf("analysers are off by %.3f and boxes by %.3f", r, l)
	}
}

func TestStationsBeyondTheTable(t *testing.T) {
	ids := map[string]bool{}
	for _, s := range newStations(500, 9) {
		ids[s.id] = true
		if d := length(newPlane(oldQuarter).flat(s.point)); d > 14_000 {
			t.Errorf("%s is %.0f m from the middle of the city", s.id, d)
		}
	}
	if len(ids) != 500 {
		t.Errorf("500 monitors have %d ids", len(ids))
	}
}

// The backlog is a day of reports, oldest first, and what it tells is what would have been told.
func TestBacklog(t *testing.T) {
	now := at(9, 2)
	s := newSim(t, Options{Buses: None, History: time.Hour}, now)
	if got := s.Backlog(5); got != nil {
		t.Fatalf("before the beginning there is a backlog of %d", len(got))
	}
	first := s.Step(now)
	if len(first) < 39 || len(first) > 40 {
		t.Fatalf("%d monitors report at the start", len(first))
	}
	var past []nhip.Message
	for part := s.Backlog(7); part != nil; part = s.Backlog(7) {
		past = append(past, part...)
	}
	if len(past) < 39*12 || len(past) > 40*12 {
		t.Fatalf("%d reports in an hour's backlog without its last period", len(past))
	}
	var last time.Time
	told := map[string][]byte{}
	for _, m := range past {
		r := readings(t, m, now)[0]
		if r.Time.Before(last) || !r.Time.Before(at(9, 0)) {
			t.Fatalf("a report of %s comes after one of %s", r.Time, last)
		}
		last = r.Time
		told[m.Topic+r.Time.String()] = m.Payload
	}
	earlier := newSim(t, Options{Buses: None}, at(8, 31))
	same := 0
	stepping(earlier, at(8, 31), at(8, 52), time.Minute, func(m nhip.Message) {
		if want, ok := told[m.Topic+readings(t, m, now)[0].Time.String()]; ok && bytes.Equal(want, m.Payload) {
			same++
		} else {
			t.Errorf("live %s, later %s", m.Payload, want)
		}
	})
	if same < 39*4 {
		t.Errorf("only %d reports were compared", same)
	}
}

// Reports are spread over the two minutes after their period, and on time.
func TestReportsAreStaggered(t *testing.T) {
	start := at(9, 1)
	s := newSim(t, Options{Buses: None}, start)
	s.Step(start)
	perSecond := map[time.Time]int{}
	n := 0
	stepping(s, start, start.Add(12*time.Minute), time.Second, func(m nhip.Message) {
		n++
		r := readings(t, m, m.Received)[0]
		if late := m.Received.Sub(r.Time); late < 0 || late > lateBy || r.Time.Unix()%300 != 0 {
			t.Fatalf("the period to %s is told at %s", r.Time, m.Received)
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
