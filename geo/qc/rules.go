package qc

import (
	"math"

	"nhip"
)

// Class is the kind of a monitor. It determines which checks apply and with which parameters.
type Class int

// The classes.
const (
	ClassLowCost   Class = iota // an optical or electrochemical sensor; also any station that the fleet file does not list
	ClassReference              // a reference instrument as defined by law
	classes
)

// Params are the parameters of one check. A NaN limit is not applied. Values are in the unit of the quantity.
type Params struct {
	Suspect float64 // values beyond it are suspect; the measure depends on the check
	Fail    float64 // values beyond it fail

	Low, High               float64 // gross_range: values outside fail
	SuspectLow, SuspectHigh float64 // gross_range: values outside are suspect

	Relative  float64 // this fraction of the reference value is added to Suspect and Fail
	Tolerance float64 // differences up to this count as no change
	// flat_line: smallest step of the values. Near it, equal values are common; 0: they never are
	Resolution float64
	Radius     float64 // neighbours: maximum distance, m
	Count      float64 // neighbours: minimum number
	Floor      float64 // neighbours: lower bound of their standard deviation
}

// Fields returns the parameters by their names in the configuration.
func (l *Params) Fields() map[string]*float64 {
	return map[string]*float64{
		"suspect": &l.Suspect, "fail": &l.Fail, "low": &l.Low, "high": &l.High, "suspect_low": &l.SuspectLow,
		"suspect_high": &l.SuspectHigh, "relative": &l.Relative, "tolerance": &l.Tolerance, "radius": &l.Radius,
		"count": &l.Count, "floor": &l.Floor, "resolution": &l.Resolution,
	}
}

// parameters lists the parameters that each check uses.
var parameters = [checks][]string{
	CheckGrossRange:    {"low", "high", "suspect_low", "suspect_high"},
	CheckNegative:      {"suspect", "fail"},
	CheckZero:          {"suspect", "fail"},
	CheckSpike:         {"suspect", "fail", "relative"},
	CheckRateOfChange:  {"suspect", "fail"},
	CheckFlatLine:      {"suspect", "fail", "tolerance", "resolution"},
	CheckFrozenFeed:    {"suspect", "fail"},
	CheckHumidity:      {"suspect", "fail"},
	CheckParticleOrder: {"suspect", "fail", "relative"},
	CheckNeighbours:    {"suspect", "fail", "radius", "count", "floor"},
	CheckChannels:      {"suspect", "fail", "relative"},
	CheckLocation:      {"suspect", "fail"},

	CheckNetworkLevel: onOff, CheckNetworkGain: onOff, CheckNetworkOffset: onOff, CheckNetworkUnit: onOff,
	CheckNetworkDrift: onOff, CheckNetworkZero: onOff, CheckNetworkBurst: onOff, CheckNetworkSpike: onOff,
	CheckNetworkNoise: onOff, CheckNetworkSwap: onOff, CheckNetworkClock: onOff, CheckNetworkStuck: onOff,
	CheckNetworkEqual: onOff, CheckNetworkContradiction: onOff,
}

// onOff are the parameters of a check that can only be switched off.
var onOff []string

// Parameters returns the names of the parameters that a check uses.
func (c Check) Parameters() []string { return parameters[c] }

// Disabled returns the parameters of a check that is switched off.
func Disabled() Params {
	return Params{
		Suspect: unset, Fail: unset, Low: unset, High: unset, SuspectLow: unset, SuspectHigh: unset,
	}
}

// Rules holds the parameters of all checks by quantity and class.
type Rules struct {
	params map[nhip.Quantity]*[classes][checks]Params
}

// Params returns the parameters of a check. They must not be changed; use Set.
func (r *Rules) Params(q nhip.Quantity, class Class, c Check) *Params {
	if of := r.params[q]; of != nil {
		return &of[class][c]
	}
	off := Disabled()
	return &off
}

// Set changes the parameters of a check for one quantity, or for all quantities if q is "".
func (r *Rules) Set(q nhip.Quantity, class Class, c Check, change func(*Params)) {
	for of, limits := range r.params {
		if q == "" || q == of {
			change(&limits[class][c])
		}
	}
}

var (
	particles = []nhip.Quantity{nhip.PM1, nhip.PM25, nhip.PM10, nhip.TSP}
	gases     = []nhip.Quantity{nhip.SO2, nhip.NO, nhip.NO2, nhip.CO, nhip.O3}
	weather   = []nhip.Quantity{nhip.Temperature, nhip.Humidity, nhip.Pressure}
	wind      = []nhip.Quantity{nhip.WindSpeed} // a direction can have any value, and jump to any other, in light air
)

// resolutions are the steps in which references report, in µg/m³: 1 ppb of a gas (0.1 ppm of CO), 1 µg/m³ of particles,
// as in the published records of Beijing and Hanoi. Finer instruments are flagged later than they could be.
var resolutions = map[nhip.Quantity]float64{
	nhip.PM1: 1, nhip.PM25: 1, nhip.PM10: 1, nhip.TSP: 1, nhip.SO2: 2.6, nhip.NO: 1.2, nhip.NO2: 1.9, nhip.O3: 2,
	nhip.CO: 115,
}

// lowCostResolution is the step of means of some minutes of optical sensors, in µg/m³.
const lowCostResolution = 0.3

// NewRules returns the default rules. Durations are in hours, rates in units per minute, distances in metres.
func NewRules() *Rules {
	r := &Rules{params: make(map[nhip.Quantity]*[classes][checks]Params)}
	for _, group := range [][]nhip.Quantity{particles, gases, weather, wind} {
		for _, q := range group {
			of := new([classes][checks]Params)
			for class := range of {
				for c := range of[class] {
					of[class][c] = Disabled()
				}
			}
			r.params[q] = of
		}
	}
	for _, class := range []Class{ClassLowCost, ClassReference} {
		r.setRanges(class)
		r.setTimes(class)
		r.Set("", class, CheckLocation, func(l *Params) { l.Suspect = 500 })
		for c := CheckNetworkLevel; c < checks; c++ {
			r.Set("", class, c, func(l *Params) { l.Suspect = 0 }) // any finite limit enables the check
		}
	}
	r.setParticles()
	return r
}

// setRanges sets the gross ranges. Gases are in µg/m³; their upper limits are the measuring ranges of the
// instruments.
func (r *Rules) setRanges(class Class) {
	for q, span := range map[nhip.Quantity][4]float64{ // fail below, suspect below, suspect above, fail above
		nhip.PM1:         {-15, unset, 500, 1000},
		nhip.PM25:        {-15, unset, 600, 1000},
		nhip.PM10:        {-15, unset, 1000, 2000},
		nhip.TSP:         {-15, unset, 2000, 5000},
		nhip.SO2:         {-30, unset, 1300, 2700},
		nhip.NO:          {-30, unset, 600, 1300},
		nhip.NO2:         {-30, unset, 500, 2000},
		nhip.CO:          {-1000, unset, 30_000, 60_000},
		nhip.O3:          {-30, unset, 500, 1000},
		nhip.Temperature: {-30, -10, 50, 65},
		nhip.Humidity:    {0, 3, unset, 100},
		nhip.Pressure:    {60_000, 80_000, 106_000, 110_000},
		nhip.WindSpeed:   {0, unset, 35, 60},
	} {
		r.Set(q, class, CheckGrossRange, func(l *Params) {
			l.Low, l.SuspectLow, l.SuspectHigh, l.High = span[0], span[1], span[2], span[3]
		})
	}
	for _, q := range append(particles[:len(particles):len(particles)], gases...) {
		r.Set(q, class, CheckNegative, func(l *Params) { l.Suspect = 0 }) // values below the gross range fail
	}
	for _, q := range gases {
		r.Set(q, class, CheckZero, func(l *Params) { l.Suspect = 0 }) // any finite limit enables the check
	}
	// An SDS011 with a broken fan reports 999.9 and 1999.9, the ends of its range.
	r.Set(nhip.PM25, ClassLowCost, CheckGrossRange, func(l *Params) { l.High = 999 })
	r.Set(nhip.PM10, ClassLowCost, CheckGrossRange, func(l *Params) { l.High = 1999 })
}

// setTimes sets the parameters of the checks of changes over time.
func (r *Rules) setTimes(class Class) {
	for q, l := range map[nhip.Quantity][3]float64{ // spike: suspect, fail, relative to the mean of the neighbours
		nhip.PM1:         {25, 50, 1},
		nhip.PM25:        {30, 60, 1},
		nhip.PM10:        {60, 120, 1},
		nhip.TSP:         {100, 200, 1},
		nhip.SO2:         {100, 300, 1},
		nhip.NO:          {100, 300, 1},
		nhip.NO2:         {80, 200, 1},
		nhip.CO:          {3000, 8000, 1},
		nhip.O3:          {80, 160, 1},
		nhip.Temperature: {5, 10, 0},
		nhip.Humidity:    {20, 40, 0},
		nhip.Pressure:    {500, 1500, 0},
		nhip.WindSpeed:   {15, 30, 1},
	} {
		r.Set(q, class, CheckSpike, func(to *Params) { to.Suspect, to.Fail, to.Relative = l[0], l[1], l[2] })
	}
	for q, perMinute := range map[nhip.Quantity]float64{
		nhip.Temperature: 3, nhip.Humidity: 20, nhip.Pressure: 300, nhip.O3: 60,
	} {
		r.Set(q, class, CheckRateOfChange, func(l *Params) { l.Suspect = perMinute })
	}
	r.Set("", class, CheckFlatLine, func(l *Params) { l.Suspect, l.Fail = 6, 12 })
	r.Set(nhip.Pressure, class, CheckFlatLine, func(l *Params) { l.Suspect, l.Fail = 12, 24 })
	// Calm nights last for half a day, at a speed of exactly 0.
	r.Set(nhip.WindSpeed, class, CheckFlatLine, func(l *Params) { l.Suspect, l.Fail = 24, 72 })
	for q, step := range resolutions {
		r.Set(q, class, CheckFlatLine, func(l *Params) { l.Resolution = step })
	}
	if class == ClassLowCost {
		for _, q := range particles {
			r.Set(q, class, CheckFlatLine, func(l *Params) { l.Resolution = lowCostResolution })
		}
	}
	r.Set("", class, CheckFrozenFeed, func(l *Params) { l.Suspect, l.Fail = 3, 4 })
	r.Set(nhip.WindSpeed, class, CheckFrozenFeed, func(l *Params) { *l = Disabled() }) // calm is no fault
}

// setParticles sets the checks that apply to particles only. Optical sensors count droplets above about 95 %
// relative humidity. That is common in Hanoi in winter, so the humidity check never fails a value. The neighbour
// check applies to low-cost sensors only: a reference instrument may stand next to a road that none of them
// measures. The limits of the channel check are those of Barkjohn et al.
func (r *Rules) setParticles() {
	for _, q := range particles {
		r.Set(q, ClassLowCost, CheckHumidity, func(l *Params) { l.Suspect = 95 })
		r.Set(q, ClassLowCost, CheckNeighbours, func(l *Params) {
			l.Suspect, l.Fail, l.Radius, l.Count, l.Floor = 2, 3, 10_000, 5, 0.25
		})
		r.Set(q, ClassLowCost, CheckChannels, func(l *Params) { l.Suspect, l.Relative = 5, 0.61 })
	}
	for _, class := range []Class{ClassLowCost, ClassReference} {
		r.Set(nhip.PM25, class, CheckParticleOrder, func(l *Params) { l.Suspect, l.Relative = 5, 0.1 })
	}
}

// beyond compares a measure with the limits, each increased by the Relative part of base.
func (l *Params) beyond(measure, base float64) nhip.Flag {
	more := l.Relative * math.Abs(base)
	switch {
	case measure > l.Fail+more:
		return nhip.FlagFail
	case measure > l.Suspect+more:
		return nhip.FlagSuspect
	}
	return nhip.FlagGood
}
