package qc

import (
	"math"

	"nhip"
)

// Class is what kind of monitor a station is: what its values are worth, and what may be asked of them.
type Class int

// The classes.
const (
	LowCost   Class = iota // an optical or electrochemical sensor; also who is not in the fleet
	Reference              // an instrument that the law accepts
	classes
)

// Limits are the parameters of one check. What is NaN is not looked at. Values are in the quantity's unit.
type Limits struct {
	Suspect float64 // beyond it a value is suspect: see the check
	Fail    float64 // beyond it a value fails

	Low, High               float64 // gross_range: values outside fail
	SuspectLow, SuspectHigh float64 // gross_range: values outside are suspect

	Relative  float64 // added to Suspect and Fail: this part of what the value is held against
	Tolerance float64 // what still counts as the same
	Radius    float64 // neighbours: how far they may be, m
	Count     float64 // neighbours: so many are needed
	Floor     float64 // neighbours: the least deviation that they are taken to have
}

// Fields returns each parameter by the name that it has in the configuration.
func (l *Limits) Fields() map[string]*float64 {
	return map[string]*float64{
		"suspect": &l.Suspect, "fail": &l.Fail, "low": &l.Low, "high": &l.High, "suspect_low": &l.SuspectLow,
		"suspect_high": &l.SuspectHigh, "relative": &l.Relative, "tolerance": &l.Tolerance, "radius": &l.Radius,
		"count": &l.Count, "floor": &l.Floor,
	}
}

// parameters are the ones that each check looks at.
var parameters = [checks][]string{
	GrossRange:    {"low", "high", "suspect_low", "suspect_high"},
	Negative:      {"suspect", "fail"},
	Zero:          {"suspect", "fail"},
	Spike:         {"suspect", "fail", "relative"},
	RateOfChange:  {"suspect", "fail"},
	FlatLine:      {"suspect", "fail", "tolerance"},
	FrozenFeed:    {"suspect", "fail"},
	Humidity:      {"suspect", "fail"},
	ParticleOrder: {"suspect", "fail", "relative"},
	Neighbours:    {"suspect", "fail", "radius", "count", "floor"},
	Channels:      {"suspect", "fail", "relative"},
	Location:      {"suspect", "fail"},
}

// Parameters returns the names of the parameters that a check looks at.
func (c Check) Parameters() []string { return parameters[c] }

// Off returns the limits of a check that is off: none.
func Off() Limits {
	return Limits{none, none, none, none, none, none, 0, 0, 0, 0, 0}
}

// Rules say which limits hold for which quantity of which class. Rules are values: to change them, copy.
type Rules struct {
	limits map[nhip.Quantity]*[classes][checks]Limits
}

// At returns the limits of a check.
func (r *Rules) At(q nhip.Quantity, class Class, c Check) *Limits {
	if of := r.limits[q]; of != nil {
		return &of[class][c]
	}
	off := Off()
	return &off
}

// Set replaces limits; "" is every quantity.
func (r *Rules) Set(q nhip.Quantity, class Class, c Check, change func(*Limits)) {
	for of, limits := range r.limits {
		if q == "" || q == of {
			change(&limits[class][c])
		}
	}
}

var (
	particles = []nhip.Quantity{nhip.PM1, nhip.PM25, nhip.PM10, nhip.TSP}
	gases     = []nhip.Quantity{nhip.SO2, nhip.NO, nhip.NO2, nhip.CO, nhip.O3}
	weather   = []nhip.Quantity{nhip.Temperature, nhip.Humidity, nhip.Pressure}
)

// NewRules returns the usual rules. Durations are in hours, rates in units a minute, distances in metres.
func NewRules() *Rules {
	r := &Rules{limits: make(map[nhip.Quantity]*[classes][checks]Limits)}
	for _, group := range [][]nhip.Quantity{particles, gases, weather} {
		for _, q := range group {
			of := new([classes][checks]Limits)
			for class := range of {
				for c := range of[class] {
					of[class][c] = Off()
				}
			}
			r.limits[q] = of
		}
	}
	for _, class := range []Class{LowCost, Reference} {
		r.setRanges(class)
		r.setTimes(class)
		r.Set("", class, Location, func(l *Limits) { l.Suspect = 500 })
	}
	r.setParticles()
	return r
}

// setRanges sets what hardly is and what can't be. Gases are in µg/m³: the highest are what the instruments
// span.
func (r *Rules) setRanges(class Class) {
	for q, span := range map[nhip.Quantity][4]float64{ // fail below, suspect below, suspect above, fail above
		nhip.PM1:         {-15, none, 500, 1000},
		nhip.PM25:        {-15, none, 600, 1000},
		nhip.PM10:        {-15, none, 1000, 2000},
		nhip.TSP:         {-15, none, 2000, 5000},
		nhip.SO2:         {-30, none, 1300, 2700},
		nhip.NO:          {-30, none, 600, 1300},
		nhip.NO2:         {-30, none, 500, 2000},
		nhip.CO:          {-1000, none, 30_000, 60_000},
		nhip.O3:          {-30, none, 500, 1000},
		nhip.Temperature: {-30, -10, 50, 65},
		nhip.Humidity:    {0, 3, none, 100},
		nhip.Pressure:    {60_000, 80_000, 106_000, 110_000},
	} {
		r.Set(q, class, GrossRange, func(l *Limits) {
			l.Low, l.SuspectLow, l.SuspectHigh, l.High = span[0], span[1], span[2], span[3]
		})
	}
	for _, q := range append(particles[:len(particles):len(particles)], gases...) {
		r.Set(q, class, Negative, func(l *Limits) { l.Suspect = 0 }) // beyond the range it fails
	}
	for _, q := range gases {
		r.Set(q, class, Zero, func(l *Limits) { l.Suspect = 0 }) // any number turns it on
	}
	// An SDS011 whose fan is broken says 999.9 and 1999.9, the most it can.
	r.Set(nhip.PM25, LowCost, GrossRange, func(l *Limits) { l.High = 999 })
	r.Set(nhip.PM10, LowCost, GrossRange, func(l *Limits) { l.High = 1999 })
}

// setTimes sets what can't change so fast, or so little.
func (r *Rules) setTimes(class Class) {
	for q, l := range map[nhip.Quantity][3]float64{ // spike: suspect, fail, and this part of the neighbours' mean
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
	} {
		r.Set(q, class, Spike, func(to *Limits) { to.Suspect, to.Fail, to.Relative = l[0], l[1], l[2] })
	}
	for q, perMinute := range map[nhip.Quantity]float64{nhip.Temperature: 3, nhip.Humidity: 20, nhip.Pressure: 300, nhip.O3: 60} {
		r.Set(q, class, RateOfChange, func(l *Limits) { l.Suspect = perMinute })
	}
	r.Set("", class, FlatLine, func(l *Limits) { l.Suspect, l.Fail = 6, 12 })
	r.Set(nhip.Pressure, class, FlatLine, func(l *Limits) { l.Suspect, l.Fail = 12, 24 })
	r.Set("", class, FrozenFeed, func(l *Limits) { l.Suspect, l.Fail = 3, 4 })
}

// setParticles sets what only particles are asked. Optics count droplets from about 95 % on, which is usual in a
// winter of Hanoi: suspect, never failed. Neighbours are for networks of cheap sensors; a reference instrument
// may stand beside a road that none of them sees. The two channels' limits are Barkjohn's.
func (r *Rules) setParticles() {
	for _, q := range particles {
		r.Set(q, LowCost, Humidity, func(l *Limits) { l.Suspect = 95 })
		r.Set(q, LowCost, Neighbours, func(l *Limits) {
			l.Suspect, l.Fail, l.Radius, l.Count, l.Floor = 2, 3, 10_000, 5, 0.25
		})
		r.Set(q, LowCost, Channels, func(l *Limits) { l.Suspect, l.Relative = 5, 0.61 })
	}
	for _, class := range []Class{LowCost, Reference} {
		r.Set(nhip.PM25, class, ParticleOrder, func(l *Limits) { l.Suspect, l.Relative = 5, 0.1 })
	}
}

// beyond returns the flag of a measure that must not exceed the limits, each with a part of base added.
func (l *Limits) beyond(measure, base float64) nhip.Flag {
	more := l.Relative * math.Abs(base)
	switch {
	case measure > l.Fail+more:
		return nhip.Fail
	case measure > l.Suspect+more:
		return nhip.Suspect
	}
	return nhip.Good
}
