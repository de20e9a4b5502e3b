package faulttest

import (
	"math"

	"nhip"
	"nhip/geo/fault"
)

var particleSizes = []nhip.Quantity{nhip.PM25, nhip.PM10}

// molar are µg/m³ in one ppb at 25 °C and 1 atm.
var molar = map[nhip.Quantity]float64{nhip.SO2: 2.62, nhip.NO2: 1.88, nhip.O3: 1.96, nhip.CO: 1.145}

// levelNames are the names that are right for a multiple: a step of a gain can't be told from one of an offset where
// the air varies little, and a thousandth is a zero.
var (
	driftNames = []fault.Cause{fault.Drift}
	stuckNames = []fault.Cause{fault.Stuck}
	spikeNames = []fault.Cause{fault.Spike, fault.Burst}
	gainNames  = []fault.Cause{fault.Gain, fault.Contradic}
	unitNames  = []fault.Cause{fault.Unit, fault.Gain, fault.Contradic}
)

// LowCostKinds are the faults of a month of low-cost sensors that report each few minutes.
func LowCostKinds() []Kind {
	week := [2]int{36, 96}
	return []Kind{
		{Name: "drift to x2 in 10 d", Causes: driftNames, Number: 1, Hours: [2]int{240, 240}, change: drift(2)},
		{Name: "drift to x4 in 10 d", Causes: driftNames, Number: 1, Hours: [2]int{240, 240}, change: drift(4)},
		{Name: "spikes", Causes: []fault.Cause{fault.Spike}, Number: 2, Hours: [2]int{1, 1}, change: single(1)},
		{Name: "bursts", Causes: []fault.Cause{fault.Spike}, Number: 2, Hours: [2]int{1, 1}, change: single(3)},
		{Name: "broken fan", Number: 2, Hours: [2]int{12, 48}, change: each(func(c *change, _ float64) float64 {
			return map[nhip.Quantity]float64{nhip.PM25: 999.9, nhip.PM10: 1999.9}[c.q]
		})},
		{Name: "stuck 24 h", Causes: stuckNames, Number: 2, Hours: [2]int{24, 24}, change: hold},
		{Name: "stuck 72 h", Causes: stuckNames, Number: 2, Hours: [2]int{72, 72}, change: hold},
		{Name: "zeros", Causes: []fault.Cause{fault.Zero, fault.Stuck}, Number: 2, Hours: [2]int{24, 72}, change: times(0)},
		{Name: "offset +15", Causes: []fault.Cause{fault.Offset}, Number: 2, Hours: week, change: each(
			func(_ *change, v float64) float64 { return v + 15 })},
		{Name: "x0.3", Causes: gainNames, Number: 2, Hours: week, change: times(0.3)},
		{Name: "x0.5", Causes: gainNames, Number: 2, Hours: week, change: times(0.5)},
		{Name: "x2", Causes: gainNames, Number: 2, Hours: week, change: times(2)},
		{Name: "x3", Causes: gainNames, Number: 2, Hours: week, change: times(3)},
		{Name: "x10", Causes: gainNames, Number: 2, Hours: week, change: times(10)},
		{Name: "mg for ug", Causes: unitNames, Number: 2, Hours: week, change: times(0.001)},
		{Name: "swap", Causes: []fault.Cause{fault.Swap}, Number: 2, Hours: week, Only: particleSizes, change: exchange},
		{Name: "noise", Causes: []fault.Cause{fault.Noise}, Number: 2, Hours: week, change: each(
			func(c *change, v float64) float64 { return max(v+20*c.rng.NormFloat64(), 0) })},
		{Name: "clock +1 h", Causes: []fault.Cause{fault.Clock}, Number: 2, Hours: week, All: true, change: delay(1)},
		{Name: "clock +8 h", Causes: []fault.Cause{fault.Clock}, Number: 2, Hours: week, All: true, change: delay(8)},
	}
}

// single makes n successive values of the span far too high.
func single(n int) func(*change) {
	return func(c *change) {
		c.from += int(c.share * float64(max(c.to-c.from-n, 0)))
		c.to = min(c.from+n, c.to)
		high := 100 + 200*c.rng.Float64()
		for j := c.from; j < c.to; j++ {
			c.series.Values[j] = c.series.Values[j]*2 + high
		}
	}
}

// ReferenceKinds are the faults of a quarter of a network of references that report each hour.
func ReferenceKinds() []Kind {
	week := [2]int{48, 120}
	scaled := func(v float64) func(*change) {
		return each(func(c *change, x float64) float64 { return x + v*c.level })
	}
	return []Kind{
		{Name: "drift to x2 in 10 d", Causes: driftNames, Number: 4, Hours: [2]int{240, 240}, change: drift(2)},
		{Name: "drift to x4 in 10 d", Causes: driftNames, Number: 6, Hours: [2]int{240, 240}, change: drift(4)},
		{Name: "frozen feed 48 h", Causes: stuckNames, Number: 3, Hours: [2]int{48, 48}, All: true, change: hold},
		{Name: "clock +1 h", Causes: []fault.Cause{fault.Clock}, Number: 3, Hours: week, All: true, change: delay(1)},
		{Name: "clock +8 h", Causes: []fault.Cause{fault.Clock}, Number: 3, Hours: week, All: true, change: delay(8)},
		{Name: "spikes", Causes: spikeNames, Number: 7, Hours: [2]int{1, 1}, One: true, change: each(
			func(c *change, v float64) float64 { return 4*v + 1.5*c.level })},
		{
			Name: "bursts", Causes: spikeNames, Number: 5, Hours: [2]int{3, 3}, One: true,
			change: scaled(2.5),
		},
		{Name: "stuck 24 h", Causes: stuckNames, Number: 5, Hours: [2]int{24, 24}, One: true, change: hold},
		{Name: "stuck 72 h", Causes: stuckNames, Number: 5, Hours: [2]int{72, 72}, One: true, change: hold},
		{
			Name: "zeros", Causes: []fault.Cause{fault.Zero, fault.Stuck}, Number: 6, Hours: [2]int{24, 72}, One: true,
			change: times(0),
		},
		{Name: "offset", Causes: []fault.Cause{fault.Offset}, Number: 5, Hours: week, One: true, change: each(
			func(c *change, v float64) float64 { return v + 60*c.level/c.fine })},
		{Name: "x0.3", Causes: gainNames, Number: 5, Hours: week, One: true, change: times(0.3)},
		{Name: "x0.5", Causes: gainNames, Number: 5, Hours: week, One: true, change: times(0.5)},
		{Name: "x2", Causes: gainNames, Number: 5, Hours: week, One: true, change: times(2)},
		{Name: "x3", Causes: gainNames, Number: 4, Hours: week, One: true, change: times(3)},
		{Name: "x10", Causes: gainNames, Number: 5, Hours: week, One: true, change: times(10)},
		{Name: "mg for ug", Causes: unitNames, Number: 5, Hours: week, One: true, change: times(0.001)},
		{
			Name: "ppb for ug", Causes: unitNames, Number: 3, Hours: week, One: true,
			Only: []nhip.Quantity{nhip.SO2, nhip.NO2, nhip.O3, nhip.CO}, change: func(c *change) {
				factor := molar[c.q]
				if c.share < 0.5 {
					factor = 1 / factor
				}
				times(factor)(c)
			},
		},
		{Name: "swap", Causes: []fault.Cause{fault.Swap}, Number: 1, Hours: week, Only: particleSizes, change: exchange},
		{Name: "noise", Causes: []fault.Cause{fault.Noise}, Number: 5, Hours: week, One: true, change: each(
			func(c *change, v float64) float64 { return v * math.Exp(0.6*c.rng.NormFloat64()) })},
	}
}

// Scaled returns kinds with so many times as many faults, at least one each.
func Scaled(kinds []Kind, factor float64) []Kind {
	for i := range kinds {
		kinds[i].Number = max(int(math.Round(factor*float64(kinds[i].Number))), 1)
	}
	return kinds
}
