package faulttest

import (
	"math"
	"math/rand/v2"

	"nhip"
	"nhip/geo/fault"
)

// Kind is a kind of fault that can be injected.
type Kind struct {
	Name   string
	Causes []fault.Cause // names that are right
	Number int           // per seed
	Hours  [2]int        // least and greatest duration
	All    bool          // of all quantities; else of particles together, or of one gas
	One    bool          // of a single quantity
	Only   []nhip.Quantity
	change func(c *change)
}

// change is what a fault does to the values of one series in its span.
type change struct {
	rng    *rand.Rand
	q      nhip.Quantity
	level  float64 // the network's mean of the quantity
	fine   float64 // and of PM2.5
	series *Series // already with the fault
	clean  *Series
	pair   *Series // of the other particle size; nil without
	from   int
	to     int
	share  float64 // a random number from 0 to 1 of this fault
}

// Injected is a fault that was put in.
type Injected struct {
	Kind       *Kind
	Monitor    int
	Quantities []nhip.Quantity
	From, To   int64 // hours, From inclusive, To exclusive
}

// Labels says of each value of each series which fault it has: its index in the list plus one, or 0.
type Labels [][]int

// Inject puts faults into a copy of a network. Equal seeds give equal faults.
func (n *Network) Inject(seed uint64, kinds []Kind) (*Network, []Injected, Labels) {
	rng := rand.New(rand.NewPCG(seed, 20261201))
	out := n.clone()
	labels := make(Labels, len(n.Series))
	for i := range n.Series {
		labels[i] = make([]int, len(n.Series[i].Values))
	}
	var all []Injected
	from, to := n.span()
	for k := range kinds {
		for range kinds[k].Number {
			for range 200 { // tries to find a place that is free
				if x, ok := n.place(rng, &kinds[k], from, to, all); ok {
					all = append(all, x)
					n.apply(rng, out, &x, labels, len(all))
					break
				}
			}
		}
	}
	return out, all, labels
}

// place draws a place for a fault, which must be free and have values.
func (n *Network) place(rng *rand.Rand, kind *Kind, from, to int64, all []Injected) (Injected, bool) {
	hours := int64(kind.Hours[0])
	if more := kind.Hours[1] - kind.Hours[0]; more > 0 {
		hours += int64(rng.IntN(more + 1))
	}
	x := Injected{Kind: kind, Monitor: rng.IntN(len(n.Monitors))}
	if to-from <= hours {
		return x, false
	}
	x.From = from + rng.Int64N(to-from-hours)
	x.To = x.From + hours
	x.Quantities = n.quantitiesOf(rng, kind, x.Monitor)
	if len(x.Quantities) == 0 {
		return x, false
	}
	for _, o := range all {
		if o.Monitor == x.Monitor && x.From < o.To && o.From < x.To {
			return x, false
		}
	}
	for i := range n.Series {
		s := &n.Series[i]
		if s.Monitor == x.Monitor && s.Quantity == x.Quantities[0] {
			first, last := s.between(x.From, x.To)
			expected := float64(hours) * float64(hourMS) / float64(s.Period.Milliseconds())
			return x, float64(last-first) >= 0.7*expected
		}
	}
	return x, false
}

// quantitiesOf draws the quantities that a fault changes.
func (n *Network) quantitiesOf(rng *rand.Rand, kind *Kind, monitor int) (out []nhip.Quantity) {
	var has []nhip.Quantity
	for i := range n.Series {
		q := n.Series[i].Quantity
		if n.Series[i].Monitor != monitor || q == nhip.Temperature && !kind.All || q == nhip.Humidity && !kind.All {
			continue
		}
		if len(kind.Only) > 0 && !contains(kind.Only, q) {
			continue
		}
		has = append(has, q)
	}
	if len(has) == 0 {
		return nil
	}
	if kind.All {
		air := false
		for _, q := range has {
			air = air || q != nhip.Temperature && q != nhip.Humidity
		}
		if !air {
			return nil
		}
		return has
	}
	q := has[rng.IntN(len(has))]
	if kind.One || q != nhip.PM25 && q != nhip.PM10 || !n.Monitors[monitor].LowCost && len(kind.Only) != 2 {
		return []nhip.Quantity{q}
	}
	for _, p := range []nhip.Quantity{nhip.PM25, nhip.PM10} { // one laser counts both
		if contains(has, p) {
			out = append(out, p)
		}
	}
	return out
}

func contains(all []nhip.Quantity, q nhip.Quantity) bool {
	for _, x := range all {
		if x == q {
			return true
		}
	}
	return false
}

// apply changes the values of a fault.
func (n *Network) apply(rng *rand.Rand, out *Network, x *Injected, labels Labels, label int) {
	share := rng.Float64()
	for i := range n.Series {
		s := &out.Series[i]
		own := s.Monitor == x.Monitor && contains(x.Quantities, s.Quantity)
		if !own && (!x.Kind.All || !n.inBoxOf(i, x.Monitor)) {
			continue
		}
		first, last := s.between(x.From, x.To)
		c := change{
			rng: rng, q: s.Quantity, level: n.level(s.Quantity), fine: n.level(nhip.PM25), series: s, clean: &n.Series[i],
			pair: n.pairOf(i), from: first, to: last, share: share,
		}
		x.Kind.change(&c)
		for j := c.from; j < c.to; j++ {
			s.Values[j] = math.Round(s.Values[j]*1000) / 1000
			labels[i][j] = label
		}
	}
}

// inBoxOf reports whether a series is of the weather sensor in the same place as a monitor, which shares its clock.
func (n *Network) inBoxOf(i, monitor int) bool {
	s, m := &n.Series[i], &n.Monitors[monitor]
	o := &n.Monitors[s.Monitor]
	return s.Monitor != monitor && o.Lat == m.Lat && o.Lon == m.Lon &&
		(s.Quantity == nhip.Temperature || s.Quantity == nhip.Humidity)
}

// pairOf returns the series of the other particle size at the same monitor.
func (n *Network) pairOf(i int) *Series {
	other := map[nhip.Quantity]nhip.Quantity{nhip.PM25: nhip.PM10, nhip.PM10: nhip.PM25}[n.Series[i].Quantity]
	for k := range n.Series {
		if n.Series[k].Monitor == n.Series[i].Monitor && n.Series[k].Quantity == other {
			return &n.Series[k]
		}
	}
	return nil
}

// level returns the mean of a quantity.
func (n *Network) level(q nhip.Quantity) float64 {
	sum, count := 0.0, 0
	for i := range n.Series {
		if n.Series[i].Quantity == q {
			for _, v := range n.Series[i].Values {
				sum += v
			}
			count += len(n.Series[i].Values)
		}
	}
	return sum / float64(max(count, 1))
}

// each changes every value.
func each(f func(c *change, v float64) float64) func(*change) {
	return func(c *change) {
		for j := c.from; j < c.to; j++ {
			c.series.Values[j] = f(c, c.series.Values[j])
		}
	}
}

func times(factor float64) func(*change) {
	return each(func(_ *change, v float64) float64 { return v * factor })
}

// drift grows to a factor at the end of its span.
func drift(factor float64) func(*change) {
	return func(c *change) {
		at := c.series.At
		for j := c.from; j < c.to; j++ {
			done := float64(at[j]-at[c.from]) / float64(max(at[c.to-1]-at[c.from], 1))
			c.series.Values[j] *= math.Pow(factor, done)
		}
	}
}

// hold repeats the first value.
func hold(c *change) {
	for j := c.from; j < c.to; j++ {
		c.series.Values[j] = c.series.Values[c.from]
	}
}

// delay reports the values of some hours before.
func delay(hours int) func(*change) {
	return func(c *change) {
		ms := int64(hours) * hourMS
		for j := c.from; j < c.to; j++ {
			at := c.clean.At[j] - ms
			k := c.from
			for k > 0 && c.clean.At[k] > at {
				k--
			}
			for k+1 < len(c.clean.At) && abs(c.clean.At[k+1]-at) <= abs(c.clean.At[k]-at) {
				k++
			}
			c.series.Values[j] = c.clean.Values[k]
		}
	}
}

func abs(v int64) int64 { return max(v, -v) }

// exchange reports the values of the other particle size of the same time.
func exchange(c *change) {
	k := 0
	for j := c.from; j < c.to && c.pair != nil; j++ {
		for k+1 < len(c.pair.At) && c.pair.At[k] < c.clean.At[j] {
			k++
		}
		if c.pair.At[k] == c.clean.At[j] {
			c.series.Values[j] = c.pair.Values[k]
		}
	}
}
