package decode

import (
	"bytes"
	"time"

	"nhip"

	"github.com/paulmach/orb"
)

// Box is what a box of instruments says at one moment: at most one value of each quantity. Its zero
// value is an empty box; a Box keeps no memory of its own, so that it costs nothing to make.
type Box struct {
	Station string
	Time    time.Time // END of the period, UTC, whole milliseconds
	Period  time.Duration
	Point   nhip.Opt[orb.Point]

	values [maxQuantities]boxValue
	n      int
}

// maxQuantities is more than the platform knows, and so more than a box can fill.
const maxQuantities = 16

type boxValue struct {
	quantity nhip.Quantity
	value    float64
	by       Instrument
	channels nhip.Opt[[2]float64]
}

// Instrument says which part of a box a value comes from. Where two of them measure the same
// quantity, the box speaks with the one that has the lower Rank, and of two equals with the one
// whose Name comes first: the order of the payload is chance, and a series must not change its
// instrument by chance.
type Instrument struct {
	Rank int
	Name []byte // valid until the payload changes
}

func (a Instrument) before(b Instrument) bool {
	return a.Rank < b.Rank || a.Rank == b.Rank && bytes.Compare(a.Name, b.Name) < 0
}

// Add notes a value, in the quantity's unit, of a box with one instrument for it.
func (b *Box) Add(q nhip.Quantity, v float64) { b.Offer(q, v, Instrument{}) }

// AddKnown notes a value when there is one.
func (b *Box) AddKnown(q nhip.Quantity, v nhip.Opt[float64]) {
	if x, ok := v.Get(); ok {
		b.Add(q, x)
	}
}

// Offer notes a value, in the quantity's unit, unless a better instrument has given one.
func (b *Box) Offer(q nhip.Quantity, v float64, by Instrument) {
	offer := boxValue{quantity: q, value: v, by: by}
	for i := range b.values[:b.n] {
		if b.values[i].quantity == q {
			if by.before(b.values[i].by) {
				b.values[i] = offer
			}
			return
		}
	}
	b.values[b.n] = offer
	b.n++
}

// Channels notes what the two sensors of a box say of a quantity, of which it has said a value.
func (b *Box) Channels(q nhip.Quantity, first, second float64) {
	for i := range b.values[:b.n] {
		if v := &b.values[i]; v.quantity == q {
			v.channels = nhip.Some([2]float64{first, second})
		}
	}
}

// Convert changes the unit of one quantity, for boxes that name it after the value.
func (b *Box) Convert(q nhip.Quantity, convert func(float64) float64) {
	for i := range b.values[:b.n] {
		if v := &b.values[i]; v.quantity == q {
			v.value = convert(v.value)
		}
	}
}

// Holds reports whether there is a value of the quantity.
func (b *Box) Holds(q nhip.Quantity) bool {
	for i := range b.values[:b.n] {
		if b.values[i].quantity == q {
			return true
		}
	}
	return false
}

// Empty reports whether no instrument had anything to say.
func (b *Box) Empty() bool { return b.n == 0 }

// AppendTo appends one reading for each value.
func (b *Box) AppendTo(out *nhip.Facts) {
	for _, v := range b.values[:b.n] {
		out.Readings = append(out.Readings, nhip.Reading{
			Station: b.Station, Quantity: v.quantity, Time: b.Time, Period: b.Period,
			Value: v.value, Flag: nhip.NotEvaluated, Point: b.Point, Channels: v.channels,
		})
	}
}

// PeriodOr returns the averaging period that the feed declares, or the format's usual one.
func (f *Feed) PeriodOr(usual time.Duration) time.Duration {
	if f.Period > 0 {
		return f.Period
	}
	return usual
}

// Arrival is the time of facts from a device without a clock. Whoever uses it sets
// nhip.Facts.Undated.
func (in *Input) Arrival() time.Time { return in.Received.UTC().Truncate(time.Millisecond) }

// Celsius turns degrees Fahrenheit into °C.
func Celsius(fahrenheit float64) float64 { return (fahrenheit - 32) / 1.8 }
