package faulttest

import (
	"math"
	"time"

	"nhip"
	"nhip/geo/fault"
	"nhip/geo/qc"

	"github.com/paulmach/orb"
)

// Found is what the quality control finds in a network.
type Found struct {
	Flags  [][]nhip.Flag // of each value of each series
	Faults []Fault       // of all blocks, each cut to its block

	alone   [][]qc.Result                           // of each value, of the checks of the monitor alone
	network []map[nhip.Quantity]map[int64]qc.Result // by monitor, quantity and hour, of the comparison
}

// Fault is a fault found, in hours since 1970.
type Fault struct {
	fault.Fault
	First, End int64 // First inclusive, End exclusive
}

// Assess makes all checks of a network, as a collector does once the last hour has ended.
func Assess(n *Network) *Found {
	out := &Found{alone: make([][]qc.Result, len(n.Series))}
	for i := range n.Series {
		out.alone[i] = make([]qc.Result, len(n.Series[i].Values))
	}
	for m := range n.Monitors {
		n.assessMonitor(m, out)
		out.network = append(out.network, make(map[nhip.Quantity]map[int64]qc.Result))
	}
	from, to := n.span()
	hours := n.hours(from, to, out)
	endOf := func(block int64) int64 {
		_, end, _ := fault.WindowOf(block, from, to-1)
		return end
	}
	for block, final := fault.BlockOf(from), fault.BlockOf(to-1); block <= final; block++ {
		first, end, _ := fault.WindowOf(block, from, to-1)
		start := max(block*fault.BlockHours, first)
		for block < final && endOf(block+1) == end { // blocks that are judged from the same window
			block++
		}
		w := n.window(first, end, from, hours)
		last := min((block+1)*fault.BlockHours, end)
		flags, result := fault.Assess(w, qc.NewRules(), int(start-first), int(last-first))
		out.keep(flags, start)
		for _, f := range result.Faults {
			x := Fault{f, max(first+int64(f.From), start), min(first+int64(f.To), last)}
			if x.First < x.End {
				out.Faults = append(out.Faults, x)
			}
		}
	}
	n.merge(out)
	return out
}

// keep keeps the results of the hours from one on.
func (f *Found) keep(flags fault.Flags, from int64) {
	for m := range flags {
		for q, results := range flags[m] {
			if f.network[m][q] == nil {
				f.network[m][q] = make(map[int64]qc.Result)
			}
			for k, r := range results {
				if r != (qc.Result{}) {
					f.network[m][q][from+int64(k)] = r
				}
			}
		}
	}
}

// merge sets the flags of all values.
func (n *Network) merge(found *Found) {
	for i := range n.Series {
		s := &n.Series[i]
		flags := make([]nhip.Flag, len(s.Values))
		of := found.network[s.Monitor]
		other, _ := qc.OtherParticles(s.Quantity)
		for k := range flags {
			r, h := found.alone[i][k], hourOf(s.At[k])
			r.MergeNetwork(of[s.Quantity][h], of[other][h])
			flags[k] = r.Flag
		}
		found.Flags = append(found.Flags, flags)
	}
}

// assessMonitor makes the checks of one monitor alone.
func (n *Network) assessMonitor(m int, out *Found) {
	var series []qc.Series
	var of []int
	for i := range n.Series {
		if s := &n.Series[i]; s.Monitor == m {
			q := qc.Series{Quantity: s.Quantity, Period: s.Period}
			for k, v := range s.Values {
				q.Samples = append(q.Samples, qc.Sample{At: s.At[k], Value: v})
			}
			series, of = append(series, q), append(of, i)
		}
	}
	class := qc.ClassReference
	if n.Monitors[m].LowCost {
		class = qc.ClassLowCost
	}
	qc.NewRules().EvaluateStation(class, nhip.Opt[orb.Point]{}, series, 0, func(i, k int, r qc.Result) {
		out.alone[of[i]][k] = r
	})
}

// hours returns the hours of each series from one, inclusive, to another, exclusive.
func (n *Network) hours(from, to int64, found *Found) [][]fault.Hour {
	out := make([][]fault.Hour, len(n.Series))
	for i := range n.Series {
		expected := float64(time.Hour) / float64(n.Series[i].Period)
		for h := from; h < to; h++ {
			out[i] = append(out[i], fault.NewHour(n.valuesOf(i, h, found), expected))
		}
	}
	return out
}

// window returns the hours from first, inclusive, to end, exclusive. hours begin with hour from.
func (n *Network) window(first, end, from int64, hours [][]fault.Hour) *fault.Window {
	w := &fault.Window{First: first, Length: int(end - first)}
	for _, m := range n.Monitors {
		w.Monitors = append(w.Monitors, fault.Monitor{
			LowCost: m.LowCost, Lat: m.Lat, Lon: m.Lon, Hours: make(map[nhip.Quantity][]fault.Hour),
		})
	}
	for i := range n.Series {
		own := make([]fault.Hour, w.Length)
		for t := range own {
			own[t].Value = math.NaN()
			if k := first + int64(t) - from; k >= 0 && k < int64(len(hours[i])) {
				own[t] = hours[i][k]
			}
		}
		w.Monitors[n.Series[i].Monitor].Hours[n.Series[i].Quantity] = own
	}
	return w
}

// valuesOf returns the values of an hour that are compared.
func (n *Network) valuesOf(i int, hour int64, found *Found) (out []float64) {
	first, last := n.Series[i].between(hour, hour+1)
	for k := first; k < last; k++ {
		if found.alone[i][k].Comparable() {
			out = append(out, n.Series[i].Values[k])
		}
	}
	return out
}

// Score measures what was found of injected faults.
type Score struct {
	Share                         float64 // of values that are faulty
	Precision, Recall, Net        float64 // of flagged values; net of those that are flagged without faults
	FailPrecision, FailNet        float64
	FailRecall                    float64
	Untouched, UntouchedFail      float64 // share of values of the record itself
	Named, Right                  int     // faults that were found, and those of them that have the right name
	Kinds                         map[string]*KindScore
	NeighboursWith, NeighboursOut float64 // share flagged of values beside faults, and of the same ones untouched
}

// KindScore is the score of one kind.
type KindScore struct {
	Number, Values, Flagged, Failed int
	Found, Right                    int
	Names                           map[fault.Cause]int
}

func share(a, b int) float64 {
	if b == 0 {
		return math.NaN()
	}
	return 100 * float64(a) / float64(b)
}
