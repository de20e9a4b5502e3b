package decode

import (
	"bytes"
	"time"

	"nhip"

	"github.com/paulmach/orb"
)

// ValueSet collects the values of a station at one time, at most one for each quantity, from one or more instruments.
// The zero value is an empty set. A ValueSet does not allocate memory.
type ValueSet struct {
	Station string
	Time    time.Time // END of the period, UTC, whole milliseconds
	Period  time.Duration
	Point   nhip.Opt[orb.Point]

	values [maxQuantities]instrumentValue
	n      int
}

// maxQuantities is larger than the number of quantities, so that a set can't overflow.
const maxQuantities = 16

type instrumentValue struct {
	quantity   nhip.Quantity
	value      float64
	instrument Instrument
	channels   nhip.Opt[[2]float64]
}

// Instrument is the instrument of a value. If several instruments measure the same quantity, the set keeps the value
// of the lowest Rank, and at equal ranks of the first Name in alphabetical order. The order of a payload is arbitrary,
// and must not change the instrument of a series.
type Instrument struct {
	Rank int
	Name []byte // shares the payload's memory
}

func (a Instrument) before(b Instrument) bool {
	return a.Rank < b.Rank || a.Rank == b.Rank && bytes.Compare(a.Name, b.Name) < 0
}

// Add adds a value, in the platform's unit, of a quantity with only one instrument.
func (s *ValueSet) Add(q nhip.Quantity, v float64) { s.Offer(q, v, Instrument{}) }

// AddKnown adds a value if it is known.
func (s *ValueSet) AddKnown(q nhip.Quantity, v nhip.Opt[float64]) {
	if x, ok := v.Get(); ok {
		s.Add(q, x)
	}
}

// Offer adds a value, in the platform's unit, unless there is one of a better instrument.
func (s *ValueSet) Offer(q nhip.Quantity, v float64, by Instrument) {
	offer := instrumentValue{quantity: q, value: v, instrument: by}
	for i := range s.values[:s.n] {
		if s.values[i].quantity == q {
			if by.before(s.values[i].instrument) {
				s.values[i] = offer
			}
			return
		}
	}
	s.values[s.n] = offer
	s.n++
}

// Channels adds the values of two identical sensors to the value of a quantity, which must be in the set.
func (s *ValueSet) Channels(q nhip.Quantity, first, second float64) {
	for i := range s.values[:s.n] {
		if v := &s.values[i]; v.quantity == q {
			v.channels = nhip.Some([2]float64{first, second})
		}
	}
}

// Convert converts the value of a quantity, for payloads in which the unit follows the value.
func (s *ValueSet) Convert(q nhip.Quantity, convert func(float64) float64) {
	for i := range s.values[:s.n] {
		if v := &s.values[i]; v.quantity == q {
			v.value = convert(v.value)
		}
	}
}

// Has reports whether the set has a value of the quantity.
func (s *ValueSet) Has(q nhip.Quantity) bool {
	for i := range s.values[:s.n] {
		if s.values[i].quantity == q {
			return true
		}
	}
	return false
}

// Empty reports whether the set has no values.
func (s *ValueSet) Empty() bool { return s.n == 0 }

// AppendTo appends a reading for each value.
func (s *ValueSet) AppendTo(out *nhip.Facts) {
	for _, v := range s.values[:s.n] {
		out.Readings = append(out.Readings, nhip.Reading{
			Station: s.Station, Quantity: v.quantity, Time: s.Time, Period: s.Period,
			Value: v.value, Flag: nhip.FlagNotEvaluated, Point: s.Point, Channels: v.channels,
		})
	}
}

// PeriodOr returns the averaging period of the feed, or a default.
func (f *Feed) PeriodOr(period time.Duration) time.Duration {
	if f.Period > 0 {
		return f.Period
	}
	return period
}

// Arrival returns the time of facts from a device without a clock. A decoder that uses it must set nhip.Facts.Undated.
func (in *Input) Arrival() time.Time { return in.Received.UTC().Truncate(time.Millisecond) }

// Celsius converts degrees Fahrenheit to °C.
func Celsius(fahrenheit float64) float64 { return (fahrenheit - 32) / 1.8 }
