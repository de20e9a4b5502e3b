package fault

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"nhip"
	"nhip/internal/suitetest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// city is a made-up network: air that all monitors share, local differences that last some hours, a bias of each
// monitor, and noise.
type city struct {
	*Window
	rng *rand.Rand
}

const made = 480 // hours

func newCity(seed uint64, monitors int, quantities ...nhip.Quantity) *city {
	c := &city{&Window{First: 490_000, Length: made}, rand.New(rand.NewPCG(seed, 1))}
	for i := range monitors {
		c.Monitors = append(c.Monitors, Monitor{
			Lat: 21 + 0.01*float64(i), Lon: 105.8, Hours: make(map[nhip.Quantity][]Hour),
		})
	}
	shared := c.walk(0.15, 0.97)
	for _, q := range quantities {
		own := c.walk(0.06, 0.9)
		for i := range c.Monitors {
			local, bias := c.walk(0.05, 0.8), 0.15*c.rng.NormFloat64()
			hours := NoHours(made)
			for t := range hours {
				daily := 0.3 * math.Sin(2*math.Pi*float64(t)/24)
				x := shared[t] + own[t] + local[t] + bias + daily + 0.05*c.rng.NormFloat64()
				hours[t].Value = math.Round(10*c.mean(q)*math.Exp(x)) / 10
			}
			c.Monitors[i].Hours[q] = hours
		}
	}
	return c
}

func (c *city) mean(q nhip.Quantity) float64 {
	return map[nhip.Quantity]float64{nhip.PM10: 80, nhip.CO: 900}[q] + 40
}

// walk returns a first-order autoregression.
func (c *city) walk(step, memory float64) []float64 {
	out := make([]float64, made)
	for t := 1; t < made; t++ {
		out[t] = memory*out[t-1] + step*c.rng.NormFloat64()
	}
	return out
}

// change changes the values of hours from one, inclusive, to another, exclusive.
func (c *city) change(i int, q nhip.Quantity, from, to int, f func(t int, v float64) float64) {
	hours := slices.Clone(c.Monitors[i].Hours[q])
	for t := from; t < to; t++ {
		hours[t].Value = math.Round(1000*f(t, hours[t].Value)) / 1000
	}
	c.Monitors[i].Hours[q] = hours
}

// found returns the hours of a monitor that are flagged within a span and outside it, and the cause with most of them.
func found(r *Result, i int, q nhip.Quantity, from, to int) (inside, outside int, cause Cause) {
	hours, most := make(map[Cause]int), 0
	for _, f := range r.Faults {
		if f.Monitor != i || f.Quantity != q {
			continue
		}
		n := max(min(f.To, to)-max(f.From, from), 0)
		inside, outside = inside+n, outside+f.To-f.From-n
		if hours[f.Cause] += n; hours[f.Cause] > most {
			cause, most = f.Cause, hours[f.Cause]
		}
	}
	return inside, outside, cause
}

func TestFindNamesFaults(t *testing.T) {
	const from, to = 200, 300
	both := []nhip.Quantity{nhip.PM25, nhip.PM10}
	for _, c := range []struct {
		name  string
		cause Cause
		of    []nhip.Quantity
		wrong func(c *city, i int, q nhip.Quantity)
	}{
		{"three times", Gain, both[:1], func(c *city, i int, q nhip.Quantity) {
			c.change(i, q, from, to, func(_ int, v float64) float64 { return 3 * v })
		}},
		{"half", Gain, both[1:], func(c *city, i int, q nhip.Quantity) {
			c.change(i, q, from, to, func(_ int, v float64) float64 { return v / 2 })
		}},
		{"offset", Offset, both[:1], func(c *city, i int, q nhip.Quantity) {
			c.change(i, q, from, to, func(_ int, v float64) float64 { return v + 60 })
		}},
		{"milligrams", Unit, both[:1], func(c *city, i int, q nhip.Quantity) {
			c.change(i, q, from, to, func(_ int, v float64) float64 { return v / 1000 })
		}},
		{"zero", Zero, both[1:], func(c *city, i int, q nhip.Quantity) {
			c.change(i, q, from, to, func(int, float64) float64 { return 0 })
		}},
		{"drift", Drift, both[:1], func(c *city, i int, q nhip.Quantity) {
			c.change(i, q, from, to, func(t int, v float64) float64 {
				return v * math.Exp(float64(t-from)/(to-from)*math.Log(6))
			})
		}},
		{"stuck", Stuck, both[:1], func(c *city, i int, q nhip.Quantity) {
			v := c.Monitors[i].Hours[q][from].Value
			c.change(i, q, from, to, func(int, float64) float64 { return v })
		}},
		{"noise", Noise, both[:1], func(c *city, i int, q nhip.Quantity) {
			c.change(i, q, from, to, func(_ int, v float64) float64 { return v * math.Exp(0.6*c.rng.NormFloat64()) })
		}},
		{"swap", Swap, both, func(c *city, i int, _ nhip.Quantity) {
			fine, coarse := c.Monitors[i].Hours[nhip.PM25], c.Monitors[i].Hours[nhip.PM10]
			c.change(i, nhip.PM25, from, to, func(t int, _ float64) float64 { return coarse[t].Value })
			c.change(i, nhip.PM10, from, to, func(t int, _ float64) float64 { return fine[t].Value })
		}},
		{"clock", Clock, append(both, nhip.CO), func(c *city, i int, _ nhip.Quantity) {
			for q, hours := range c.Monitors[i].Hours {
				c.change(i, q, from, to, func(t int, _ float64) float64 { return hours[t-8].Value })
			}
		}},
		{"equal", Equal, both[1:], func(c *city, i int, q nhip.Quantity) {
			fine := c.Monitors[i].Hours[nhip.PM25]
			c.change(i, q, from, to, func(t int, _ float64) float64 { return fine[t].Value })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			few := c.of
			if c.cause == Equal {
				few = both
			}
			city := newCity(7, 10, suitetest.Pick(few, append(both, nhip.CO))...)
			c.wrong(city, 4, c.of[0])
			r := Find(city.Window)
			for _, q := range c.of {
				inside, outside, cause := found(&r, 4, q, from, to)
				least := 80
				if c.cause == Drift {
					least = 45 // its begin is within the usual differences
				}
				if inside < least || outside > 12 || cause != c.cause {
					t.Errorf("%s: %d of %d hours are found, and %d others; cause %s, want %s", q, inside, to-from, outside, cause,
						c.cause)
				}
			}
			for _, f := range r.Faults {
				if f.Monitor != 4 && f.To-f.From > 3 {
					t.Errorf("another monitor is blamed: %+v", f)
				}
			}
		})
	}
}

// PM10 that equals PM2.5 at most monitors at once is what an agency makes of fog, unless it lasts for days.
func TestFindDistinguishesEqualSizesOfFog(t *testing.T) {
	equal := func(monitors, hours int) (flagged int) {
		city := newCity(5, 10, nhip.PM25, nhip.PM10)
		for i := range monitors {
			fine := city.Monitors[i].Hours[nhip.PM25]
			city.change(i, nhip.PM10, 200, 200+hours, func(t int, _ float64) float64 { return fine[t].Value })
		}
		r := Find(city.Window)
		for _, f := range r.Faults {
			if f.Cause == Equal {
				flagged += f.To - f.From
			}
		}
		return flagged
	}
	for _, c := range []struct{ monitors, hours, want int }{{1, 6, 6}, {1, 5, 0}, {3, 12, 36}, {8, 12, 0}, {8, 60, 480}} {
		if got := equal(c.monitors, c.hours); got != c.want {
			t.Errorf("%d hours at %d of 10 monitors: %d hours are flagged, want %d", c.hours, c.monitors, got, c.want)
		}
	}
}

// Two faults of a monitor that are a day apart leave the day between them alone.
func TestFindLeavesPausesOfAFaultAlone(t *testing.T) {
	city := newCity(11, 10, nhip.PM25)
	for _, from := range []int{200, 284} {
		city.change(4, nhip.PM25, from, from+60, func(_ int, v float64) float64 { return 5 * v })
	}
	r := Find(city.Window)
	between := 0
	for _, f := range r.Faults {
		if f.Monitor == 4 {
			between += max(min(f.To, 282)-max(f.From, 262), 0)
		}
	}
	if first, _, _ := found(&r, 4, nhip.PM25, 200, 260); first < 55 || between > 0 {
		t.Errorf("%d hours of the first fault are found, and %d between: %+v", first, between, r.Faults)
	}
}

// Spikes that recur every few hours are found although they widen the usual scatter of the monitor.
func TestFindFindsSpikesThatRecur(t *testing.T) {
	for _, every := range []int{3, 4, 6} {
		city := newCity(13, 10, nhip.PM25)
		n := 0
		for at := 40; at < made-20; at += every {
			city.change(4, nhip.PM25, at, at+1, func(_ int, v float64) float64 { return 4*v + 60 })
			n++
		}
		r := Find(city.Window)
		hours := 0
		for _, f := range r.Faults {
			if f.Monitor == 4 && f.Cause == Spike {
				hours += f.To - f.From
			} else if f.To-f.From > 3 {
				t.Errorf("every %d hours: %+v", every, f)
			}
		}
		if hours < n*9/10 || hours > n+n/10 {
			t.Errorf("every %d hours: %d of %d hours are found", every, hours, n)
		}
	}
}

// The proposed corrections undo what was done.
func TestFindProposesCorrections(t *testing.T) {
	city := newCity(3, 10, nhip.PM25)
	city.change(1, nhip.PM25, 100, 220, func(_ int, v float64) float64 { return 4 * v })
	city.change(6, nhip.PM25, 250, 400, func(_ int, v float64) float64 { return v + 80 })
	r := Find(city.Window)
	gain, offset := false, false
	for _, f := range r.Faults {
		switch f.Cause {
		case Gain:
			gain = f.Monitor == 1 && f.Fail && math.Abs(f.Factor-0.25) < 0.03
		case Offset:
			offset = f.Monitor == 6 && math.Abs(f.Offset+80) < 10
		}
	}
	if !gain || !offset {
		t.Errorf("%+v", r.Faults)
	}
}

// The same hours give the same faults, in whatever order the monitors stand.
func TestFindDoesNotDependOnOrder(t *testing.T) {
	for seed := range uint64(suitetest.Pick(2, 50)) {
		city := newCity(seed, 6, nhip.PM25)
		city.change(2, nhip.PM25, 150, 300, func(_ int, v float64) float64 { return 3 * v })
		order := city.rng.Perm(6)
		other := &Window{First: city.First, Length: city.Length}
		for _, i := range order {
			other.Monitors = append(other.Monitors, city.Monitors[i])
		}
		want, got := Find(city.Window).Faults, Find(other).Faults
		for k := range got {
			got[k].Monitor = order[got[k].Monitor]
		}
		slices.SortFunc(got, compareFaults)
		about := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-6*(math.Abs(a)+math.Abs(b)+1) })
		if diff := cmp.Diff(want, got, about); diff != "" {
			t.Fatal(diff)
		}
	}
}

// A network whose monitors differ for days can't vouch for them, and fails no level.
func TestRestlessNetworkFailsNoLevel(t *testing.T) {
	city := newCity(5, 8, nhip.PM25)
	for i := range city.Monitors {
		slow := city.walk(0.12, 0.985)
		city.change(i, nhip.PM25, 0, made, func(t int, v float64) float64 { return v * math.Exp(slow[t]) })
	}
	city.change(3, nhip.PM25, 200, 300, func(_ int, v float64) float64 { return 4 * v })
	r := Find(city.Window)
	if r.Vouches[nhip.PM25] || !slices.Equal(r.Unvouched(city.Window, 3), []nhip.Quantity{nhip.PM25}) {
		t.Error("the network vouches for its monitors")
	}
	for _, f := range r.Faults {
		if f.Fail {
			t.Errorf("a fault fails: %+v", f)
		}
	}
}

// Three monitors can't tell which of them is wrong.
func TestFewMonitorsAreNotCompared(t *testing.T) {
	city := newCity(5, 3, nhip.PM25)
	city.change(1, nhip.PM25, 100, 300, func(_ int, v float64) float64 { return 4 * v })
	r := Find(city.Window)
	if len(r.Faults) != 0 || !slices.Equal(r.Unvouched(city.Window, 1), []nhip.Quantity{nhip.PM25}) {
		t.Errorf("%+v", r)
	}
}

// A fault that is older than the window is part of the bias, unless staff accepted an earlier one.
func TestAcceptedBiasKeepsOldFaultsFound(t *testing.T) {
	city := newCity(9, suitetest.Pick(6, 8), nhip.PM25)
	before := Find(city.Window)
	city.change(3, nhip.PM25, 0, made, func(_ int, v float64) float64 { return 2 * v })
	r := Find(city.Window)
	if inside, _, _ := found(&r, 3, nhip.PM25, 0, made); inside > 10 {
		t.Errorf("%d hours are found without an accepted bias", inside)
	}
	city.Monitors[3].Accepted = map[nhip.Quantity]float64{nhip.PM25: before.Bias[3][nhip.PM25]}
	r = Find(city.Window)
	if inside, _, cause := found(&r, 3, nhip.PM25, 0, made); inside < made*9/10 || cause != Gain {
		t.Errorf("%d hours are found with an accepted bias, cause %s", inside, cause)
	}
}

// A bias of a few hours is not known: who accepts it would have all later hours flagged.
func TestBiasNeedsHours(t *testing.T) {
	city := newCity(9, 5, nhip.PM25)
	city.change(1, nhip.PM25, minGoodHours-1, made, func(int, float64) float64 { return math.NaN() })
	city.change(2, nhip.PM25, minGoodHours, made, func(int, float64) float64 { return math.NaN() })
	r := Find(city.Window)
	_, few := r.Bias[1][nhip.PM25]
	_, enough := r.Bias[2][nhip.PM25]
	if few || !enough {
		t.Errorf("a bias is known: %v of too few hours, %v of enough", few, enough)
	}
}

// Nothing that a database may hold is too strange.
func TestFindTakesAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &Window{First: rapid.Int64Range(0, 500_000).Draw(t, "first"), Length: rapid.IntRange(0, 60).Draw(t, "length")}
		value := rapid.SampledFrom([]float64{math.NaN(), 0, -5, 1e-300, 7, 7, 12, 999.9, 1e6, math.MaxFloat64 / 1e10})
		for range rapid.IntRange(0, 6).Draw(t, "monitors") {
			m := Monitor{LowCost: rapid.Bool().Draw(t, "low-cost"), Lat: math.NaN(), Hours: map[nhip.Quantity][]Hour{}}
			for _, q := range []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.Humidity} {
				hours := NoHours(w.Length)
				for t2 := range hours {
					hours[t2].Value = value.Draw(t, "value")
				}
				m.Hours[q] = hours
			}
			w.Monitors = append(w.Monitors, m)
		}
		for _, f := range Find(w).Faults {
			if f.From < 0 || f.To > w.Length || f.From >= f.To || math.IsNaN(f.Factor+f.Offset) || f.Strength < 0 {
				t.Fatalf("%+v", f)
			}
		}
	})
}

func TestWindowsOfBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		oldest := rapid.Int64Range(480_000, 480_500).Draw(t, "oldest")
		newest := oldest + rapid.Int64Range(0, 3_000).Draw(t, "hours")
		hour := rapid.Int64Range(oldest, newest).Draw(t, "hour")
		first, last := BlocksAround(hour, oldest, newest)
		open := FirstOpen(oldest, newest)
		for block := BlockOf(oldest); block <= BlockOf(newest); block++ {
			from, to, final := WindowOf(block, oldest, newest)
			if hour >= from && hour < to && (block < first || block > last) {
				t.Fatalf("block %d has hour %d in its window, but not in %d to %d", block, hour, first, last)
			}
			if final != (block < open) {
				t.Fatalf("block %d is final: %v, but the first open one is %d", block, final, open)
			}
			if last := min((block+1)*BlockHours-1, newest); last < from || last >= to || to-from != WindowHours {
				t.Fatalf("hour %d is judged from %d to %d", last, from, to)
			}
			if begin := max(block*BlockHours, oldest); begin < from {
				t.Fatalf("hour %d is judged from %d to %d", begin, from, to)
			}
		}
	})
}

func TestSequentialMatchesDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := rapid.SliceOf(rapid.Float64Range(-3, 3)).Draw(t, "scores")
		end := 0
		sequential(scores, 4, func(from, to int, peak, total float64) {
			if from < end || to <= from || to > len(scores) || peak < 4 || peak > 4*maxCumulated || total < peak-1e-9 {
				t.Fatalf("segment %d to %d, peak %v, total %v, after %d", from, to, peak, total, end)
			}
			end = to
			sum := 0.0
			for k := from; k < to; k++ {
				if sum += scores[k]; sum <= 0 {
					t.Fatalf("the sum from %d on is %v at %d", from, sum, k)
				}
			}
		})
	})
}

func ExampleFind() {
	city := newCity(1, 8, nhip.PM25)
	city.change(2, nhip.PM25, 240, 360, func(_ int, v float64) float64 { return 3 * v })
	for _, f := range Find(city.Window).Faults {
		fmt.Printf("monitor %d: %s, × %.1f would be right\n", f.Monitor, f.Cause, f.Factor)
	}
	// Output: monitor 2: gain, × 0.3 would be right
}

func BenchmarkFind(b *testing.B) {
	for _, c := range []struct {
		monitors   int
		quantities []nhip.Quantity
	}{
		{12, []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.SO2, nhip.NO2, nhip.CO, nhip.O3}},
		{100, []nhip.Quantity{nhip.PM25, nhip.PM10}},
		{250, []nhip.Quantity{nhip.PM25}},
	} {
		b.Run(fmt.Sprintf("monitors=%d/quantities=%d", c.monitors, len(c.quantities)), func(b *testing.B) {
			city := newCity(1, c.monitors, c.quantities...)
			for b.Loop() {
				Find(city.Window)
			}
			hours := float64(b.N * c.monitors * len(c.quantities) * made)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/hours, "ns/hour")
		})
	}
}
