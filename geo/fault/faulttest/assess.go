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
	out    [][]bool      // values that are not compared
	Faults []Fault       // of all blocks, each cut to its block
}

// Fault is a fault found, in hours since 1970.
type Fault struct {
	fault.Fault
	First, End int64 // First inclusive, End exclusive
}

// Assess makes all checks of a network, as a collector does once the last hour has ended.
func Assess(n *Network) *Found {
	out := &Found{Flags: make([][]nhip.Flag, len(n.Series)), out: make([][]bool, len(n.Series))}
	for i := range n.Series {
		out.Flags[i] = make([]nhip.Flag, len(n.Series[i].Values))
		out.out[i] = make([]bool, len(n.Series[i].Values))
	}
	for m := range n.Monitors {
		n.assessMonitor(m, out)
	}
	from, to := n.span()
	hours := n.hours(from, to, out)
	network := make([][]nhip.Flag, len(n.Series)) // apart: the flags of windows are those of monitors alone
	for i := range network {
		network[i] = make([]nhip.Flag, len(n.Series[i].Values))
	}
	for block := fault.BlockOf(from); block <= fault.BlockOf(to-1); block++ {
		first, end, _ := fault.WindowOf(block, to-1)
		w := n.window(first, end, from, hours)
		start := max(block*fault.BlockHours, first)
		last := min((block+1)*fault.BlockHours, end)
		flags, result := fault.Assess(w, qc.NewRules(), int(start-first), int(last-first))
		n.mark(block, first, &result, out)
		n.merge(flags, start, last, network)
	}
	for i := range network {
		for k, f := range network[i] {
			out.Flags[i][k] = max(out.Flags[i][k], f)
		}
	}
	return out
}

// merge sets the flags of the values of hours from first, inclusive, to end, exclusive.
func (n *Network) merge(flags fault.Flags, first, end int64, to [][]nhip.Flag) {
	for i := range n.Series {
		s := &n.Series[i]
		for h := first; h < end; h++ {
			from, last := s.between(h, h+1)
			for k := from; k < last; k++ {
				to[i][k] = flags[s.Monitor][s.Quantity][h-first].Flag
			}
		}
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
		out.Flags[of[i]][k], out.out[of[i]][k] = r.Flag, !r.Comparable()
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
		if !found.out[i][k] {
			out = append(out, n.Series[i].Values[k])
		}
	}
	return out
}

// mark keeps what was found of a block.
func (n *Network) mark(block, first int64, result *fault.Result, out *Found) {
	from, to := block*fault.BlockHours, (block+1)*fault.BlockHours
	for _, f := range result.Faults {
		x := Fault{f, max(first+int64(f.From), from), min(first+int64(f.To), to)}
		if x.First < x.End {
			out.Faults = append(out.Faults, x)
		}
	}
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
	NeighboursWith, NeighboursOut float64 // share flagged of values of other monitors during faults, and of the same untouched
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
