// Package faulttest puts known faults into the records of real networks of air monitors, and measures how many of them
// the quality control finds. It is for tests only.
package faulttest

import (
	"slices"
	"time"

	"nhip"
)

// Series holds the raw values of one quantity at one monitor.
type Series struct {
	Monitor  int
	Quantity nhip.Quantity
	Period   time.Duration
	At       []int64 // END of the periods, Unix ms, ascending
	Values   []float64
}

// Monitor is a monitor of a network.
type Monitor struct {
	Name     string
	LowCost  bool
	Lat, Lon float64
}

// Network is the record of a network.
type Network struct {
	Monitors []Monitor
	Series   []Series
}

// hourMS is an hour in ms.
const hourMS = 3_600_000

// hourOf returns the hour, in hours since 1970, of a period that ends at ms.
func hourOf(ms int64) int64 { return (ms + hourMS - 1) / hourMS }

// span returns the first hour of all values, and the hour after the last.
func (n *Network) span() (from, to int64) {
	for i := range n.Series {
		s := &n.Series[i]
		if len(s.At) == 0 {
			continue
		}
		if first := hourOf(s.At[0]); from == 0 || first < from {
			from = first
		}
		to = max(to, hourOf(s.At[len(s.At)-1])+1)
	}
	return from, to
}

// between returns the range of values of the hours from, inclusive, to to, exclusive.
func (s *Series) between(from, to int64) (first, last int) {
	first, _ = slices.BinarySearch(s.At, (from-1)*hourMS+1)
	last, _ = slices.BinarySearch(s.At, (to-1)*hourMS+1)
	return first, last
}

// clone returns a copy whose values may be changed.
func (n *Network) clone() *Network {
	out := &Network{Monitors: n.Monitors, Series: slices.Clone(n.Series)}
	for i := range out.Series {
		out.Series[i].Values = slices.Clone(out.Series[i].Values)
	}
	return out
}

// Cut returns the part of a network between two times.
func (n *Network) Cut(from, to time.Time) *Network {
	out := &Network{Monitors: n.Monitors}
	for _, s := range n.Series {
		first, last := s.between(hourOf(from.UnixMilli())+1, hourOf(to.UnixMilli())+1)
		s.At, s.Values = s.At[first:last], s.Values[first:last]
		out.Series = append(out.Series, s)
	}
	return out
}

// monitor returns the index of a monitor, which it adds if needed.
func (n *Network) monitor(m Monitor) int {
	for i := range n.Monitors {
		if n.Monitors[i].Name == m.Name {
			return i
		}
	}
	n.Monitors = append(n.Monitors, m)
	return len(n.Monitors) - 1
}

// add adds a value.
func (n *Network) add(monitor int, q nhip.Quantity, period time.Duration, at int64, v float64) {
	i := slices.IndexFunc(n.Series, func(s Series) bool { return s.Monitor == monitor && s.Quantity == q })
	if i < 0 {
		i = len(n.Series)
		n.Series = append(n.Series, Series{Monitor: monitor, Quantity: q, Period: period})
	}
	s := &n.Series[i]
	s.At, s.Values = append(s.At, at), append(s.Values, v)
}

// sort puts the values in order, and drops all but one of the same time.
func (n *Network) sort() {
	for i := range n.Series {
		s := &n.Series[i]
		order := make([]int, len(s.At))
		for k := range order {
			order[k] = k
		}
		slices.SortStableFunc(order, func(a, b int) int { return int(s.At[a] - s.At[b]) })
		at, values := make([]int64, 0, len(order)), make([]float64, 0, len(order))
		for _, k := range order {
			if len(at) > 0 && at[len(at)-1] == s.At[k] {
				continue
			}
			at, values = append(at, s.At[k]), append(values, s.Values[k])
		}
		s.At, s.Values = at, values
	}
}
